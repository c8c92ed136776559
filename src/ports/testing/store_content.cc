// SPDX-License-Identifier: Apache-2.0
#include "ports/testing/store_content.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/crc32c.h"

namespace weir::ports::testing {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result.ok()) FAIL(to_text(result.error()));
  return *std::move(result);
}

std::string text_of(const char* kind, const std::vector<StoredEvent>& events) {
  std::string text;
  for (const StoredEvent& event : events) {
    text += fmt::format("{} {}#{} at {} {:08x}\n", kind, event.position.stream.value,
                        event.position.seq, to_micros(event.recorded), crc32c(event.record));
  }
  return text;
}

std::string text_of(const FlowRecord& flow) {
  std::string text = fmt::format("flow {} {} {} {} {} {} floor {} mark {}", flow.id.value,
                                 flow.name, flow.identity, flow.epoch, to_text(flow.status),
                                 flow.reason, flow.cursor.floor, flow.cursor.mark);
  for (const SeqRange& range : flow.cursor.settled)
    text += fmt::format(" {}-{}", range.first, range.last);
  return text + "\n";
}

std::string flow_content(StoreBench& bench, FlowId flow) {
  Store& store = bench.store();
  std::string text = text_of("kept", must(bench.run(store.events().read_kept(flow, {}, 1000))));
  for (const Hold& hold : must(bench.run(store.deliveries().holds(flow)))) {
    text += fmt::format("hold {} {} by {} {}-{} {} {}\n", flow.value, hold.key, hold.holder.seq,
                        hold.first, hold.last, hold.count, hold.released);
  }
  for (std::uint64_t seq = 1; seq <= 50; ++seq) {
    const auto settled = must(bench.run(store.deliveries().settlement(flow, place(seq))));
    if (!settled) continue;
    text += fmt::format("settled {} {} {} {} {} at {}\n", flow.value, seq, settled->first.status,
                        settled->first.duration_us, settled->first.attempt,
                        to_micros(settled->second));
  }
  return text;
}

std::string text_of(const Delivery& row) {
  return fmt::format("row {} {} {} group {} replay {} changed {} {:08x}\n", row.ref.flow.value,
                     row.ref.position.seq, to_text(row.state), row.group.value, row.replay.value,
                     to_micros(row.changed_at), crc32c(encode_delivery_details(row)));
}

std::string recovery_content(StoreBench& bench) {
  RecoveryTable& table = bench.store().recovery();
  std::string text;
  for (const Group& group :
       must(bench.run(table.groups({.with_closed = true, .with_keys = true})))) {
    text += fmt::format("group {} {} open {} total {} last {} keys {}\n", group.id.value,
                        group.fingerprint.hash, group.open, group.total, to_micros(group.last_at),
                        group.keys);
  }
  for (const Replay& replay : must(bench.run(table.replays()))) {
    text += fmt::format("replay {} {} planned {} sent {} done {}\n", replay.id.value,
                        to_text(replay.state), replay.counts.planned, replay.counts.sent,
                        replay.counts.succeeded);
    for (const ReplayItem& item : must(bench.run(table.items(replay.id, {}, {}, 1000)))) {
      text += fmt::format("item {} {} {} {}\n", item.replay.value, item.ref.flow.value,
                          item.ref.position.seq, to_text(item.state));
    }
  }
  for (const AuditEntry& entry : must(bench.run(table.audit(1'000'000, 1000)))) {
    text += fmt::format("audit {} {} {}\n", entry.number, entry.action, entry.target);
  }
  return text;
}

}  // namespace

std::string content_of(StoreBench& bench) {
  Store& store = bench.store();
  std::string text;
  for (const StreamRecord& stream : must(bench.run(store.flows().streams()))) {
    text += fmt::format("stream {} {} {}-{}\n", stream.id.value, stream.name, stream.first_seq,
                        stream.next_seq);
    text += text_of("event",
                    must(bench.run(store.events().read(stream.id, 0, 1000, ~std::size_t{0}))));
  }
  for (const FlowRecord& flow : must(bench.run(store.flows().flows()))) {
    text += text_of(flow) + flow_content(bench, flow.id);
  }
  for (const Delivery& row : must(bench.run(store.deliveries().list({.limit = 1000}))))
    text += text_of(row);
  return text + recovery_content(bench);
}

}  // namespace weir::ports::testing
