// SPDX-License-Identifier: Apache-2.0
// What an attempt gave. It is data, not an error of Weir's.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace weir {

// Transport faults. Each has a row in policy/classify.
enum class Fault : std::uint8_t {
  none,          // an HTTP answer arrived; see status
  dnsTemporary,  // EAI_AGAIN, SERVFAIL
  dnsNotFound,   // NXDOMAIN
  refused,       // ECONNREFUSED, or reset before the first byte
  unreachable,   // EHOSTUNREACH, ENETUNREACH
  connectTimeout,
  tlsHandshake,      // I/O error during the handshake
  tlsVerify,         // certificate, host name or ALPN
  sendFailed,        // broken before the request was completely handed to the kernel
  timeout,           // no complete answer before the attempt's deadline
  connectionClosed,  // EOF, reset or EPIPE after request bytes were sent
  malformedAnswer,   // not HTTP, or a wrong Content-Length, or chunks that do not parse
  answerTooLarge,    // headers or body above the cap
  cancelled,         // by an operator or by shutdown
  egressRefused,     // our own rules forbid the address; nothing was opened
};
inline constexpr int kFaultCount = static_cast<int>(Fault::egressRefused) + 1;

// How far the request got (gRPC proposal A6 names the phases).
enum class Phase : std::uint8_t {
  notSent,     // never left us: always safe to repeat
  sentUnseen,  // left us, and the peer says it was not looked at
  maybeSeen,   // the handler may have seen it
};

struct Outcome {
  int status = 0;  // HTTP status; 0 when there was a fault
  Fault fault = Fault::none;
  Phase phase = Phase::maybeSeen;
  Duration latency{};
  Duration waited{};  // of it: from the request's last byte to the answer's; 0 if nothing was sent
  std::vector<std::pair<std::string, std::string>> headers;  // names lower case; at most 64
  std::string body;            // at most kOutcomeBodyMax bytes of it; empty for 2xx
  bool body_left_out = false;  // it was above the cap; status and headers are whole
  std::string fault_detail;    // e.g. "connect to 127.0.0.1:9900: connection refused"

  // nullptr if absent.
  const std::string* header(std::string_view name) const;
};

inline constexpr std::size_t kOutcomeBodyMax = 4096;

std::string_view to_text(Fault fault);
std::string_view to_text(Phase phase);

}  // namespace weir
