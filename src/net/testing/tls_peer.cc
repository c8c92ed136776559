// SPDX-License-Identifier: Apache-2.0
#include "net/testing/tls_peer.h"

#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace weir::net::testing {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Key make_key() {
  Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  require(key != nullptr, "key");
  return key;
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, "extension");
  X509_EXTENSION_free(extension);
}

void set_name(X509_NAME* name, const char* common_name) {
  const auto* text = reinterpret_cast<const unsigned char*>(common_name);
  require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1, "name");
}

Certificate make_certificate(const char* common_name, EVP_PKEY* key, int from_days, int to_days) {
  static long serial = 0;
  Certificate certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from_days * 86'400L);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), to_days * 86'400L);
  set_name(X509_get_subject_name(certificate.get()), common_name);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* issuer_key) {
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  require(X509_sign(certificate, issuer_key, EVP_sha256()) > 0, "sign");
}

std::string write_pem(X509* certificate) {
  std::string path = (std::filesystem::temp_directory_path() / "weir_test_ca_XXXXXX").string();
  const int descriptor = ::mkstemp(path.data());
  require(descriptor >= 0, "mkstemp");
  FILE* file = ::fdopen(descriptor, "w");
  require(PEM_write_X509(file, certificate) == 1, "write");
  ::fclose(file);
  return path;
}

}  // namespace

struct TlsServer::Impl {
  explicit Impl(Loop& a_loop)
      : loop(a_loop),
        acceptor(a_loop.executor(), tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}
  ~Impl() { ::unlink(ca_path.c_str()); }

  Loop& loop;
  ssl::context context{ssl::context::tls_server};
  tcp::acceptor acceptor;
  std::string ca_path;
  int requests = 0;
  int handshakes = 0;
  std::string server_name;

  void set_up(const TlsServerSpec& spec) {
    const Key ca_key = make_key();
    const Certificate ca = make_certificate("test CA", ca_key.get(), -1, 1);
    add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE");
    sign(ca.get(), ca.get(), ca_key.get());
    ca_path = write_pem(ca.get());
    const CertificateSpec& wanted = spec.certificate;
    const Key key = make_key();
    const Certificate own = make_certificate("test server", key.get(), wanted.valid_from_days,
                                             wanted.valid_to_days);
    add_extension(own.get(), ca.get(), NID_subject_alt_name, wanted.subject_alt_name);
    if (wanted.signed_by_ca) {
      sign(own.get(), ca.get(), ca_key.get());
    } else {
      sign(own.get(), own.get(), key.get());
    }
    SSL_CTX* handle = context.native_handle();
    require(SSL_CTX_use_certificate(handle, own.get()) == 1, "certificate");
    require(SSL_CTX_use_PrivateKey(handle, key.get()) == 1, "private key");
    if (!spec.tls_11_only) return;
    SSL_CTX_set_security_level(handle, 0);
    SSL_CTX_set_min_proto_version(handle, TLS1_1_VERSION);
    SSL_CTX_set_max_proto_version(handle, TLS1_1_VERSION);
  }

  static async::Task<> serve(std::shared_ptr<Impl> self, tcp::socket socket) {
    ssl::stream<tcp::socket> stream(std::move(socket), self->context);
    error_code error;
    co_await stream.async_handshake(ssl::stream_base::server,
                                    asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    ++self->handshakes;
    const char* name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
    self->server_name = name != nullptr ? name : "";
    std::string seen;
    std::string part(16 * 1024, '\0');
    while (!error) {
      const std::size_t size = co_await stream.async_read_some(
          asio::buffer(part), asio::redirect_error(asio::use_awaitable, error));
      seen.append(part, 0, size);
      if (seen.find("end of request") == std::string::npos) continue;
      seen.clear();
      ++self->requests;
      const std::string answer = "HTTP/1.1 204 No Content\r\n\r\n";
      co_await asio::async_write(stream, asio::buffer(answer),
                                 asio::redirect_error(asio::use_awaitable, error));
    }
  }

  static async::Task<> accept_loop(std::shared_ptr<Impl> self) {
    while (self->acceptor.is_open()) {
      tcp::socket socket(self->loop.executor());
      error_code error;
      co_await self->acceptor.async_accept(socket,
                                           asio::redirect_error(asio::use_awaitable, error));
      if (!error) self->loop.spawn(serve(self, std::move(socket)));
    }
  }
};

TlsServer::TlsServer(Loop& loop, TlsServerSpec spec) : impl_(std::make_shared<Impl>(loop)) {
  impl_->set_up(spec);
  loop.spawn(Impl::accept_loop(impl_));
}

TlsServer::~TlsServer() { stop(); }
std::uint16_t TlsServer::port() const { return impl_->acceptor.local_endpoint().port(); }
const std::string& TlsServer::ca_file() const { return impl_->ca_path; }
int TlsServer::requests() const { return impl_->requests; }
int TlsServer::handshakes() const { return impl_->handshakes; }
const std::string& TlsServer::server_name() const { return impl_->server_name; }

void TlsServer::stop() {
  error_code ignored;
  impl_->acceptor.close(ignored);
}

}  // namespace weir::net::testing
