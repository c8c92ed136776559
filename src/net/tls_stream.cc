// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/stream.h"
#include "net/tcp_socket.h"

namespace weir::net {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

class TlsClient {
 public:
  ssl::context context{ssl::context::tls_client};
};

namespace {

// Name checks are OpenSSL's own (RFC 6125); asking for them cannot be forgotten because a failure
// closes the stream.
bool require_host(SSL* handle, const std::string& host) {
  error_code not_an_address;
  static_cast<void>(asio::ip::make_address(host, not_an_address));
  X509_VERIFY_PARAM* param = SSL_get0_param(handle);
  if (!not_an_address) return X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(handle, host.c_str()) == 1 &&
         SSL_set_tlsext_host_name(handle, host.c_str()) == 1;
}

class TlsStream final : public Stream {
 public:
  TlsStream(async::Executor executor, std::shared_ptr<TlsClient> tls, std::string host)
      : tls_(std::move(tls)), host_(std::move(host)), stream_(std::move(executor), tls_->context) {}

  async::Task<ConnectResult> connect(IpAddress address) override {
    ConnectResult connected = co_await connect_socket(stream_.next_layer(), std::move(address));
    if (connected.fault != Fault::none) co_return connected;
    if (!require_host(stream_.native_handle(), host_)) {
      co_return ConnectResult{Fault::tlsVerify, fmt::format("TLS: '{}' cannot be verified", host_)};
    }
    error_code error;
    co_await stream_.async_handshake(ssl::stream_base::client,
                                     asio::redirect_error(asio::use_awaitable, error));
    if (!error) co_return ConnectResult{};
    const long verdict = SSL_get_verify_result(stream_.native_handle());
    if (verdict == X509_V_OK) {
      co_return ConnectResult{Fault::tlsHandshake,
                              fmt::format("TLS handshake with {}: {}", host_, error.message())};
    }
    co_return ConnectResult{Fault::tlsVerify, fmt::format("certificate of {}: {}", host_,
                                                          X509_verify_cert_error_string(verdict))};
  }

  Transfer write_now(std::string_view, std::string_view) override { return {}; }

  async::Task<Transfer> write(std::string_view head, std::string_view body) override {
    const std::array<asio::const_buffer, 2> buffers{asio::const_buffer(head.data(), head.size()),
                                                    asio::const_buffer(body.data(), body.size())};
    error_code error;
    const std::size_t bytes = co_await asio::async_write(
        stream_, buffers, asio::redirect_error(asio::use_awaitable, error));
    if (!error) co_return Transfer{bytes, StreamEnd::none, ""};
    co_return Transfer{bytes, StreamEnd::broken, error.message()};
  }

  async::Task<Transfer> read_some(std::span<char> into) override {
    error_code error;
    const std::size_t bytes = co_await stream_.async_read_some(
        asio::mutable_buffer(into.data(), into.size()),
        asio::redirect_error(asio::use_awaitable, error));
    if (!error) co_return Transfer{bytes, StreamEnd::none, ""};
    co_return Transfer{bytes, stream_end(error), error.message()};
  }

  // Anything unread, a close_notify included, makes it unfit.
  bool is_quiet() override {
    return SSL_pending(stream_.native_handle()) == 0 && socket_is_quiet(stream_.next_layer());
  }
  void close() override { close_socket(stream_.next_layer()); }

 private:
  std::shared_ptr<TlsClient> tls_;
  std::string host_;
  ssl::stream<tcp::socket> stream_;
};

}  // namespace

Result<std::shared_ptr<TlsClient>> load_tls_client(const std::string& ca_file) {
  auto client = std::make_shared<TlsClient>();
  SSL_CTX* handle = client->context.native_handle();
  error_code error;
  client->context.set_verify_mode(ssl::verify_peer, error);
  if (error || SSL_CTX_set_min_proto_version(handle, TLS1_2_VERSION) != 1) {
    return Error{Code::config_invalid, "TLS 1.2 cannot be set up", ""};
  }
  client->context.set_default_verify_paths(error);
  if (error)
    return Error{Code::config_invalid,
                 fmt::format("the system's trust anchors: {}", error.message()), ""};
  if (ca_file.empty()) return client;
  client->context.load_verify_file(ca_file, error);
  if (!error) return client;
  return Error{Code::config_invalid, fmt::format("caFile '{}': {}", ca_file, error.message()),
               "it must be a readable PEM file with certificates"};
}

std::unique_ptr<Stream> tls_stream(async::Executor executor, std::shared_ptr<TlsClient> tls,
                                   std::string host) {
  return std::make_unique<TlsStream>(std::move(executor), std::move(tls), std::move(host));
}

}  // namespace weir::net
