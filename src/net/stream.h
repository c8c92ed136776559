// SPDX-License-Identifier: Apache-2.0
// A client's byte stream: plain TCP or TLS over it. One operation at a time; close() may come at
// any moment on the same thread and ends the running one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/result.h"
#include "model/outcome.h"

namespace weir::net {

// A literal address: "127.0.0.1" or "::1".
struct IpAddress {
  std::string text;
  std::uint16_t port = 0;
  bool operator==(const IpAddress&) const = default;
};

// Why no connection to the address may be opened, for people; empty if one may. Asked for every new
// connection about the very address that it would go to, so a name cannot change its meaning
// between the question and the connection. No function: everything may be connected to.
using EgressCheck = std::function<std::string(const IpAddress&)>;

enum class StreamEnd : std::uint8_t {
  none,    // the stream goes on
  eof,     // the peer ended it in order
  broken,  // reset, timed out, cut without TLS closure, or closed by us
};

struct Transfer {
  std::size_t bytes = 0;
  StreamEnd end = StreamEnd::none;
  std::string error;  // for people, if broken
};

// Fault::none, or why there is no connection: refused, unreachable, connectTimeout, tlsHandshake,
// tlsVerify.
struct ConnectResult {
  Fault fault = Fault::none;
  std::string detail;
};

class Stream {
 public:
  virtual ~Stream() = default;
  virtual async::Task<ConnectResult> connect(IpAddress address) = 0;
  // What the kernel takes at once, without waiting; 0 bytes and `none` if nothing. TLS never does.
  virtual Transfer write_now(std::string_view head, std::string_view body) = 0;
  // All of head and body. On failure `bytes` says how much the kernel took.
  virtual async::Task<Transfer> write(std::string_view head, std::string_view body) = 0;
  virtual async::Task<Transfer> read_some(std::span<char> into) = 0;
  // Connected, and the peer has neither closed nor sent anything unasked: fit for another request.
  virtual bool is_quiet() = 0;
  virtual void close() = 0;
};

std::unique_ptr<Stream> tcp_stream(async::Executor executor);

// Trust anchors and protocol settings, shared by the connections to one dependency. TLS 1.2 or
// later; peer and host name are always verified.
class TlsClient;
// The system's trust anchors plus those of ca_file (PEM) if it is not empty. Error: config_invalid.
Result<std::shared_ptr<TlsClient>> load_tls_client(const std::string& ca_file);
std::unique_ptr<Stream> tls_stream(async::Executor executor, std::shared_ptr<TlsClient> tls,
                                   std::string host);

}  // namespace weir::net
