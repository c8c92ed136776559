// SPDX-License-Identifier: Apache-2.0
#include "recovery/references.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace weir::recovery {
namespace {

constexpr std::size_t kScan =
    20'000;  // newest events looked through per stream when no row has the id

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Error unknown_event(const Live& live, std::string_view reference) {
  const auto hash = reference.rfind('#');
  if (hash != reference.npos && hash > 0 && parse_number(reference.substr(hash + 1))) {
    const std::string_view stream = reference.substr(0, hash);
    const std::vector<std::string> names = live.stream_names();
    if (std::ranges::find(names, stream) == names.end()) {
      return Error{Code::unknown_stream, fmt::format("unknown stream '{}'", stream),
                   did_you_mean(stream, names)};
    }
  }
  return Error{Code::event_unknown, fmt::format("no event '{}' was found", reference),
               fmt::format("ids are found for every open or quarantined delivery and among the "
                           "newest {} events of each stream; otherwise use stream#seq",
                           kScan)};
}

std::string to_reference(const Live& live, Position position) {
  return fmt::format("{}#{}", live.stream_name(position.stream), position.seq);
}

DeliveryName split_name(const Live& live, std::string_view name) {
  const auto slash = name.find('/');
  if (slash == name.npos) return {.event = std::string(name)};
  for (const LiveFlow& flow : live.flows()) {
    if (flow.record.name != name.substr(0, slash)) continue;
    return {.flow = flow.record.id, .event = std::string(name.substr(slash + 1))};
  }
  return {.event = std::string(name)};  // an id may have slashes of its own
}

async::Task<Result<Position>> find_event(ports::Store& store, const Live& live,
                                         std::string reference) {
  DeliveryName name = split_name(live, reference);  // as `quarantine list -o name` prints it
  if (name.flow && name.event.find('#') != name.event.npos) reference = std::move(name.event);
  const auto hash = reference.rfind('#');
  if (hash != reference.npos) {
    const auto seq = parse_number(std::string_view(reference).substr(hash + 1));
    const auto position = seq ? live.position(std::string_view(reference).substr(0, hash), *seq)
                              : std::nullopt;
    if (position) co_return *position;
  }
  auto places = co_await store.events().find_id(reference, kScan);
  if (!places.ok()) co_return places.error();
  if (places->size() == 1) co_return places->front();
  if (places->empty()) co_return unknown_event(live, reference);
  std::string all;
  for (const Position place : *places)
    all += fmt::format("{}{}", all.empty() ? "" : ", ", to_reference(live, place));
  co_return Error{Code::ambiguous_reference,
                  fmt::format("'{}' fits several events: {}", reference, all),
                  "use one of these references"};
}

async::Task<Result<Group>> find_group(ports::Store& store, std::string prefix) {
  constexpr std::size_t kShown = 8;
  auto fitting = co_await store.recovery().groups(
      {.with_closed = true, .hash_prefix = prefix, .limit = kShown});
  if (!fitting.ok()) co_return fitting.error();
  if (fitting->size() == 1 && !prefix.empty()) co_return std::move(fitting->front());
  if (fitting->empty()) {
    co_return Error{Code::unknown_group, fmt::format("no failure group '{}'", prefix),
                    "weir group list"};
  }
  std::string all;
  for (const Group& group : *fitting)
    all += fmt::format("{}{}", all.empty() ? "" : ", ", group.fingerprint.hash);
  co_return Error{Code::ambiguous_reference,
                  fmt::format("'{}' fits several groups: {}", prefix, all), "give more digits"};
}

async::Task<Result<>> for_each_group(ports::Store& store, std::function<bool(Group&)> visit) {
  GroupId before{UINT32_MAX};
  for (;;) {
    auto page = co_await store.recovery().groups({.with_closed = true, .before = before});
    if (!page.ok()) co_return page.error();
    if (page->empty()) co_return Result<>{};
    before = page->back().id;
    for (Group& group : *page) {
      if (!visit(group)) co_return Result<>{};
    }
  }
}

std::optional<ReplayId> parse_replay_id(std::string_view text) {
  if (text.starts_with('r')) text.remove_prefix(1);
  const auto number = parse_number(text);
  if (!number || *number == 0 || *number > UINT32_MAX) return std::nullopt;
  return ReplayId{static_cast<std::uint32_t>(*number)};
}

std::string to_text(ReplayId id) { return fmt::format("r{}", id.value); }

Result<LiveFlow> find_flow(const Live& live, std::string_view name) {
  std::vector<std::string> names;
  for (LiveFlow& flow : live.flows()) {
    if (flow.record.name == name) return std::move(flow);
    names.push_back(flow.record.name);
  }
  return unknown_flow(name, names);
}

}  // namespace weir::recovery
