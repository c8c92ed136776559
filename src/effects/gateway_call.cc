// SPDX-License-Identifier: Apache-2.0
#include "effects/gateway_call.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace weir::effects {
namespace {

constexpr std::array<std::string_view, 12> kHopByHop = {"connection",
                                                        "keep-alive",
                                                        "proxy-connection",
                                                        "proxy-authenticate",
                                                        "te",
                                                        "trailer",
                                                        "upgrade",
                                                        "transfer-encoding",
                                                        "content-length",
                                                        "expect",
                                                        "host",
                                                        "proxy-authorization"};

bool is_weirs(std::string_view name) {
  return name.starts_with("weir-") || name == "idempotency-key" || name == "traceparent" ||
         name == "tracestate";
}

void add_header(std::string& lines, std::string_view name, std::string_view value) {
  lines.append(name).append(": ").append(value).append("\r\n");
}

const std::string* caller_header(const EffectRequest& request, std::string_view name) {
  const auto found = std::ranges::find(request.headers, name,
                                       &std::pair<std::string, std::string>::first);
  return found == request.headers.end() ? nullptr : &found->second;
}

// Names in a Connection header are about this connection, too.
bool is_named_by_connection(const EffectRequest& request, std::string_view name) {
  const std::string* connection = caller_header(request, "connection");
  return connection != nullptr && to_lower(*connection).find(name) != std::string::npos;
}

}  // namespace

bool is_end_to_end(std::string_view name) {
  return std::ranges::find(kHopByHop, name) == kHopByHop.end();
}

std::string_view bare_key(std::string_view sent) {
  const bool quoted = sent.size() >= 2 && sent.front() == '"' && sent.back() == '"';
  return quoted ? sent.substr(1, sent.size() - 2) : sent;
}

policy::Work Gateway::Call::work() const {
  if (known) return policy::Work::retry;
  return attempt->replay ? policy::Work::replay : policy::Work::first;
}

std::string Gateway::Call::header_lines(std::string_view idempotency_key) const {
  std::string lines;
  for (const auto& [name, value] : request.headers) {
    const auto same = [&](const auto& own) { return equals_ignore_case(own.first, name); };
    if (!is_end_to_end(name) || is_weirs(name) || is_named_by_connection(request, name)) continue;
    if (std::ranges::any_of(dependency.headers, same)) continue;
    add_header(lines, name, value);
  }
  for (const auto& [name, value] : dependency.headers) add_header(lines, name, value);
  // A handler that traces has made a span of its own.
  const std::string* parent = caller_header(request, "traceparent");
  const std::string* state = caller_header(request, "tracestate");
  add_header(lines, "traceparent", parent != nullptr ? *parent : attempt->traceparent);
  const std::string& tracestate = parent == nullptr  ? attempt->tracestate
                                  : state != nullptr ? *state
                                                     : std::string();
  if (!tracestate.empty()) add_header(lines, "tracestate", tracestate);
  if (idempotency_key.empty()) return lines;
  const bool callers = !request.caller_key.empty();
  add_header(lines, "Idempotency-Key",
             callers ? request.caller_key : "\"" + std::string(idempotency_key) + "\"");
  return lines;
}

Send Gateway::Call::send(std::string_view headers) const {
  return {.dependency = dependency,
          .method = request.method,
          .target = request.target,
          .headers = headers,
          .body = request.body,
          .deadline = deadline};
}

Classification Gateway::Call::classify(const Outcome& outcome, WallTime now) const {
  // Failure modes are about handlers.
  return policy::classify(outcome, {}, attempt->flow, dependency.name, now);
}

void Gateway::Call::begin_entry(bool repeat, WallTime now) {
  entry = known.value_or(Effect{.version = 0});
  entry.state = repeat ? EffectState::inDoubt : EffectState::sent;
  if (!known) {
    entry.key = key;
    entry.dependency = dependency.name;
    entry.method = request.method;
    // As they are shown; what they were is in the key and the fingerprint.
    entry.target = attempt->hidden.redact(request.target);
    entry.step = attempt->hidden.redact(request.step);
    entry.name = attempt->hidden.redact(request.name);
    entry.caller_key = request.caller_key;
    entry.fingerprint = fingerprint;
    entry.first_sent = now;
  }
  // What certainly did not happen is sent for the first time.
  if (known && known->state == EffectState::failedNoEffect) entry.first_sent = now;
  entry.delivery = attempt->delivery;
  ++entry.sends;
  entry.attempt = attempt->attempt;
  entry.last_sent = now;
  entry.changed_at = now;
  entry.answer = {};  // of another call, if there was one
  entry.reason = repeat ? "it is sent again under the same key" : "it is under way";
}

}  // namespace weir::effects
