// SPDX-License-Identifier: Apache-2.0
// A desk to explain deliveries at: any store with stream github, and a delivery side that says what
// the test tells it to say.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ports/dedupe_hash.h"
#include "ports/testing/store_bench.h"
#include "recovery/explain.h"

namespace weir::recovery::testing {

using ports::testing::join;
using ports::testing::kFlow;
using ports::testing::kStream;
using ports::testing::place;
using ports::testing::ref;
using ports::testing::stream;

inline const WallTime kNow = *parse_rfc3339("2026-11-21T14:05:00Z");
inline WallTime ago(std::int64_t seconds) { return kNow - std::chrono::seconds{seconds}; }

// Stands still, but for those who sleep: it is then when they wanted to wake.
class FixedClock final : public async::Clock {
 public:
  MonoTime mono() override { return MonoTime{} + slept_; }
  WallTime wall() override { return kNow + slept_; }
  async::Task<> sleep_until(MonoTime at) override {
    slept_ = std::max(slept_, at - MonoTime{});
    co_return;
  }
  void cancel_sleeps() override {}

 private:
  Duration slept_{};
};

// A store with stream github and flow sync-issues, and a delivery side that says what the test
// tells it to say.
struct ExplainDesk {
  ports::testing::StoreBench bench;
  FixedClock clock;
  Config config;
  std::vector<FlowRecord> records;
  std::map<std::pair<FlowId, std::uint64_t>, LiveDelivery> running;
  LiveDependency tracker{.breaker = "closed"};
  FailureModeSpec mode{
      .name = "missing-repository", .status = {422}, .runbook = "docs/runbooks/missing.md"};
  Live live;
  policy::Redactions redactions;

  explicit ExplainDesk(ports::testing::StoreFactory factory) : bench(std::move(factory)) {
    live.flows = [this] { return flows(); };
    live.flow = [this](FlowId id) -> std::optional<LiveFlow> {
      for (const LiveFlow& flow : flows()) {
        if (flow.record.id == id) return flow;
      }
      return std::nullopt;
    };
    live.delivery = [this](FlowId flow, Position position,
                           std::string_view) -> std::optional<LiveDelivery> {
      const auto found = running.find({flow, position.seq});
      return found == running.end() ? std::optional<LiveDelivery>(LiveDelivery{}) : found->second;
    };
    live.dependency = [this](std::string_view name) {
      return name == "tracker" ? std::optional(tracker) : std::nullopt;
    };
    live.failure_mode = [this](std::string_view name) {
      return name == mode.name ? &mode : nullptr;
    };
    live.position = [](std::string_view stream, std::uint64_t seq) {
      return stream == "github" ? std::optional(place(seq)) : std::nullopt;
    };
    live.stream_name = [](StreamId) { return std::string("github"); };
    live.redaction = [this](std::optional<StreamId>) { return redactions.of("github"); };
    live.stream_names = [] { return std::vector<std::string>{"github"}; };
    bench.commit({ports::PutStream{stream(kStream, "github")}}, ports::Lane::operate);
    add_flow(kFlow, "sync-issues");
  }

  void add_flow(FlowId id, const std::string& name) {
    FlowSpec spec;
    spec.name = name;
    spec.stream = "github";
    spec.dependency = "tracker";
    spec.ordering_key = "subject";
    config.flows.push_back(spec);
    records.push_back(ports::testing::flow(id, name));
    bench.commit({ports::PutFlow{records.back()}}, ports::Lane::operate);
  }

  std::vector<LiveFlow> flows() const {
    std::vector<LiveFlow> all;
    for (const FlowRecord& record : records) {
      LiveFlow flow{.record = record, .stream = "github"};
      for (const FlowSpec& spec : config.flows) {
        if (spec.name == record.name) flow.spec = &spec;
      }
      all.push_back(flow);
    }
    return all;
  }

  void publish(int count) {
    ports::AppendEvents append{kStream, {}, ago(200)};
    for (int i = 0; i < count; ++i) {
      const std::string id = fmt::format("id-{}", i + 1);
      Event event;
      event.id = id;
      event.source = "/octo/hello";
      event.type = "issues.opened";
      event.subject = "octo/hello#17";
      event.datacontenttype = "application/json";
      event.data = R"({"n":1})";
      event.has_data = true;
      append.events.push_back({ports::dedupe_hash(event.source, event.id), encode_event(event)});
    }
    bench.commit({append}, ports::Lane::ingest);
  }

  void dealt_with(std::uint64_t floor, FlowId flow = kFlow) {
    bench.commit({ports::PutCursor{flow, Cursor{.floor = floor, .mark = floor}}});
  }

  Delivery quarantine(std::uint64_t seq, WallTime when,
                      const std::string& hash = "9ad10000000000aa") {
    Delivery row;
    row.ref = ref(seq);
    row.state = DeliveryState::quarantined;
    row.failure = FailureClass::permanent;
    row.attempts = row.attempts_this_round = 2;
    row.changed_at = when;
    row.key = "octo/hello#17";
    row.event_id = fmt::format("id-{}", seq);
    row.event_type = "issues.opened";
    row.reason = "422 is permanent";
    row.history = {
        {.number = 1,
         .at = ago(100),
         .took = std::chrono::seconds{1},
         .fault = Fault::timeout,
         .failure = FailureClass::ambiguous,
         .decision = DecisionKind::retryAt,
         .note = "transport.timeout: attempt 1 of 5 failed: tracker did not answer in 1.0 s"},
        {.number = 2,
         .at = ago(60),
         .took = std::chrono::milliseconds{12},
         .status = 422,
         .failure = FailureClass::permanent,
         .decision = DecisionKind::quarantine,
         .note = "http.422: 422 is permanent"}};
    ports::JoinGroup joined = join(seq, hash, when);
    joined.fingerprint.title = "422 urn:tracker:missing-repository";
    joined.fingerprint.normalised = "problem urn:tracker:missing-repository";
    bench.commit({ports::PutDelivery{row}, joined});
    return row;
  }

  Explanation ask(const std::string& reference, std::optional<std::string> flow = std::nullopt) {
    auto answer = try_ask(reference, std::move(flow));
    if (!answer.ok()) FAIL("explain failed: ", weir::to_text(answer.error()));
    return std::move(*answer);
  }
  Result<Explanation> try_ask(const std::string& reference,
                              std::optional<std::string> flow = std::nullopt) {
    return bench.run(explain(bench.store(), clock, live, reference, std::move(flow)));
  }
  std::string text(const std::string& reference) { return to_text(ask(reference), kNow); }
};

}  // namespace weir::recovery::testing
