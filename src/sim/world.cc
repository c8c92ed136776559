// SPDX-License-Identifier: Apache-2.0
#include "sim/world.h"

#include <algorithm>

namespace weir::sim {
namespace {

constexpr Duration kSecond = std::chrono::seconds{1};
constexpr std::uint64_t kOfSender = 0x9E3779B97F4A7C15;  // sets the seeds of senders apart

}  // namespace

World::World(const Scenario& scenario, std::uint64_t seed)
    : scenario_(scenario),
      stage_(seed),
      rules_{scenario.failure_modes},
      tallies_(scenario.dependencies.size()),
      flows_of_(scenario.dependencies.size()) {
  for (std::size_t i = 0; i < scenario.dependencies.size(); ++i)
    servers_.emplace_back(scenario.dependencies[i].server, static_cast<std::uint32_t>(i), stage_);
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const auto& calls = scenario.dependencies[i].server.calls;
    if (calls) servers_[i].calls(&servers_[*calls]);
  }
  for (const FlowPlan& flow : scenario.flows) {
    auto& members = flows_of_[flow.dependency];
    senders_.push_back({.plan = &flow,
                        .open = OpenLoad(flow.load),
                        .rng = Rng(seed + kOfSender * (senders_.size() + 1)),
                        .member = static_cast<std::uint32_t>(members.size()),
                        .sent = std::vector<std::uint64_t>(flow.load.clients)});
    members.push_back(static_cast<std::uint32_t>(senders_.size() - 1));
  }
  for (std::size_t i = 0; i < servers_.size(); ++i) add_dispatchers(i);
}

void World::add_dispatchers(std::size_t dependency) {
  std::vector<const FlowPlan*> flows;
  for (const std::uint32_t flow : flows_of_[dependency]) {
    senders_[flow].first_dispatcher = static_cast<std::uint32_t>(dispatchers_.size());
    flows.push_back(senders_[flow].plan);
  }
  if (flows.empty()) return;  // only other servers call it
  const DependencyPlan& plan = scenario_.dependencies[dependency];
  for (std::uint32_t i = 0; i < plan.instances; ++i) {
    const auto index = static_cast<std::uint32_t>(dispatchers_.size());
    dispatchers_.emplace_back(Dispatcher::Parts{.stage = stage_,
                                                .calls = calls_,
                                                .server = servers_[dependency],
                                                .tally = tallies_[dependency],
                                                .rules = rules_,
                                                .plan = plan},
                              flows, index);
    dependency_of_.push_back(static_cast<std::uint32_t>(dependency));
  }
}

void World::run() {
  begin_faults();
  begin_loads();
  stage_.happenings.add({.at = MonoTime{kSecond}, .kind = Kind::sample});
  const MonoTime end{scenario_.lasts};
  while (!stage_.happenings.empty() && stage_.happenings.next().at <= end) {
    const Happening happening = stage_.happenings.take();
    stage_.now = happening.at;
    note(happening);
    handle(happening);
  }
}

void World::note(const Happening& happening) {
  stage_.trace.add(static_cast<std::uint64_t>(happening.at.time_since_epoch().count()));
  stage_.trace.add((static_cast<std::uint64_t>(happening.a) << 32) ^
                   (static_cast<std::uint64_t>(happening.status) << 8) ^
                   static_cast<std::uint64_t>(happening.kind));
}

void World::begin_faults() {
  for (std::uint32_t i = 0; i < scenario_.faults.size(); ++i) {
    const FaultSpec& fault = scenario_.faults[i];
    stage_.happenings.add({.at = MonoTime{fault.at}, .a = i, .kind = Kind::faultBegins});
    stage_.happenings.add(
        {.at = MonoTime{fault.at + fault.lasts}, .a = i, .kind = Kind::faultEnds});
  }
}

void World::begin_loads() {
  for (std::uint32_t i = 0; i < senders_.size(); ++i) {
    Sender& sender = senders_[i];
    const Load& load = sender.plan->load;
    if (const auto first = sender.open.next(stage_.now, sender.rng))
      stage_.happenings.add({.at = *first, .a = i, .kind = Kind::arrival});
    if (load.burst_size > 0)
      stage_.happenings.add({.at = MonoTime{load.burst_every}, .a = i, .kind = Kind::burst});
    const std::uint32_t instances = scenario_.dependencies[sender.plan->dependency].instances;
    for (std::uint32_t client = 0; client < load.clients; ++client) {
      // Spread over their first pause, so that they do not start in step.
      const Duration offset = from_seconds(to_seconds(load.think) * stage_.rng.unit());
      stage_.happenings.add({.at = stage_.now + offset,
                             .a = sender.member,
                             .b = client,
                             .generation = sender.first_dispatcher + client % instances,
                             .kind = Kind::nextOf});
    }
  }
}

void World::handle(const Happening& happening) {
  switch (happening.kind) {
    case Kind::arrival: return arrive(happening.a);
    case Kind::burst: return burst(happening.a);
    case Kind::nextOf: return next_of(happening);
    case Kind::answer: return answer(happening, happening.status);
    case Kind::timeout: return answer(happening, 0);
    case Kind::alarm: return dispatchers_[happening.a].alarm();
    case Kind::served: return servers_[happening.a].served(happening.b, happening.generation);
    case Kind::hopAnswer:
      return servers_[happening.a].hop_ended(happening.b, happening.generation, happening.status);
    case Kind::hopTimeout:
      return servers_[happening.a].hop_ended(happening.b, happening.generation, 0);
    case Kind::faultBegins: return fault(scenario_.faults[happening.a], true);
    case Kind::faultEnds: return fault(scenario_.faults[happening.a], false);
    case Kind::sample: return sample();
  }
}

void World::send(Sender& sender, std::uint32_t instance, std::uint32_t client) {
  if (stage_.applied.size() >= kEventsMax) return;
  const auto event = static_cast<std::uint32_t>(stage_.applied.size());
  stage_.applied.push_back(0);
  dispatchers_[sender.first_dispatcher + instance].arrived(sender.member, event, client);
}

void World::arrive(std::uint32_t flow) {
  Sender& sender = senders_[flow];
  const std::uint32_t instances = scenario_.dependencies[sender.plan->dependency].instances;
  const auto instance = instances == 1 ? 0
                                       : static_cast<std::uint32_t>(sender.rng.below(instances));
  send(sender, instance, 0);
  if (const auto next = sender.open.next(stage_.now, sender.rng))
    stage_.happenings.add({.at = *next, .a = flow, .kind = Kind::arrival});
}

void World::burst(std::uint32_t flow) {
  Sender& sender = senders_[flow];
  const Load& load = sender.plan->load;
  const std::uint32_t instances = scenario_.dependencies[sender.plan->dependency].instances;
  const auto count = static_cast<std::uint64_t>(load.burst_size * sender.open.factor());
  for (std::uint64_t i = 0; i < count; ++i)
    send(sender, static_cast<std::uint32_t>(sender.rng.below(instances)), 0);
  stage_.happenings.add({.at = stage_.now + load.burst_every, .a = flow, .kind = Kind::burst});
}

void World::next_of(const Happening& happening) {
  const std::uint32_t dispatcher = happening.generation;
  Sender& sender = senders_[flows_of_[dependency_of_[dispatcher]][happening.a]];
  std::uint64_t& sent = sender.sent[happening.b];
  if (sent >= sender.plan->load.events_each) return;
  ++sent;
  send(sender, dispatcher - sender.first_dispatcher, happening.b);
}

void World::answer(const Happening& happening, std::uint16_t status) {
  if (!calls_.is_open(happening.a, happening.generation)) return;
  const Call call = calls_.close(happening.a);
  if (status == 0) {
    servers_[dependency_of_[call.dispatcher]].give_up(
        {.caller = happening.a, .generation = happening.generation});
  }
  dispatchers_[call.dispatcher].ended(call, status);
}

void World::fault(const FaultSpec& fault, bool begins) {
  if (fault.kind == FaultKind::spike)
    return senders_[fault.target].open.times(begins ? fault.amount : 1 / fault.amount);
  if (begins) {
    servers_[fault.target].begin(fault);
  } else {
    servers_[fault.target].end(fault);
  }
}

void World::sample() {
  for (std::size_t i = 0; i < tallies_.size(); ++i) {
    Step& step = tallies_[i].second;
    step.at = to_seconds(stage_.now);
    step.server_queue = static_cast<double>(servers_[i].queued());
    tallies_[i].strain.busy = servers_[i].take_busy();
    tallies_[i].strain.turned_away = static_cast<double>(servers_[i].take_turned_away());
  }
  for (std::size_t i = 0; i < dispatchers_.size(); ++i) {
    Step& step = tallies_[dependency_of_[i]].second;
    const double share = 1.0 / scenario_.dependencies[dependency_of_[i]].instances;
    policy::Guardrails& guardrails = dispatchers_[i].guardrails();
    step.queue += static_cast<double>(dispatchers_[i].waiting());
    step.in_flight += guardrails.in_flight();
    step.limit += guardrails.limit(stage_.now);
    step.budget += dispatchers_[i].budget_left() * share;
    const auto state = guardrails.worst_breaker(stage_.now).state(stage_.now);
    const bool closed = state == policy::Breaker::State::closed;
    const bool open = state == policy::Breaker::State::open;
    step.breaker += (closed ? 0 : open ? 1 : 0.5) * share;
  }
  for (Tally& tally : tallies_) {
    tally.seconds.push_back(tally.second);
    tally.second = {};
    tally.strains.push_back(tally.strain);
    tally.strain = {};
  }
  stage_.happenings.add({.at = stage_.now + kSecond, .kind = Kind::sample});
}

}  // namespace weir::sim
