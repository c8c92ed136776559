// SPDX-License-Identifier: Apache-2.0
// The classification table. A row's reason completes "<status> ..." or "<dependency> ...".
#include <array>

#include "policy/classify.h"

namespace weir::policy {
namespace {

constexpr bool Y = true;
constexpr bool N = false;
constexpr auto any = Hint::any;
constexpr auto present = Hint::present;
constexpr auto absent = Hint::absent;
using enum FailureClass;

constexpr ClassRow status(std::string_view rule, int first, int last, Hint hint,
                          FailureClass failure, bool retryable, bool needs_idempotent, bool breaker,
                          bool limiter, bool in_doubt, std::string_view reason,
                          std::string_view source) {
  return {rule,    first,   last,     Fault::none, hint,  failure, retryable, needs_idempotent,
          breaker, limiter, in_doubt, reason,      source};
}

constexpr ClassRow fault(std::string_view rule, Fault what, FailureClass failure, bool retryable,
                         bool needs_idempotent, bool breaker, bool limiter, bool in_doubt,
                         std::string_view reason, std::string_view source) {
  return {rule,    0,       0,        what,   any,   failure, retryable, needs_idempotent,
          breaker, limiter, in_doubt, reason, source};
}

// Columns after the class: retryable, only if idempotent, failure for the breaker, decrease for the
// limiter, in doubt.
// clang-format off
constexpr std::array kRows = {
    status("http.2xx", 200, 299, any, ok, N, N, N, N, N, "is done", "RFC 9110 15.3; 202 is done too"),

    status("http.401", 401, 401, any, auth, N, N, N, N, N, "says that our credentials are missing or wrong", "RFC 9110 15.5.2"),
    status("http.403", 403, 403, any, auth, N, N, N, N, N, "says that our credentials do not allow this", "RFC 9110 15.5.4"),
    status("http.407", 407, 407, any, auth, N, N, N, N, N, "says that a proxy wants credentials", "RFC 9110 15.5.8"),
    status("http.408", 408, 408, any, transient, Y, N, N, N, N, "says that our request came too slowly", "RFC 9110 15.5.9"),
    status("http.409", 409, 409, any, conflict, N, N, N, N, N, "is a conflict with the present state", "RFC 9110 15.5.10"),
    status("http.412", 412, 412, any, conflict, N, N, N, N, N, "is a conflict: a precondition failed", "RFC 9110 15.5.13"),
    status("http.421", 421, 421, any, transient, Y, N, N, N, N, "says that this connection reached the wrong server", "RFC 9110 15.5.20"),
    status("http.423", 423, 423, any, transient, Y, N, N, N, N, "says that the target is locked", "RFC 4918 11.3"),
    status("http.425", 425, 425, any, refused, Y, N, N, N, N, "says that it was too early to look at the request", "RFC 8470 5.2"),
    status("http.429", 429, 429, any, throttled, Y, N, N, Y, N, "asks us to slow down", "RFC 6585 4"),
    status("http.499", 499, 499, any, cancelled, N, N, N, N, Y, "says that the call was cancelled on the way", "nginx"),

    status("http.500", 500, 500, any, transient, Y, Y, Y, N, Y, "is an error inside the handler", "RFC 9110 15.6.1"),
    status("http.501", 501, 501, any, permanent, N, N, N, N, N, "is permanent: not implemented", "RFC 9110 15.6.2"),
    status("http.502", 502, 502, any, ambiguous, Y, Y, Y, N, Y, "is a gateway without a valid answer from the handler", "RFC 9110 15.6.3"),
    status("http.503.hinted", 503, 503, present, overloaded, Y, N, N, Y, N, "says that the handler is overloaded and when to come back", "RFC 9110 15.6.4, 10.2.3"),
    status("http.503", 503, 503, absent, transient, Y, Y, Y, Y, Y, "says that the handler is not available", "RFC 9110 15.6.4"),
    status("http.504", 504, 504, any, ambiguous, Y, Y, Y, Y, Y, "is a gateway that waited for the handler in vain", "RFC 9110 15.6.5"),
    status("http.505", 505, 505, any, permanent, N, N, N, N, N, "is permanent: HTTP version not supported", "RFC 9110 15.6.6"),
    status("http.506", 506, 506, any, permanent, N, N, N, N, N, "is permanent: wrong content negotiation", "RFC 2295 8.1"),
    status("http.507", 507, 507, any, overloaded, Y, N, Y, Y, N, "says that the handler is out of storage", "RFC 4918 11.5"),
    status("http.508", 508, 508, any, permanent, N, N, N, N, N, "is permanent: a loop", "RFC 5842 7.2"),
    status("http.510", 510, 510, any, permanent, N, N, N, N, N, "is permanent: not extended", "RFC 2774 7"),
    status("http.511", 511, 511, any, permanent, N, N, N, N, N, "is permanent: the network wants a login", "RFC 6585 6"),
    status("http.529.hinted", 529, 529, present, overloaded, Y, N, N, Y, N, "says that the handler is overloaded and when to come back", "in wide use, no RFC"),
    status("http.529", 529, 529, absent, overloaded, Y, Y, Y, Y, Y, "says that the handler is overloaded", "in wide use, no RFC"),

    // Defaults by the hundred: an unknown status means what the x00 of its hundred means (RFC 9110 section 15).
    status("http.1xx", 100, 199, any, ambiguous, Y, Y, Y, N, Y, "is not a final answer", "RFC 9110 15.2"),
    status("http.3xx", 300, 399, any, permanent, N, N, N, N, N, "is permanent: redirects are not followed", "RFC 9110 15.4"),
    status("http.4xx", 400, 499, any, permanent, N, N, N, N, N, "is permanent", "RFC 9110 15.5"),
    status("http.5xx", 500, 599, any, transient, Y, Y, Y, N, Y, "is an error of the handler", "RFC 9110 15.6"),

    fault("transport.dnsTemporary", Fault::dnsTemporary, transient, Y, N, Y, N, N, "could not be looked up just now", "getaddrinfo EAI_AGAIN"),
    fault("transport.dnsNotFound", Fault::dnsNotFound, config, N, N, Y, N, N, "has a host name that does not exist", "getaddrinfo EAI_NONAME"),
    fault("transport.refused", Fault::refused, transient, Y, N, Y, N, N, "refused the connection", "ECONNREFUSED"),
    fault("transport.unreachable", Fault::unreachable, transient, Y, N, Y, N, N, "could not be reached", "EHOSTUNREACH, ENETUNREACH"),
    fault("transport.connectTimeout", Fault::connectTimeout, transient, Y, N, Y, Y, N, "did not accept the connection in time", "connect timeout"),
    fault("transport.tlsHandshake", Fault::tlsHandshake, transient, Y, N, Y, N, N, "broke off the TLS handshake", "TLS I/O error"),
    fault("transport.tlsVerify", Fault::tlsVerify, config, N, N, Y, N, N, "has a certificate that cannot be trusted", "RFC 5280, RFC 9525"),
    fault("transport.sendFailed", Fault::sendFailed, refused, Y, N, N, N, N, "closed the connection before it had the request", "gRPC A6, never left the client"),
    fault("transport.timeout", Fault::timeout, ambiguous, Y, Y, Y, Y, Y, "did not answer", "read timeout after the request"),
    fault("transport.connectionClosed", Fault::connectionClosed, ambiguous, Y, Y, Y, N, Y, "closed the connection without an answer", "ECONNRESET, EPIPE, EOF after the request"),
    fault("transport.malformedAnswer", Fault::malformedAnswer, ambiguous, Y, Y, Y, N, Y, "gave an answer that is not HTTP", "RFC 9112"),
    fault("transport.answerTooLarge", Fault::answerTooLarge, ambiguous, Y, Y, Y, N, Y, "gave an answer that is too large", "our own cap"),
    fault("transport.cancelled", Fault::cancelled, cancelled, N, N, N, N, Y, "was called, but the call was cancelled here", "operator or shutdown"),

    status("http.unknown", 0, 0, any, ambiguous, Y, Y, Y, N, Y, "is not an HTTP status", "RFC 9110 15"),
};
// clang-format on

}  // namespace

std::span<const ClassRow> class_table() { return kRows; }

}  // namespace weir::policy
