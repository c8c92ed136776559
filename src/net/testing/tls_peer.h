// SPDX-License-Identifier: Apache-2.0
// A TLS server with certificates made on the spot, for tests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "net/testing/certificates.h"
#include "net/testing/raw_peer.h"

namespace weir::net::testing {

struct TlsServerSpec {
  CertificateSpec certificate;
  bool tls_11_only = false;
};

// Answers every request with 204 after a handshake. The CA's certificate is in ca_file() while this
// lives.
class TlsServer {
 public:
  TlsServer(Loop& loop, TlsServerSpec spec);
  ~TlsServer();
  std::uint16_t port() const;
  const std::string& ca_file() const;
  int requests() const;
  int handshakes() const;                  // successful ones
  const std::string& server_name() const;  // SNI of the last handshake
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace weir::net::testing
