// SPDX-License-Identifier: Apache-2.0
// Crypto-shredding of a stream: its keys first, and with them everything at once; then, in small
// steps, what cannot be read any more.
#include <algorithm>

#include "base/failpoint.h"
#include "base/text.h"
#include "delivery/engine.h"

namespace weir::delivery {
namespace {

constexpr std::uint64_t kShredEvents = 512;  // removed with one commit

}  // namespace

async::Task<Result<>> Engine::may_shred(const std::string& name) {
  const StreamRecord* stream = find_stream(name);
  if (stream == nullptr) {
    std::vector<std::string> names;
    for (const StreamRecord& known : streams_) names.push_back(known.name);
    co_return Error{Code::unknown_stream, fmt::format("unknown stream '{}'", name),
                    did_you_mean(name, names)};
  }
  if (applying_ || shredding_)
    co_return Error{Code::wrong_state, "a reload or another shredding is running", "try again"};
  const StreamId id = stream->id;
  std::string readers;
  const auto add = [&](const std::string& flow) {
    readers += fmt::format("{}'{}'", readers.empty() ? "" : ", ", flow);
  };
  for (const auto& [flow_name, flow] : flows_) {
    if (flow->stream() == id) add(flow_name);
  }
  for (const auto& flow : retired_) {
    if (flow->stream() == id) add(flow->record().name);
  }
  for (const FlowRecord& record : removed_) {
    if (record.stream == id && !readers.contains("'" + record.name + "'")) add(record.name);
  }
  if (!readers.empty()) {
    co_return Error{Code::wrong_state,
                    fmt::format("stream '{}' still has the flows {}", name, readers),
                    "take them out of the configuration, `weir config reload`, then `weir flow "
                    "remove` each"};
  }
  auto replays = co_await options_.store.recovery().replays();
  if (!replays.ok()) co_return replays.error();
  for (const Replay& replay : *replays) {
    if (is_over(replay.state)) continue;
    const std::uint32_t number = replay.id.value;
    co_return Error{Code::wrong_state,
                    fmt::format("replay r{} is unfinished, and its plan may quote events", number),
                    fmt::format("`weir replay abort r{}`, or let it end", number)};
  }
  const ports::StoreStatus info = co_await options_.store.info();
  if (info.master_key.empty()) {
    co_return Error{Code::wrong_state, "the store is not encrypted: there is no key to destroy",
                    "encryption: { keyFile: PATH } in the configuration, for what comes"};
  }
  co_return Result<>{};
}

async::Task<Result<std::uint32_t>> Engine::shred(std::string name, std::string reason,
                                                 std::string actor) {
  auto allowed = co_await may_shred(name);
  if (!allowed.ok()) co_return allowed.error();
  const StreamId id = find_stream(name)->id;
  shredding_ = true;
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::ShredStream{id});
  batch.mutations.emplace_back(ports::AddAudit{AuditEntry{.at = options_.clock.wall(),
                                                          .actor = std::move(actor),
                                                          .action = "stream.shred",
                                                          .target = name,
                                                          .reason = std::move(reason)}});
  (void)WEIR_FAILPOINT("shred.before_commit");
  auto receipt = co_await options_.store.writer().commit(std::move(batch));
  (void)WEIR_FAILPOINT("shred.after_commit");
  if (receipt.ok()) {
    auto trimmed = co_await trim_shredded(id, receipt->shredded_before);
    if (!trimmed.ok()) options_.on_error(trimmed.error());  // retention removes the rest
  }
  shredding_ = false;
  if (!receipt.ok()) co_return receipt.error();
  co_return receipt->keys;
}

async::Task<Result<>> Engine::trim_shredded(StreamId id, std::uint64_t before) {
  std::uint64_t first = find_stream_by_id(id)->first_seq;
  while (first < before) {
    first = std::min(first + kShredEvents, before);
    ports::WriteBatch batch{.lane = ports::Lane::operate};
    batch.mutations.emplace_back(ports::TrimStream{id, first, {}});
    auto receipt = co_await options_.store.writer().commit(std::move(batch));
    if (!receipt.ok()) co_return receipt.error();
    find_stream_by_id(id)->first_seq = first;
  }
  co_return Result<>{};
}

}  // namespace weir::delivery
