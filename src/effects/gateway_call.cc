// SPDX-License-Identifier: Apache-2.0
#include "effects/gateway_call.h"

#include <algorithm>
#include <array>

#include "base/seeded_bug.h"
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

// Whether a comma-separated list has this name.
bool names(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    std::string_view one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(one.size() + 1, list.size()));
    while (one.starts_with(' ') || one.starts_with('\t')) one.remove_prefix(1);
    while (one.ends_with(' ') || one.ends_with('\t')) one.remove_suffix(1);
    if (equals_ignore_case(one, name)) return true;
  }
  return false;
}

// Names in a Connection header are about this connection, too.
bool is_named_by_connection(const EffectRequest& request, std::string_view name) {
  return std::ranges::any_of(request.headers, [&](const auto& header) {
    return header.first == "connection" && names(header.second, name);
  });
}

}  // namespace

bool is_end_to_end(std::string_view name) {
  return std::ranges::find(kHopByHop, name) == kHopByHop.end();
}

std::string_view bare_key(std::string_view sent) {
  const bool quoted = sent.size() >= 2 && sent.front() == '"' && sent.back() == '"';
  return quoted ? sent.substr(1, sent.size() - 2) : sent;
}

Classification classify_effect(const Outcome& outcome, std::string_view dependency, WallTime now) {
  // Failure modes and Weir-Outcome are about handlers.
  Outcome plain{.status = outcome.status,
                .fault = outcome.fault,
                .phase = outcome.phase,
                .latency = outcome.latency,
                .fault_detail = outcome.fault_detail};
  for (const auto& [name, value] : outcome.headers) {
    if (!name.starts_with("weir-")) plain.headers.emplace_back(name, value);
  }
  return policy::classify(plain, {}, "", dependency, now);
}

policy::Work Gateway::Call::work() const {
  if (known || attempt->attempt > 1) return policy::Work::retry;
  return attempt->replay ? policy::Work::replay : policy::Work::first;
}

Effect Gateway::Call::as_shown() const {
  return {.dependency = dependency.name,
          .method = request.method,
          .target = attempt->hidden.redact(request.target)};
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
  // As it was spelled at the first call: another spelling may be another key.
  const bool callers = !entry.caller_key.empty();
  add_header(lines, "Idempotency-Key",
             callers ? entry.caller_key : "\"" + std::string(idempotency_key) + "\"");
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
  return classify_effect(outcome, dependency.name, now);
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
  if (known &&
      (known->state == EffectState::failedNoEffect || WEIR_SEEDED_BUG("effects.age_restarts")))
    entry.first_sent = now;
  entry.delivery = attempt->delivery;
  ++entry.sends;
  entry.attempt = attempt->attempt;
  entry.last_sent = now;
  entry.changed_at = now;
  entry.answer = {};  // of another call, if there was one
  entry.reason = repeat ? "it is sent again under the same key" : "it is under way";
}

}  // namespace weir::effects
