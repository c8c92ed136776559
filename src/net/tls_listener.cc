// SPDX-License-Identifier: Apache-2.0
#include "net/tls_listener.h"

#include <array>
#include <cstring>
#include <ctime>
#include <sys/stat.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace weir::net {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

class TlsListener {
 public:
  ssl::context context{ssl::context::tls_server};
  WallTime expires{};
};

namespace {

Error unusable(std::string_view what, const std::string& file, std::string_view why,
               std::string_view hint) {
  return {Code::certificate_unusable, fmt::format("{} '{}': {}", what, file, why),
          std::string(hint)};
}

Result<> check_readable(std::string_view what, const std::string& file, bool secret) {
  struct stat about{};
  if (::stat(file.c_str(), &about) != 0)
    return unusable(what, file, std::strerror(errno), "check the path in listen.tls");
  if (secret && (about.st_mode & 0007) != 0) {
    return unusable(what, file, "everybody on this machine may use it",
                    fmt::format("chmod 600 {}", file));
  }
  return {};
}

WallTime to_wall(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return WallTime{};
  return WallTime{} + std::chrono::seconds{::timegm(&parts)};
}

Result<> check_dates(TlsListener& listener, const std::string& file, WallTime now) {
  const X509* certificate = SSL_CTX_get0_certificate(listener.context.native_handle());
  const WallTime begins = to_wall(X509_get0_notBefore(certificate));
  listener.expires = to_wall(X509_get0_notAfter(certificate));
  if (now < begins) {
    return unusable("certificate", file, fmt::format("it is valid from {} on", to_rfc3339(begins)),
                    "wait, or check the machine's clock");
  }
  if (now >= listener.expires) {
    return unusable("certificate", file,
                    fmt::format("it has expired {}", to_rfc3339(listener.expires)),
                    "put a new one there");
  }
  return {};
}

Result<> load_own(TlsListener& listener, const TlsListenerSpec& spec) {
  WEIR_CHECK(check_readable("certificate", spec.certificate, false));
  WEIR_CHECK(check_readable("key", spec.key, true));
  error_code error;
  listener.context.use_certificate_chain_file(spec.certificate, error);
  if (error) {
    return unusable("certificate", spec.certificate, error.message(),
                    "it must be a PEM file with the certificate first, then its chain");
  }
  listener.context.use_private_key_file(spec.key, ssl::context::pem, error);
  if (error || SSL_CTX_check_private_key(listener.context.native_handle()) != 1) {
    ERR_clear_error();
    return unusable("key", spec.key,
                    fmt::format("it does not belong to '{}', or is no key", spec.certificate),
                    "a PEM file without a passphrase");
  }
  return {};
}

Result<> load_clients(TlsListener& listener, const TlsListenerSpec& spec) {
  if (spec.clients == ClientCertificate::none) return {};
  WEIR_CHECK(check_readable("clientCa", spec.client_ca, false));
  error_code error;
  listener.context.load_verify_file(spec.client_ca, error);
  if (error) {
    return unusable("clientCa", spec.client_ca, error.message(),
                    "it must be a PEM file with certificates");
  }
  SSL_CTX* handle = listener.context.native_handle();
  // So that clients which have several know which one to show.
  SSL_CTX_set_client_CA_list(handle, SSL_load_client_CA_file(spec.client_ca.c_str()));
  const bool required = spec.clients == ClientCertificate::required;
  listener.context.set_verify_mode(
      ssl::verify_peer | (required ? ssl::verify_fail_if_no_peer_cert : ssl::verify_none), error);
  if (error) return unusable("clientCa", spec.client_ca, error.message(), "");
  return {};
}

std::string text_of(const ASN1_STRING* string) {
  const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
  return std::string(bytes, static_cast<std::size_t>(ASN1_STRING_length(string)));
}

std::string address_of(const ASN1_STRING* string) {
  const unsigned char* bytes = ASN1_STRING_get0_data(string);
  if (ASN1_STRING_length(string) == 4) {
    std::array<unsigned char, 4> four{};
    std::memcpy(four.data(), bytes, four.size());
    return asio::ip::address_v4(four).to_string();
  }
  if (ASN1_STRING_length(string) == 16) {
    std::array<unsigned char, 16> sixteen{};
    std::memcpy(sixteen.data(), bytes, sixteen.size());
    return asio::ip::address_v6(sixteen).to_string();
  }
  return "";
}

// A name with a zero byte inside is read differently by different readers: it is none.
void append_name(std::vector<std::string>& names, std::string_view kind, const std::string& name) {
  if (!name.empty() && name.find('\0') == name.npos)
    names.push_back(fmt::format("{}{}", kind, name));
}

void append_alternatives(std::vector<std::string>& names, const X509* certificate) {
  auto* all = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (all == nullptr) return;
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    const GENERAL_NAME* one = sk_GENERAL_NAME_value(all, i);
    switch (one->type) {
      case GEN_DNS: append_name(names, "DNS:", text_of(one->d.dNSName)); break;
      case GEN_URI: append_name(names, "URI:", text_of(one->d.uniformResourceIdentifier)); break;
      case GEN_EMAIL: append_name(names, "email:", text_of(one->d.rfc822Name)); break;
      case GEN_IPADD: append_name(names, "IP:", address_of(one->d.iPAddress)); break;
      default: break;
    }
  }
  GENERAL_NAMES_free(all);
}

void append_common_names(std::vector<std::string>& names, const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  for (int at = -1;;) {
    at = X509_NAME_get_index_by_NID(subject, NID_commonName, at);
    if (at < 0) return;
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(
        &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (size < 0) continue;
    append_name(names, "CN:",
                std::string(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size)));
    OPENSSL_free(utf8);
  }
}

class ServerTlsLayer final : public TlsLayer {
 public:
  ServerTlsLayer(TcpSocket& socket, std::shared_ptr<TlsListener> listener)
      : listener_(std::move(listener)), stream_(socket, listener_->context) {}

  async::Task<bool> handshake() override {
    error_code error;
    co_await stream_.async_handshake(ssl::stream_base::server,
                                     asio::redirect_error(asio::use_awaitable, error));
    const auto code = static_cast<unsigned long>(error.value());
    plain_http_ = error.category() == asio::error::get_ssl_category() &&
                  ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST;
    co_return !error;
  }

  bool was_plain_http() const override { return plain_http_; }

  async::Task<Transfer> read_some(std::span<char> into) override {
    error_code error;
    const std::size_t bytes = co_await stream_.async_read_some(
        asio::mutable_buffer(into.data(), into.size()),
        asio::redirect_error(asio::use_awaitable, error));
    if (!error) co_return Transfer{bytes, StreamEnd::none, ""};
    co_return Transfer{bytes, stream_end(error), error.message()};
  }

  async::Task<bool> write(std::string_view head, std::string_view body) override {
    const std::array<asio::const_buffer, 2> buffers{asio::const_buffer(head.data(), head.size()),
                                                    asio::const_buffer(body.data(), body.size())};
    error_code error;
    co_await asio::async_write(stream_, buffers, asio::redirect_error(asio::use_awaitable, error));
    co_return !error;
  }

  async::Task<> finish() override {
    error_code ignored;  // the other side may be gone
    co_await stream_.async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
  }

  std::vector<std::string> peer_names() override {
    std::vector<std::string> names;
    SSL* handle = stream_.native_handle();
    const X509* certificate = SSL_get0_peer_certificate(handle);
    if (certificate == nullptr || SSL_get_verify_result(handle) != X509_V_OK) return names;
    append_alternatives(names, certificate);
    append_common_names(names, certificate);
    return names;
  }

 private:
  std::shared_ptr<TlsListener> listener_;
  ssl::stream<TcpSocket&> stream_;
  bool plain_http_ = false;
};

}  // namespace

Result<std::shared_ptr<TlsListener>> load_tls_listener(const TlsListenerSpec& spec, WallTime now) {
  auto listener = std::make_shared<TlsListener>();
  SSL_CTX* handle = listener->context.native_handle();
  if (SSL_CTX_set_min_proto_version(handle, TLS1_2_VERSION) != 1)
    return Error{Code::certificate_unusable, "TLS 1.2 cannot be set up", ""};
  SSL_CTX_set_options(handle, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(handle, 0);
  SSL_CTX_set_session_cache_mode(handle, SSL_SESS_CACHE_OFF);
  WEIR_CHECK(load_own(*listener, spec));
  WEIR_CHECK(load_clients(*listener, spec));
  WEIR_CHECK(check_dates(*listener, spec.certificate, now));
  return listener;
}

WallTime expiry(const TlsListener& listener) { return listener.expires; }

std::unique_ptr<TlsLayer> tls_layer(TcpSocket& socket, std::shared_ptr<TlsListener> listener) {
  return std::make_unique<ServerTlsLayer>(socket, std::move(listener));
}

}  // namespace weir::net
