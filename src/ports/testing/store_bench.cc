// SPDX-License-Identifier: Apache-2.0
#include "ports/testing/store_bench.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "model/event.h"
#include "ports/dedupe_hash.h"

namespace weir::ports::testing {

struct StoreBench::Loop {
  boost::asio::io_context context;
  async::TaskGroup tasks{context.get_executor()};
};

StoreBench::StoreBench(StoreFactory factory)
    : loop_(std::make_unique<Loop>()), factory_(std::move(factory)), store_(factory_(executor())) {}

StoreBench::~StoreBench() {
  store_.reset();
  wait([this] { return loop_->tasks.size() == 0; });
}

async::Executor StoreBench::executor() { return loop_->context.get_executor(); }

async::TaskGroup& StoreBench::tasks() { return loop_->tasks; }

void StoreBench::wait(const std::function<bool()>& done) {
  const auto guard = boost::asio::make_work_guard(loop_->context);
  loop_->context.restart();
  while (!done()) loop_->context.run_one();
}

void StoreBench::reopen() {
  store_.reset();
  store_ = factory_(executor());
}

Receipt StoreBench::commit(WriteBatch batch) {
  Result<Receipt> receipt = try_commit(std::move(batch));
  if (!receipt.ok()) FAIL("commit failed: ", to_text(receipt.error()));
  REQUIRE(receipt->applied);
  return *receipt;
}

Receipt StoreBench::commit(std::vector<Mutation> mutations, Lane lane) {
  return commit(WriteBatch{.lane = lane, .preconditions = {}, .mutations = std::move(mutations)});
}

void StoreBench::register_names() {
  commit({PutStream{stream(kStream, "orders")}, PutFlow{flow(kFlow, "ship")}}, Lane::operate);
}

std::vector<AppendResult> StoreBench::append(int first, int last, WallTime now) {
  AppendEvents append{kStream, {}, now};
  for (int i = first; i <= last; ++i) append.events.push_back(event(fmt::format("e{}", i)));
  return commit({append}, Lane::ingest).appended;
}

WallTime at(std::int64_t seconds) { return WallTime{std::chrono::seconds{seconds}}; }

Position place(std::uint64_t seq, StreamId stream) { return {stream, 0, seq}; }

DeliveryRef ref(std::uint64_t seq, FlowId flow) { return {flow, place(seq)}; }

NewEvent event(const std::string& id, const std::string& data, const std::string& source) {
  Event event;
  event.id = id;
  event.source = source;
  event.type = "test.happened";
  event.datacontenttype = "application/json";
  event.data = data;
  event.has_data = true;
  return {dedupe_hash(source, id), encode_event(event)};
}

StreamRecord stream(StreamId id, const std::string& name) { return {.id = id, .name = name}; }

FlowRecord flow(FlowId id, const std::string& name, StreamId of) {
  return {.id = id, .name = name, .identity = name, .stream = of, .reason = "", .cursor = {}};
}

Delivery delivery(std::uint64_t seq, DeliveryState state, FlowId flow) {
  Delivery row;
  row.ref = ref(seq, flow);
  row.state = state;
  row.failure = FailureClass::permanent;
  row.attempts = static_cast<std::uint32_t>(seq + 1);
  row.attempts_this_round = 1;
  row.interruptions = static_cast<std::uint32_t>(seq % 3);
  row.replays = 2;
  row.revision = static_cast<std::uint32_t>(1 + seq % 3);
  row.in_doubt = seq % 2 == 0;
  row.first_at = at(100);
  row.due = at(200 + static_cast<std::int64_t>(seq));
  row.deadline = at(9000);
  row.changed_at = at(300 + static_cast<std::int64_t>(seq));
  row.key = seq % 5 == 0 ? "" : fmt::format("k{}", seq % 4);
  row.event_id = fmt::format("e{}", seq);
  row.event_type = "test.happened";
  row.reason = "422 is permanent";
  row.failure_mode = "mode";
  row.history = {
      {.number = 1, .at = at(100), .took = Duration{5}, .status = 422, .note = "http.422"}};
  return row;
}

JoinGroup join(std::uint64_t seq, const std::string& hash, WallTime when, FlowId flow) {
  return {.ref = ref(seq, flow),
          .flow = flow,
          .dependency = "tracker",
          .failure = FailureClass::permanent,
          .failure_mode = "mode",
          .fingerprint = {.hash = hash, .title = "title " + hash, .normalised = "n " + hash},
          .at = when};
}

Replay replay(const Selection& selection, WallTime cutoff) {
  Replay replay;
  replay.plan.selection = selection;
  replay.plan.reason = "fixed";
  replay.plan.actor = "local:test";
  replay.created_at = cutoff;
  replay.cutoff = cutoff;
  replay.rate_now = 2.5;
  return replay;
}

Effect effect(std::uint64_t seq, const std::string& key, FlowId flow) {
  return {.key = key,
          .state = EffectState::sent,
          .version = 1,
          .delivery = ref(seq, flow),
          .dependency = "tracker",
          .method = "POST",
          .target = "/issues?a=b",
          .step = "open",
          .name = "issue",
          .caller_key = "mine",
          .fingerprint = "f1",
          .sends = 2,
          .attempt = 3,
          .first_sent = at(10),
          .last_sent = at(20),
          .changed_at = at(30),
          .reason = "because",
          .resolution = "anna: looked",
          .answer = {201, {{"content-type", "text/plain"}}, std::string("a\0b", 3)}};
}

}  // namespace weir::ports::testing
