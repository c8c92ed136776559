// SPDX-License-Identifier: Apache-2.0
#include "holdings.h"

#include <fmt/format.h>

#include "base/crc32c.h"
#include "store/records/rows.h"

namespace weir::cycles {
namespace {

using namespace ports;

constexpr std::size_t kEvents = 5000;
constexpr std::size_t kRows = 1000;

template <class Row>
std::string line(std::string_view kind, const Row& row) {
  return fmt::format("{} {:08x}\n", kind, crc32c(store::encode_row(row)));
}

std::string lines(std::string_view kind, const std::vector<StoredEvent>& events) {
  std::string text;
  for (const StoredEvent& event : events) {
    text += fmt::format("{} {}#{} at {} {:08x}\n", kind, event.position.stream.value,
                        event.position.seq, to_micros(event.recorded), crc32c(event.record));
  }
  return text;
}

// With the state in words, so that a difference can be read.
std::string line(const Delivery& row) {
  return fmt::format("row {}/{} {} group {} replay {} {:08x}\n", row.ref.flow.value,
                     row.ref.position.seq, to_text(row.state), row.group.value, row.replay.value,
                     crc32c(store::encode_row(row)));
}

std::string line(const FlowRecord& flow) {
  std::string text = fmt::format("flow {} floor {} mark {} {:08x}", flow.id.value,
                                 flow.cursor.floor, flow.cursor.mark,
                                 crc32c(store::encode_row(flow)));
  for (const SeqRange& range : flow.cursor.settled)
    text += fmt::format(" {}-{}", range.first, range.last);
  return text + "\n";
}

async::Task<Result<std::string>> stream_text(Store& store, StreamRecord stream) {
  std::string text = fmt::format("stream {} {}-{}\n", stream.id.value, stream.first_seq,
                                 stream.next_seq);
  const auto events = co_await store.events().read(stream.id, 0, kEvents, ~std::size_t{0});
  if (!events.ok()) co_return events.error();
  co_return text + lines("event", *events);
}

async::Task<Result<std::string>> flow_text(Store& store, FlowRecord flow) {
  std::string text = line(flow);
  const auto kept = co_await store.events().read_kept(flow.id, {}, kRows);
  if (!kept.ok()) co_return kept.error();
  text += lines("kept", *kept);
  const auto holds = co_await store.deliveries().holds(flow.id);
  if (!holds.ok()) co_return holds.error();
  for (const Hold& hold : *holds) text += line("hold", hold);
  const auto settled = co_await store.deliveries().settlements(flow.id, {flow.stream, 0, 1}, kRows);
  if (!settled.ok()) co_return settled.error();
  for (const auto& [one, at] : *settled) {
    text += fmt::format("settled {} {} {} {} {} at {}\n", flow.id.value, one.seq, one.status,
                        one.duration_us, one.attempt, to_micros(at));
  }
  co_return text;
}

async::Task<Result<std::string>> delivery_text(Store& store) {
  const auto rows = co_await store.deliveries().list({.limit = kRows});
  if (!rows.ok()) co_return rows.error();
  std::string text;
  std::vector<DeliveryRef> refs;
  for (const Delivery& row : *rows) {
    text += line(row);
    refs.push_back(row.ref);
  }
  const auto revisions = co_await store.deliveries().newest_revisions(std::move(refs));
  if (!revisions.ok()) co_return revisions.error();
  for (const Revision& revision : *revisions) text += line("revision", revision);
  co_return text;
}

async::Task<Result<std::string>> recovery_text(Store& store) {
  RecoveryTable& table = store.recovery();
  const auto groups = co_await table.groups({.with_closed = true});
  if (!groups.ok()) co_return groups.error();
  std::string text;
  for (const Group& group : *groups)
    text += fmt::format("group {} open {} ", group.id.value, group.open) + line("", group);
  const auto replays = co_await table.replays();
  if (!replays.ok()) co_return replays.error();
  for (const Replay& replay : *replays) {
    text += fmt::format("replay {} {} planned {} ", replay.id.value, to_text(replay.state),
                        replay.counts.planned) +
            line("", replay);
    const auto items = co_await table.items(replay.id, {}, {}, kRows);
    if (!items.ok()) co_return items.error();
    for (const ReplayItem& item : *items)
      text += fmt::format("item {} {}\n", item.ref.position.seq, to_text(item.state));
  }
  const auto audit = co_await table.audit(1'000'000, kRows);
  if (!audit.ok()) co_return audit.error();
  for (const AuditEntry& entry : *audit)
    text += fmt::format("audit {} {} {}\n", entry.number, entry.action, entry.target);
  co_return text;
}

async::Task<Result<std::string>> effect_text(Store& store) {
  const auto effects = co_await store.effects().list({.limit = kRows});
  if (!effects.ok()) co_return effects.error();
  std::string text;
  for (const Effect& effect : *effects)
    text += fmt::format("effect {} {} {}\n", effect.id.value, effect.version,
                        to_text(effect.state));
  co_return text;
}

async::Task<Result<std::string>> access_text(Store& store) {
  const auto tokens = co_await store.flows().tokens();
  if (!tokens.ok()) co_return tokens.error();
  std::string text;
  for (const AccessToken& token : *tokens) text += line("token", token);
  const auto approvals = co_await store.flows().approvals();
  if (!approvals.ok()) co_return approvals.error();
  for (const Approval& approval : *approvals) text += line("approval", approval);
  const auto meta = co_await store.flows().meta(kMetaKey);
  if (!meta.ok()) co_return meta.error();
  co_return text + fmt::format("meta {}\n", meta->value_or("-"));
}

}  // namespace

async::Task<Result<std::string>> holdings_of(Store& store) {
  const auto streams = co_await store.flows().streams();
  if (!streams.ok()) co_return streams.error();
  std::string text;
  for (const StreamRecord& stream : *streams) {
    const auto part = co_await stream_text(store, stream);
    if (!part.ok()) co_return part.error();
    text += *part;
  }
  const auto flows = co_await store.flows().flows();
  if (!flows.ok()) co_return flows.error();
  for (const FlowRecord& flow : *flows) {
    const auto part = co_await flow_text(store, flow);
    if (!part.ok()) co_return part.error();
    text += *part;
  }
  constexpr decltype(&delivery_text) kParts[] = {delivery_text, recovery_text, effect_text,
                                                 access_text};
  for (const auto part_of : kParts) {
    const auto part = co_await part_of(store);
    if (!part.ok()) co_return part.error();
    text += *part;
  }
  co_return text;
}

}  // namespace weir::cycles
