// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "config/sections.h"
#include "config/target_path.h"
#include "config/url_host.h"
#include "policy/filter.h"
#include "policy/ip_address.h"
#include "wire/host_name.h"

namespace weir::config {
namespace {

constexpr std::string_view kDependencyRule =
    "this rule belongs to a dependency: put it into a policy that the dependency names";
constexpr std::string_view kFlowRule =
    "this rule belongs to a flow: put it into a policy that the flow names";

bool has_good_port(std::string_view host) {
  const auto colon = host.find(':',
                               host.starts_with('[') ? std::min(host.find(']'), host.size()) : 0);
  if (colon == host.npos) return true;
  unsigned port = 0;
  const char* end = host.data() + host.size();
  const auto parsed = std::from_chars(host.data() + colon + 1, end, port);
  return parsed.ec == std::errc{} && parsed.ptr == end && port > 0 && port <= 65535;
}

// scheme://host[:port][/prefix], without user info, query or fragment.
std::string url_fault(std::string_view url) {
  const bool https = url.starts_with("https://");
  if (!https && !url.starts_with("http://")) return "must start with http:// or https://";
  const std::string_view rest = url.substr(https ? 8 : 7);
  const std::string_view host = rest.substr(0, rest.find('/'));
  if (host.empty() || host.starts_with(':')) return "has no host";
  if (rest.contains('@')) return "must not carry a user or a password; use headers";
  if (!has_good_port(host)) return "has no port from 1 to 65535 after the colon";
  const HostText written = host_text(host);
  const std::string_view fault = wire::host_fault(written.host, written.bracketed);
  if (!fault.empty()) return fmt::format("has a host '{}' that {}", written.host, fault);
  if (written.bracketed && !policy::parse_ip(written.host))
    return fmt::format("has a host '{}' that is no IPv6 address", written.host);
  if (rest.contains('?') || rest.contains('#')) return "must not have a query or a fragment";
  const bool clean = std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7F; });
  return clean ? "" : "has blanks or characters that must be percent-encoded";
}

void read_start(MapReader& from, FlowStart& into) {
  std::string start;
  from.text("start", start);
  if (start.empty() || start == "earliest") return;
  if (start == "latest") {
    into.kind = FlowStart::Kind::latest;
    return;
  }
  const auto time = parse_rfc3339(start);
  if (!time) {
    from.problem("start", fmt::format("'{}' is no start", start),
                 "earliest, latest, or a time such as 2026-11-21T14:00:00Z");
    return;
  }
  into = {FlowStart::Kind::time, *time};
}

}  // namespace

void read_where(MapReader& map, std::string& into) {
  const YamlNode* where = map.take("where");
  if (where == nullptr) return;
  std::string json = where->kind == YamlNode::Kind::scalar ? where->text : to_json(*where);
  const auto filter = policy::Filter::compile(json);
  if (!filter.ok()) {
    const std::string& detail = filter.error().detail;  // its own line and column mean nothing here
    const auto colon = detail.find(": ");
    const std::string what = detail.starts_with("line ") && colon != detail.npos
                                 ? detail.substr(colon + 2)
                                 : detail;
    map.report().add(map.file(), *where, fmt::format("invalid event pattern: {}", what),
                     filter.error().hint, Code::pattern_invalid);
    return;
  }
  into = std::move(json);
}

namespace {

void read_ordering(MapReader map, FlowSpec& flow) {
  map.text("key", flow.ordering_key);
  if (!map.required("key")) return;
  const bool path = flow.ordering_key.starts_with("data.") && flow.ordering_key.size() > 5;
  const bool attribute = std::ranges::all_of(
      flow.ordering_key, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
  if (!path && !attribute) {
    map.problem("key", fmt::format("'{}' is no ordering key", flow.ordering_key),
                "an attribute such as subject, or a path into the JSON data such as data.order.id");
  }
  int on_failure = 0;
  map.choice("onFailure", {"parkKey", "continue", "pauseFlow"}, on_failure);
  flow.on_failure = static_cast<OnFailure>(on_failure);
  map.not_yet({"mode", "maxBlocked"});
  map.finish();
}

void read_target(MapReader map, FlowSpec& flow) {
  auto http = map.map("http");
  if (!http) {
    map.not_yet({"grpc", "lambda", "subprocess", "queue", "workflow"});
    map.required("http");
    map.finish();
    return;
  }
  if (http->required("dependency")) http->name("dependency", flow.dependency);
  http->text("path", flow.path);
  if (!is_target_path(flow.path)) {
    http->problem("path", fmt::format("'{}' is no path", printable(flow.path)),
                  "it starts with '/', is percent-encoded, and has no '.' or '..' as a segment");
  }
  http->flag("idempotent", flow.idempotent);
  http->headers("headers", flow.headers);
  http->finish();
  map.finish();
}

}  // namespace

StreamSpec read_stream(MapReader& map, const std::string& name) {
  StreamSpec stream{.name = name};
  map.duration("retention", stream.retention, std::chrono::seconds{1});
  if (auto dedupe = map.map("dedupe")) {
    dedupe->duration("window", stream.dedupe_window);
    dedupe->count("maxEntries", stream.dedupe_max_entries, 0, 50'000'000);
    dedupe->finish();
  }
  map.finish();
  return stream;
}

DependencySpec read_dependency(MapReader& map, const std::string& name, std::string& policy) {
  DependencySpec dependency{.name = name};
  map.text("url", dependency.url);
  if (map.required("url")) {
    const std::string fault = url_fault(dependency.url);
    if (!fault.empty()) map.problem("url", fmt::format("the url of {} {}", map.what(), fault));
  }
  map.rate("capacity", dependency.capacity_per_second);
  map.number("requestPrice", dependency.request_price, 0, 1e9);
  map.headers("headers", dependency.headers);
  map.text("caFile", dependency.ca_file);
  map.name("policy", policy);
  map.wrong_side({"timeouts", "retry", "ordering"}, kFlowRule);
  map.wrong_side({"retryConstraint", "circuitBreaker", "concurrency", "rateLimit", "idempotency"},
                 "put it into a policy and name that with 'policy'");
  map.finish();
  return dependency;
}

FlowSpec read_flow(MapReader& map, const std::string& name, std::string& policy) {
  FlowSpec flow{.name = name};
  if (auto from = map.map("from")) {
    if (from->required("stream")) from->name("stream", flow.stream);
    read_start(*from, flow.start);
    from->finish();
  } else {
    map.required("from");
  }
  read_where(map, flow.where);
  if (auto to = map.map("to")) {
    read_target(std::move(*to), flow);
  } else {
    map.required("to");
  }
  if (auto ordering = map.map("ordering")) read_ordering(std::move(*ordering), flow);
  map.rate("peak", flow.peak_per_second);
  int priority = static_cast<int>(flow.priority);
  map.choice("priority", {"low", "normal", "high"}, priority);
  flow.priority = static_cast<Priority>(priority);
  map.name("policy", policy);
  map.name("renamedFrom", flow.renamed_from);
  map.strings("effects", flow.effects);
  if (auto edit = map.map("edit")) flow.edit = read_edit(std::move(*edit));
  map.wrong_side({"retryConstraint", "circuitBreaker", "concurrency", "rateLimit", "idempotency"},
                 kDependencyRule);
  map.wrong_side({"timeouts", "retry"}, "put it into a policy and name that with 'policy'");
  map.finish();
  return flow;
}

FailureModeSpec read_failure_mode(MapReader& map) {
  FailureModeSpec mode;
  map.name("name", mode.name);
  map.required("name");
  std::string failure;
  map.text("class", failure);
  if (!failure.empty()) {
    mode.failure = parse_failure_class(failure);
    std::vector<std::string> known;
    for (int i = 1; i < kFailureClassCount; ++i)
      known.emplace_back(weir::to_text(static_cast<FailureClass>(i)));
    if (!mode.failure)
      map.problem("class", fmt::format("unknown class '{}'", failure),
                  did_you_mean(failure, known));
  }
  int then = 0;
  map.choice("then", {"none", "quarantine", "retryLater", "discard", "pauseFlow"}, then);
  mode.then = static_cast<ModeAction>(then);
  map.duration("after", mode.retry_after, std::chrono::milliseconds{1});
  const bool later = mode.then == ModeAction::retryLater;
  if (later != (mode.retry_after > Duration::zero()))
    map.problem(later ? "then" : "after", "'then: retryLater' and 'after' belong together",
                "then: retryLater, after: 10m");
  map.text("runbook", mode.runbook);
  if (!map.required("match")) {
    map.finish();
    return mode;
  }
  auto match = map.map("match");
  std::vector<std::string> statuses;
  match->strings("status", statuses);
  for (const std::string& status : statuses) {
    const bool good = status.size() == 3 &&
                      std::ranges::all_of(status, [](char c) { return c >= '0' && c <= '9'; });
    if (good)
      mode.status.push_back((status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0'));
    if (!good) match->problem("status", fmt::format("'{}' is no HTTP status", status));
  }
  match->strings("problemType", mode.problem_type);
  std::vector<std::string> faults;
  match->strings("fault", faults);
  for (const std::string& fault : faults) {
    std::vector<std::string> known;
    for (int i = 1; i < kFaultCount; ++i) known.emplace_back(weir::to_text(static_cast<Fault>(i)));
    const auto found = std::ranges::find(known, fault);
    if (found != known.end()) mode.fault.push_back(static_cast<Fault>(found - known.begin() + 1));
    if (found == known.end())
      match->problem("fault", fmt::format("unknown fault '{}'", fault), did_you_mean(fault, known));
  }
  match->name("flow", mode.flow);
  match->name("dependency", mode.dependency);
  const bool everything = match->node().kind == YamlNode::Kind::map &&
                          match->node().members.empty();
  if (everything) map.problem("match", "a failure mode that matches everything names nothing");
  match->finish();
  map.finish();
  return mode;
}

QuarantineSpec read_quarantine(MapReader map) {
  QuarantineSpec spec;
  if (auto alarms = map.map("alarms")) {
    alarms->duration("oldest", spec.oldest);
    alarms->count("growth", spec.growth, 0, 1'000'000'000);
    alarms->duration("within", spec.window, std::chrono::seconds{10});
    alarms->duration("newGroup", spec.new_group);
    alarms->finish();
  }
  map.duration("keepArchived", spec.keep_archived);
  map.finish();
  return spec;
}

EncryptionSpec read_encryption(MapReader map) {
  EncryptionSpec spec;
  map.text("keyFile", spec.key_file);
  map.required("keyFile");
  map.strings("previousKeyFiles", spec.previous_key_files);
  map.finish();
  return spec;
}

LimitsSpec read_limits(MapReader& map) {
  LimitsSpec limits;
  map.bytes("eventBytes", limits.event_bytes, 1024);
  map.count("batchEvents", limits.batch_events, 1, 100'000);
  map.bytes("bodyBytes", limits.body_bytes, 1024);
  map.bytes("headerBytes", limits.header_bytes, 1024);
  map.bytes("pendingIngestBytes", limits.pending_ingest_bytes, 64 * 1024);
  map.count("connections", limits.connections, 1, 100'000);
  map.count("connectionsPerAddress", limits.connections_per_address, 0, 100'000);
  std::size_t disk = limits.disk_free_min_bytes;
  map.bytes("diskFreeMin", disk, 0);
  limits.disk_free_min_bytes = disk;
  if (limits.event_bytes > limits.body_bytes)
    map.problem("eventBytes", "an event of eventBytes does not fit into bodyBytes");
  if (limits.body_bytes > limits.pending_ingest_bytes)  // it would be told to come again for ever
    map.problem("bodyBytes", "a body of bodyBytes does not fit into pendingIngestBytes");
  map.finish();
  return limits;
}

}  // namespace weir::config
