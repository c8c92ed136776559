// SPDX-License-Identifier: Apache-2.0
// The classification table: HTTP statuses and transport faults. A row's reason completes "<status>
// ..." or "<dependency> ...". What our own guardrails refuse is no outcome and has no row: it is a
// Refusal, deferred without an attempt.
#include <algorithm>
#include <array>

#include "policy/classify_rows.h"

namespace weir::policy {
namespace {

using enum FailureClass;
constexpr auto any = Hint::any;
constexpr auto present = Hint::present;
constexpr auto absent = Hint::absent;

constexpr ClassRow status(std::string_view rule, int first, int last, Hint hint,
                          FailureClass failure, std::string_view flags, std::string_view reason,
                          std::string_view source) {
  return with_flags({.rule = rule,
                     .status_first = first,
                     .status_last = last,
                     .hint = hint,
                     .failure = failure,
                     .reason = reason,
                     .source = source},
                    flags);
}

constexpr ClassRow fault(std::string_view rule, Fault what, FailureClass failure,
                         std::string_view flags, std::string_view reason, std::string_view source) {
  return with_flags({.rule = rule,
                     .protocol = Protocol::transport,
                     .fault = what,
                     .failure = failure,
                     .reason = reason,
                     .source = source},
                    flags);
}

constexpr std::array kHttp = {
    // Envoy may answer a rate limit with any status; its header goes before the status.
    status("http.rateLimited", 400, 599, Hint::rateLimited, throttled, "R--L-",
           "is a rate limit on the way to the handler", "Envoy, x-envoy-ratelimited"),

    status("http.2xx", 200, 299, any, ok, "-----", "is done", "RFC 9110 15.3; 202 is done too"),

    status("http.400", 400, 400, any, permanent, "-----",
           "is permanent: the handler calls the request malformed", "RFC 9110 15.5.1"),
    status("http.401", 401, 401, any, auth, "-----",
           "says that our credentials are missing or wrong", "RFC 9110 15.5.2"),
    status("http.403", 403, 403, any, auth, "-----", "says that our credentials do not allow this",
           "RFC 9110 15.5.4"),
    status("http.404", 404, 404, any, permanent, "-----",
           "is permanent: the handler has nothing at this path", "RFC 9110 15.5.5"),
    status("http.405", 405, 405, any, permanent, "-----",
           "is permanent: the handler takes no POST here", "RFC 9110 15.5.6"),
    status("http.407", 407, 407, any, auth, "-----", "says that a proxy wants credentials",
           "RFC 9110 15.5.8"),
    status("http.408", 408, 408, any, transient, "R----", "says that our request came too slowly",
           "RFC 9110 15.5.9"),
    // A server that does one call per Idempotency-Key says so while the first one runs.
    status("http.409.hinted", 409, 409, present, conflict, "R----",
           "is a conflict that the handler expects to end, and says when to come back",
           "draft-ietf-httpapi-idempotency-key-header, RFC 9110 10.2.3"),
    status("http.409", 409, 409, absent, conflict, "-----", "is a conflict with the present state",
           "RFC 9110 15.5.10"),
    status("http.410", 410, 410, any, permanent, "-----", "is permanent: the target is gone",
           "RFC 9110 15.5.11"),
    status("http.412", 412, 412, any, conflict, "-----", "is a conflict: a precondition failed",
           "RFC 9110 15.5.13"),
    status("http.413", 413, 413, any, permanent, "-----",
           "is permanent: the event is too large for the handler", "RFC 9110 15.5.14"),
    status("http.415", 415, 415, any, permanent, "-----",
           "is permanent: the handler does not take this content type", "RFC 9110 15.5.16"),
    status("http.421", 421, 421, any, transient, "R----",
           "says that this connection reached the wrong server", "RFC 9110 15.5.20"),
    status("http.422", 422, 422, any, permanent, "-----", "is permanent", "RFC 9110 15.5.21"),
    status("http.423", 423, 423, any, transient, "R----", "says that the target is locked",
           "RFC 4918 11.3"),
    status("http.425", 425, 425, any, refused, "R----",
           "says that it was too early to look at the request", "RFC 8470 5.2"),
    status("http.429", 429, 429, any, throttled, "R--L-", "asks us to slow down", "RFC 6585 4"),
    status("http.499", 499, 499, any, cancelled, "----D",
           "says that the call was cancelled on the way", "nginx"),

    status("http.500", 500, 500, any, transient, "RIB-D", "is an error inside the handler",
           "RFC 9110 15.6.1"),
    status("http.501", 501, 501, any, permanent, "-----", "is permanent: not implemented",
           "RFC 9110 15.6.2"),
    status("http.502", 502, 502, any, ambiguous, "RIB-D",
           "is a gateway without a valid answer from the handler", "RFC 9110 15.6.3"),
    status("http.503.hinted", 503, 503, present, overloaded, "R--L-",
           "says that the handler is overloaded and when to come back", "RFC 9110 15.6.4, 10.2.3"),
    status("http.503", 503, 503, absent, transient, "RIBLD",
           "says that the handler is not available", "RFC 9110 15.6.4"),
    status("http.504", 504, 504, any, ambiguous, "RIBLD",
           "is a gateway that waited for the handler in vain", "RFC 9110 15.6.5"),
    status("http.505", 505, 505, any, permanent, "-----",
           "is permanent: HTTP version not supported", "RFC 9110 15.6.6"),
    status("http.506", 506, 506, any, permanent, "-----", "is permanent: wrong content negotiation",
           "RFC 2295 8.1"),
    status("http.507", 507, 507, any, overloaded, "R-BL-",
           "says that the handler is out of storage", "RFC 4918 11.5"),
    status("http.508", 508, 508, any, permanent, "-----", "is permanent: a loop", "RFC 5842 7.2"),
    status("http.510", 510, 510, any, permanent, "-----", "is permanent: not extended",
           "RFC 2774 7"),
    status("http.511", 511, 511, any, permanent, "-----", "is permanent: the network wants a login",
           "RFC 6585 6"),
    status("http.529.hinted", 529, 529, present, overloaded, "R--L-",
           "says that the handler is overloaded and when to come back", "in wide use, no RFC"),
    status("http.529", 529, 529, absent, overloaded, "RIBLD", "says that the handler is overloaded",
           "in wide use, no RFC"),

    // Defaults by the hundred: an unknown status means what the x00 of its hundred means (RFC 9110
    // section 15).
    status("http.1xx", 100, 199, any, ambiguous, "RIB-D", "is not a final answer", "RFC 9110 15.2"),
    status("http.3xx", 300, 399, any, permanent, "-----",
           "is permanent: redirects are not followed", "RFC 9110 15.4"),
    status("http.4xx", 400, 499, any, permanent, "-----", "is permanent", "RFC 9110 15.5"),
    status("http.5xx", 500, 599, any, transient, "RIB-D", "is an error of the handler",
           "RFC 9110 15.6"),

    status("http.unknown", 0, 0, any, ambiguous, "RIB-D", "is not an HTTP status", "RFC 9110 15"),
};

// In the order of the faults; each has a row.
constexpr std::array kTransport = {
    fault("transport.dnsTemporary", Fault::dnsTemporary, transient, "R-B--",
          "could not be looked up just now", "getaddrinfo EAI_AGAIN"),
    fault("transport.dnsNotFound", Fault::dnsNotFound, config, "--B--",
          "has a host name that does not exist", "getaddrinfo EAI_NONAME"),
    fault("transport.refused", Fault::refused, transient, "R-B--", "refused the connection",
          "ECONNREFUSED"),
    fault("transport.unreachable", Fault::unreachable, transient, "R-B--", "could not be reached",
          "EHOSTUNREACH, ENETUNREACH"),
    fault("transport.connectTimeout", Fault::connectTimeout, transient, "R-BL-",
          "did not accept the connection in time", "connect timeout"),
    fault("transport.tlsHandshake", Fault::tlsHandshake, transient, "R-B--",
          "broke off the TLS handshake", "TLS I/O error"),
    fault("transport.tlsVerify", Fault::tlsVerify, config, "--B--",
          "has a certificate that cannot be trusted", "RFC 5280, RFC 9525"),
    fault("transport.sendFailed", Fault::sendFailed, refused, "R----",
          "closed the connection before it had the request", "gRPC A6, never left the client"),
    fault("transport.timeout", Fault::timeout, ambiguous, "RIBLD", "did not answer",
          "read timeout after the request"),
    fault("transport.connectionClosed", Fault::connectionClosed, ambiguous, "RIB-D",
          "closed the connection without an answer", "ECONNRESET, EPIPE, EOF after the request"),
    fault("transport.malformedAnswer", Fault::malformedAnswer, ambiguous, "RIB-D",
          "gave an answer that is not HTTP", "RFC 9112"),
    fault("transport.answerTooLarge", Fault::answerTooLarge, ambiguous, "RIB-D",
          "gave an answer that is too large", "our own cap"),
    fault("transport.cancelled", Fault::cancelled, cancelled, "----D",
          "was called, but the call was cancelled here", "operator or shutdown"),
    // Nothing was opened, and asking again changes nothing: the breaker keeps a stream from being
    // quarantined event by event.
    fault("transport.egressRefused", Fault::egressRefused, config, "--B--",
          "is at an address that the egress rules forbid", "our own rules"),
};
static_assert(kTransport.size() == kFaultCount - 1);
static_assert(std::ranges::is_sorted(kTransport, {}, &ClassRow::fault));

constexpr int kStatusEnd = 600;

// For each status the first row that takes it without a hint or with one.
constexpr auto rows_by_status(bool hinted) {
  std::array<std::uint8_t, kStatusEnd> index{};
  for (int status = 0; status < kStatusEnd; ++status) {
    std::uint8_t row = 0;
    const auto takes = [&](const ClassRow& candidate) {
      if (status < candidate.status_first || status > candidate.status_last) return false;
      return candidate.hint == Hint::any || candidate.hint == (hinted ? present : absent);
    };
    while (row + 1u < kHttp.size() && !takes(kHttp[row])) ++row;
    index[static_cast<std::size_t>(status)] = row;
  }
  return index;
}

constexpr auto kPlain = rows_by_status(false);
constexpr auto kHinted = rows_by_status(true);

}  // namespace

std::span<const ClassRow> http_rows() { return kHttp; }
std::span<const ClassRow> transport_rows() { return kTransport; }

const ClassRow& status_row(int status, bool hinted, bool rate_limited) {
  if (status < 0 || status >= kStatusEnd) return kHttp.back();
  if (rate_limited && status >= 400) return kHttp.front();
  return kHttp[(hinted ? kHinted : kPlain)[static_cast<std::size_t>(status)]];
}

const ClassRow& fault_row(Fault fault) {
  const auto index = static_cast<std::size_t>(fault) - 1;  // none wraps around
  return index < kTransport.size() ? kTransport[index] : kHttp.back();
}

}  // namespace weir::policy
