// SPDX-License-Identifier: Apache-2.0
// The server's side of TLS: certificate and key of a listener, and the layer that one connection
// gets over its socket. TLS 1.2 or later; sessions are not resumed, so that what a reload changed
// holds for every new connection.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "base/time.h"
#include "net/tcp_socket.h"

namespace weir::net {

enum class ClientCertificate : std::uint8_t { none, optional, required };

// PEM files.
struct TlsListenerSpec {
  std::string certificate;  // the server's, and the chain up to its root
  std::string key;
  std::string client_ca;  // whoever signs the certificates of clients
  ClientCertificate clients = ClientCertificate::none;
};

class TlsListener;
// Error: certificate_unusable for a file that is missing or no PEM, a key that does not belong to
// the certificate or that everybody on the machine may read, a certificate that is not valid at
// `now`.
Result<std::shared_ptr<TlsListener>> load_tls_listener(const TlsListenerSpec& spec, WallTime now);
WallTime expiry(const TlsListener& listener);  // of the certificate

// One operation at a time; the socket outlives it and is closed by its owner, which ends whatever
// runs.
class TlsLayer {
 public:
  virtual ~TlsLayer() = default;
  // False: there is no connection. A client whose certificate was asked for has shown a valid one.
  virtual async::Task<bool> handshake() = 0;
  // After a handshake that failed: the client spoke HTTP without TLS.
  virtual bool was_plain_http() const = 0;
  virtual async::Task<Transfer> read_some(std::span<char> into) = 0;
  virtual async::Task<bool> write(std::string_view head, std::string_view body) = 0;
  // Says that we are done, and waits until the other side says so, too.
  virtual async::Task<> finish() = 0;
  // Of the client's certificate: "DNS:...", "URI:...", "email:...", "IP:...", "CN:..."; empty
  // without one.
  virtual std::vector<std::string> peer_names() = 0;
};

std::unique_ptr<TlsLayer> tls_layer(TcpSocket& socket, std::shared_ptr<TlsListener> listener);

}  // namespace weir::net
