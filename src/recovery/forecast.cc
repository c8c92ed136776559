// SPDX-License-Identifier: Apache-2.0
#include "recovery/forecast.h"

#include <algorithm>
#include <map>

#include "policy/filter.h"
#include "policy/ramp.h"
#include "recovery/plan_checks.h"
#include "recovery/references.h"
#include "recovery/replay_plan.h"
#include "recovery/rewind.h"
#include "recovery/selection.h"
#include "recovery/staleness.h"

namespace weir::recovery {
namespace {

// Of one flow: what passed lately.
constexpr std::uint64_t kSample = 64;
constexpr Duration kRecently = std::chrono::minutes{1};
constexpr std::size_t kLookedAt = 10'000;
constexpr std::size_t kLookedAtOnce = 500;
constexpr int kStepsMax = 10'000;     // of a ramp that is followed step by step
constexpr double kSecondsMax = 1e10;  // some centuries
constexpr Duration kOwnTime = std::chrono::milliseconds{6};  // of a claim, a mark and a settlement
constexpr Duration kUnknownAttempt = std::chrono::milliseconds{50};

Duration to_duration(double seconds) { return Duration{static_cast<std::int64_t>(seconds * 1e6)}; }
double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

struct FlowPast {
  std::vector<Duration> attempts;
  double calls_per_second = 0;
};

// What is needed of a flow, copied: a reload may take the flow away while the store is read.
struct FlowFacts {
  FlowRecord record;
  std::uint64_t floor = 0;
  std::string dependency;  // empty: it has left the configuration
};

std::vector<FlowFacts> facts_of_flows(const Live& live) {
  std::vector<FlowFacts> known;
  for (const LiveFlow& flow : live.flows()) {
    known.push_back({flow.record, flow.floor, flow.spec == nullptr ? "" : flow.spec->dependency});
  }
  return known;
}

// The settlements just below the floor tell how long an attempt takes and what share of the
// stream's events the flow calls its handler for.
async::Task<FlowPast> past_of(ports::Store& store, const FlowFacts& flow, std::uint64_t next_seq,
                              WallTime now) {
  FlowPast past;
  const StreamId stream = flow.record.stream;
  const std::uint64_t floor = flow.floor;
  std::uint64_t looked = 0;
  for (std::uint64_t back = 1; back <= kSample && back < floor; ++back) {
    auto settled = co_await store.deliveries().settlement(
        flow.record.id, Position{.stream = stream, .seq = floor - back});
    if (!settled.ok() || !settled->has_value()) continue;
    ++looked;
    const Settlement& settlement = (*settled)->first;
    if (settlement.status != 0) past.attempts.push_back(Duration{settlement.duration_us});
  }
  auto since = co_await store.events().seek(stream, now - kRecently);
  if (!since.ok() || looked == 0) co_return past;
  const double share = static_cast<double>(past.attempts.size()) / static_cast<double>(looked);
  const auto arrived = static_cast<double>(next_seq - std::min(*since, next_seq));
  past.calls_per_second = share * arrived / std::chrono::duration<double>(kRecently).count();
  co_return past;
}

Duration median(std::vector<Duration> durations) {
  if (durations.empty()) return kUnknownAttempt;
  const auto middle = durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2);
  std::ranges::nth_element(durations, middle);
  return *middle;
}

struct Members {
  std::vector<Delivery> sample;  // the first kLookedAt
  std::map<GroupId, std::uint64_t> groups;
  std::map<FlowId, std::uint64_t> flows;
  std::vector<DeliveryRef> edited;
};

// What the checks of a sample need.
Delivery short_form(const Delivery& row) {
  Delivery copy;
  copy.ref = row.ref;
  copy.key = row.key;
  return copy;
}

async::Task<Result<Members>> count_members(ports::Store& store, const Live& live,
                                           const ReplayPlan& plan, Forecast& into) {
  Members members;
  auto counted = co_await visit_plan(store, live, plan, [&](const Delivery& row) {
    ++into.deliveries;
    into.in_doubt += row.in_doubt;
    ++members.groups[row.group];
    ++members.flows[row.ref.flow];
    if (row.revision > kFirstRevision) members.edited.push_back(row.ref);
    if (members.sample.size() < kLookedAt) members.sample.push_back(short_form(row));
  });
  if (!counted.ok()) co_return counted.error();
  auto edits = co_await add_edits(store, members.edited, into.edits);
  if (!edits.ok()) co_return edits.error();
  co_return members;
}

async::Task<Result<>> name_groups(ports::Store& store, const Members& members, Forecast& into) {
  auto walked = co_await for_each_group(store, [&](const Group& group) {
    const auto found = members.groups.find(group.id);
    if (found != members.groups.end())
      into.groups.push_back({group.fingerprint.hash, group.title(), found->second});
    return true;
  });
  if (!walked.ok()) co_return walked;
  std::ranges::sort(into.groups, std::ranges::greater{}, &GroupShare::deliveries);
  co_return Result<>{};
}

ForecastLoad& load_of(std::vector<ForecastLoad>& loads, const std::string& dependency) {
  const auto found = std::ranges::find(loads, dependency, &ForecastLoad::dependency);
  if (found != loads.end()) return *found;
  return loads.emplace_back(ForecastLoad{.dependency = dependency});
}

// All flows of the dependencies that the members call: they share its limit.
async::Task<Result<>> read_past(ports::Store& store, const Live& live, const Members& members,
                                WallTime now, Forecast& into) {
  auto streams = co_await store.flows().streams();
  if (!streams.ok()) co_return streams.error();
  const std::vector<FlowFacts> flows = facts_of_flows(live);
  for (const FlowFacts& flow : flows) {
    const auto found = members.flows.find(flow.record.id);
    if (found == members.flows.end()) continue;
    if (flow.dependency.empty()) {
      into.without_flow += found->second;
    } else {
      load_of(into.loads, flow.dependency).deliveries += found->second;
    }
  }
  std::vector<Duration> attempts;
  for (const FlowFacts& flow : flows) {
    const auto load = std::ranges::find(into.loads, flow.dependency, &ForecastLoad::dependency);
    const auto stream = std::ranges::find(*streams, flow.record.stream, &StreamRecord::id);
    if (load == into.loads.end() || stream == streams->end()) continue;
    const FlowPast past = co_await past_of(store, flow, stream->next_seq, now);
    load->live += past.calls_per_second;
    if (members.flows.contains(flow.record.id))
      attempts.insert(attempts.end(), past.attempts.begin(), past.attempts.end());
  }
  into.attempt = median(std::move(attempts));
  co_return Result<>{};
}

// What would be sent in vain: filters may have changed since, and events grow old.
async::Task<Result<>> look_at_events(ports::Store& store, const Live& live, const ReplayPlan& plan,
                                     const Members& members, WallTime now, Forecast& into) {
  std::map<FlowId, policy::Filter> filters;
  for (const LiveFlow& flow : live.flows()) {
    if (flow.spec == nullptr || flow.spec->where.empty()) continue;
    auto filter = policy::Filter::compile(flow.spec->where);
    if (filter.ok()) filters.emplace(flow.record.id, std::move(*filter));
  }
  StaleCheck stale(store, live, plan.staleness);
  for (std::size_t from = 0; from < members.sample.size(); from += kLookedAtOnce) {
    const auto until = std::min(from + kLookedAtOnce, members.sample.size());
    std::vector<Delivery> rows(members.sample.begin() + static_cast<std::ptrdiff_t>(from),
                               members.sample.begin() + static_cast<std::ptrdiff_t>(until));
    std::multimap<Position, FlowId> flows;
    std::vector<DeliveryRef> refs;
    for (const Delivery& row : rows) {
      if (!filters.contains(row.ref.flow)) continue;
      flows.emplace(row.ref.position, row.ref.flow);
      refs.push_back(row.ref);
    }
    auto events = co_await store.events().fetch(std::move(refs));
    if (!events.ok()) co_return events.error();
    for (const StoredEvent& stored : *events) {
      const auto event = decode_event(stored.record);
      const auto [first, last] = flows.equal_range(stored.position);
      for (auto flow = first; event.ok() && flow != last; ++flow)
        into.rejected += !filters.at(flow->second).matches(*event);
      flows.erase(first, last);  // an event of two flows is fetched twice
    }
    if (plan.staleness.matters()) {
      auto old = co_await stale.look(rows, now);
      if (!old.ok()) co_return old.error();
      into.too_old += old->stale.size();
    }
    into.looked_at += rows.size();
  }
  co_return Result<>{};
}

// What is left for the replay where the least is left: flows go one after the other.
double room_for(const Forecast& forecast, const ReplayPlan& plan) {
  double room = std::numeric_limits<double>::infinity();
  for (const ForecastLoad& load : forecast.loads) {
    if (load.limit <= 0 || load.deliveries == 0) continue;
    const double left = std::max(load.limit - load.live, load.limit * 0.01);
    room = std::min({room, left, policy::room_of_share(plan.rate, load.limit, load.live)});
  }
  return room;
}

// Which deliveries of the run call which dependency.
std::map<std::string, std::vector<Stretch>> stretches_of(const Live& live, const Members& members) {
  std::map<std::string, std::vector<Stretch>> stretches;
  std::uint64_t first = 0;
  for (const auto& [id, count] : members.flows) {  // in the order in which they go
    const auto flow = live.flow(id);
    if (flow && flow->spec != nullptr)
      stretches[flow->spec->dependency].push_back({first, first + count});
    first += count;
  }
  return stretches;
}

}  // namespace

ReplayEstimate estimate(const ReplayPlan& plan, std::uint64_t deliveries, Duration attempt,
                        double room) {
  ReplayEstimate result;
  std::uint64_t left = deliveries;
  const std::uint64_t first = canary_size(plan.canary, deliveries);
  if (first > 0 && left > 0) {
    left -= std::min(left, first);
    const std::uint64_t rounds = (first + plan.rate.concurrency - 1) / plan.rate.concurrency;
    result.canary = attempt * static_cast<std::int64_t>(rounds) +
                    (left > 0 ? plan.canary.hold : Duration{});
  }
  result.total = result.canary;
  const double step = to_seconds(plan.rate.step);
  const double busy = to_seconds(attempt + kOwnTime);
  const double by_concurrency = plan.rate.concurrency / busy;
  const double cap = std::min({plan.rate.max_per_second, by_concurrency, room});
  double rate = std::min(plan.rate.start_per_second, cap);
  double seconds = 0;
  auto rest = static_cast<double>(left);
  for (int steps = 0; rest > 0; ++steps) {
    result.peak_per_second = std::max(result.peak_per_second, rate);
    if (result.steps.size() < kStepsShown)
      result.steps.push_back(
          {result.canary + Duration{static_cast<std::int64_t>(seconds * 1e6)}, rate});
    const double next = std::min(next_rate(plan.rate, rate), cap);
    const bool at_cap = next <= rate || steps >= kStepsMax;
    if (at_cap || rest <= rate * step) {
      seconds += rest / rate;
      break;
    }
    rest -= rate * step;
    seconds += step;
    rate = next;
  }
  result.total += Duration{static_cast<std::int64_t>(std::min(seconds, kSecondsMax) * 1e6)};
  if (left > 0) result.total += attempt;
  return result;
}

std::vector<RateStep> load_over_time(const ReplayEstimate& estimate, std::uint64_t canary,
                                     std::uint64_t deliveries,
                                     const std::vector<Stretch>& stretches) {
  // The whole run: its canary, then the steps.
  std::vector<RateStep> run;
  const auto first = static_cast<double>(std::min(canary, deliveries));
  if (first > 0 && estimate.canary > Duration{})
    run.push_back({Duration{}, first / to_seconds(estimate.canary)});
  run.insert(run.end(), estimate.steps.begin(), estimate.steps.end());
  std::vector<RateStep> load;
  const auto note = [&load](double at, double rate) {
    const Duration from = to_duration(at);
    if (!load.empty() && load.back().from == from) load.pop_back();
    const double before = load.empty() ? 0 : load.back().per_second;
    if (rate != before) load.push_back({from, rate});
  };
  double done = 0;
  for (std::size_t i = 0; i < run.size(); ++i) {
    const double rate = run[i].per_second;
    const double from = to_seconds(run[i].from);
    const bool last = i + 1 == run.size();
    const auto rest = static_cast<double>(deliveries);
    const double until = last ? rest
                              : std::min(rest, done + rate * (to_seconds(run[i + 1].from) - from));
    for (const Stretch& stretch : stretches) {
      const double begin = std::max(done, static_cast<double>(stretch.first));
      const double end = std::min(until, static_cast<double>(stretch.last));
      if (begin >= end) continue;
      note(from + (begin - done) / rate, rate);
      note(from + (end - done) / rate, 0);
    }
    done = until;
  }
  return load;
}

async::Task<Result<Forecast>> forecast(ports::Store& store, async::Clock& clock, const Live& live,
                                       ReplayPlan plan) {
  Forecast result;
  auto members = co_await count_members(store, live, plan, result);
  if (!members.ok()) co_return members.error();
  auto named = co_await name_groups(store, *members, result);
  if (!named.ok()) co_return named.error();
  auto past = co_await read_past(store, live, *members, clock.wall(), result);
  if (!past.ok()) co_return past.error();
  for (ForecastLoad& load : result.loads) {
    const auto dependency = live.dependency(load.dependency);
    if (!dependency) continue;
    load.limit = dependency->rate_limit > 0 ? dependency->rate_limit : dependency->capacity;
    load.price = dependency->request_price;
  }
  result.repeats = plan.selection.delivered;
  auto looked = co_await look_at_events(store, live, plan, *members, clock.wall(), result);
  if (!looked.ok()) co_return looked.error();
  std::vector<DeliveryRef> refs;
  for (const Delivery& row : members->sample) refs.push_back(row.ref);
  auto effects = co_await look_at_effects(store, live, std::move(refs), clock.wall(),
                                          result.effects);
  if (!effects.ok()) co_return effects.error();
  leave_out_default_canary(plan, result.deliveries);
  if (goes_in_turn(live, plan.selection)) plan.rate.concurrency = 1;
  result.estimate = estimate(plan, result.deliveries, result.attempt, room_for(result, plan));
  const auto stretches = stretches_of(live, *members);
  const std::uint64_t canary = canary_size(plan.canary, result.deliveries);
  for (ForecastLoad& load : result.loads) {
    const auto found = stretches.find(load.dependency);
    if (found == stretches.end()) continue;
    load.steps = load_over_time(result.estimate, canary, result.deliveries, found->second);
    for (const RateStep& step : load.steps) load.peak = std::max(load.peak, step.per_second);
  }
  result.preconditions = co_await ask_all(live, plan.preconditions, clock.wall(),
                                          result.in_doubt + result.effects.in_doubt() > 0);
  co_return result;
}

}  // namespace weir::recovery
