// SPDX-License-Identifier: Apache-2.0
#include "net/testing/tls_peer.h"

#include <stdexcept>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace weir::net::testing {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

}  // namespace

struct TlsServer::Impl {
  explicit Impl(Loop& a_loop)
      : loop(a_loop),
        acceptor(a_loop.executor(), tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

  Loop& loop;
  ssl::context context{ssl::context::tls_server};
  tcp::acceptor acceptor;
  TestAuthority authority;
  std::string ca_path = authority.ca_file();
  int requests = 0;
  int handshakes = 0;
  std::string server_name;

  void set_up(const TlsServerSpec& spec) {
    const CertificateFiles own = authority.issue(spec.certificate);
    SSL_CTX* handle = context.native_handle();
    require(SSL_CTX_use_certificate_file(handle, own.certificate.c_str(), SSL_FILETYPE_PEM) == 1,
            "certificate");
    require(SSL_CTX_use_PrivateKey_file(handle, own.key.c_str(), SSL_FILETYPE_PEM) == 1,
            "private key");
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
