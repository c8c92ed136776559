// SPDX-License-Identifier: Apache-2.0
#include "sim/server.h"

#include <algorithm>

namespace weir::sim {
namespace {

constexpr double kSlowest = 1e-6;  // of its speed: a share of zero would be a pause
constexpr double kLongest = 1e9;   // seconds of one call: longer than any run

Duration stretched(Duration work, double speed) {
  return from_seconds(std::min(to_seconds(work) / speed, kLongest));
}

double speed_of(double weather, double degraded) { return std::max(weather * degraded, kSlowest); }

}  // namespace

bool Server::same(const Request& one, const Request& other) {
  return one.caller == other.caller && one.generation == other.generation &&
         one.is_hop == other.is_hop && one.server == other.server;
}

void Server::submit(const Request& request) {
  if (weather_.refuses > 0) return answer(request, kRefused);
  if (weather_.hangs > 0) return;
  const bool full = !spec_.is_unlimited() && busy_ >= spec_.workers &&
                    queue_.size() >= spec_.queue_size;
  if (full) ++turned_away_;
  if (full) return answer(request, 503);
  queue_.push_back(request);
  start_next();
}

void Server::give_up(const Request& request) {
  if (!spec_.abandons) return;
  const auto is_it = [&](const Request& one) { return same(one, request); };
  if (std::erase_if(queue_, is_it) > 0) return;
  for (std::uint32_t i = 0; i < workers_.size(); ++i) {
    if (!workers_[i].busy || !is_it(workers_[i].request)) continue;
    free(i);
    return start_next();
  }
}

void Server::start_next() {
  while (!queue_.empty() && busy_ < spec_.workers && weather_.paused == 0) {
    const bool lifo = spec_.order == QueueOrder::lifo;
    const Request request = lifo ? queue_.back() : queue_.front();
    if (lifo) {
      queue_.pop_back();
    } else {
      queue_.pop_front();
    }
    const bool in_time = !spec_.drops_expired || stage_.now < request.deadline;
    if (in_time) start(request);
  }
}

void Server::start(const Request& request) {
  if (idle_.empty()) {
    idle_.push_back(static_cast<std::uint32_t>(workers_.size()));
    workers_.emplace_back();
  }
  const std::uint32_t index = idle_.back();
  idle_.pop_back();
  Worker& worker = workers_[index];
  worker.request = request;
  worker.busy = true;
  worker.hops = 0;
  note_work();
  ++busy_;
  worker.degraded = degraded();
  worker.speed = speed_of(weather_speed(), worker.degraded);
  serve_until(index, stage_.now + stretched(service_time(), worker.speed));
}

void Server::serve_until(std::uint32_t index, MonoTime ends) {
  Worker& worker = workers_[index];
  worker.ends = ends;
  stage_.happenings.add(
      {.at = ends, .a = index_, .b = index, .generation = worker.generation, .kind = Kind::served});
}

double Server::degraded() const {
  if (spec_.degraded_at == 0) return 1;
  const double fill = static_cast<double>(queue_.size()) / spec_.degraded_at;
  return 1 - (1 - spec_.degraded_to) * std::min(fill, 1.0);
}

Duration Server::service_time() {
  const Duration mean = spec_.takes + spec_.slower_per_call * (busy_ - 1);
  return spec_.exponential ? stage_.exponential(mean) : mean;
}

// Before busy_ changes.
void Server::note_work() {
  worked_ += (stage_.now - changed_) * busy_;
  changed_ = stage_.now;
}

double Server::take_busy() {
  note_work();
  const double most = to_seconds(stage_.now - taken_) * spec_.workers;
  taken_ = stage_.now;
  return to_seconds(std::exchange(worked_, {})) / most;
}

// What is left of the work under way goes on at the new speed. A worker that waits for another
// server has done its own.
void Server::change_speed() {
  for (std::uint32_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = workers_[i];
    const double speed = speed_of(weather_speed(), worker.degraded);
    if (!worker.busy || worker.hopping || speed == worker.speed) continue;
    const Duration left = worker.ends - stage_.now;
    ++worker.generation;  // the end that was announced is none any more
    serve_until(i, stage_.now + stretched(left, speed / worker.speed));
    worker.speed = speed;
  }
}

void Server::served(std::uint32_t index, std::uint32_t generation) {
  Worker& worker = workers_[index];
  if (!worker.busy || worker.generation != generation) return;
  if (downstream_ != nullptr) return hop(index);
  finish(index, 200);
}

// The worker waits for the answer, and gives up like any other caller.
void Server::hop(std::uint32_t index) {
  Worker& worker = workers_[index];
  ++worker.hops;
  ++worker.generation;
  worker.hopping = true;
  const MonoTime deadline = stage_.now + spec_.calls_timeout;
  stage_.happenings.add({.at = deadline,
                         .a = index_,
                         .b = index,
                         .generation = worker.generation,
                         .kind = Kind::hopTimeout});
  downstream_->submit({.is_hop = true,
                       .caller = index,
                       .generation = worker.generation,
                       .server = index_,
                       .event = worker.request.event,
                       .deadline = deadline});
}

void Server::hop_ended(std::uint32_t index, std::uint32_t generation, std::uint16_t status) {
  Worker& worker = workers_[index];
  if (!worker.busy || !worker.hopping || worker.generation != generation) return;
  worker.hopping = false;
  if (status == 0) {
    downstream_->give_up(
        {.is_hop = true, .caller = index, .generation = generation, .server = index_});
  }
  if (status == 200) return finish(index, 200);
  if (worker.hops < spec_.calls_attempts) return hop(index);
  finish(index, status == 0 ? 504 : 502);
}

void Server::finish(std::uint32_t index, std::uint16_t status) {
  const Request request = workers_[index].request;
  free(index);
  for (const FaultSpec* fault : weather_.errors) {
    if (status == 200 && stage_.chance(fault->amount))
      status = static_cast<std::uint16_t>(fault->status);
  }
  if (status == 200 && stage_.chance(spec_.failures))
    status = static_cast<std::uint16_t>(spec_.status);
  if (status == 200 && !request.is_hop) stage_.apply(request.event, spec_.honours_keys);
  answer(request, status);
  start_next();
}

void Server::free(std::uint32_t index) {
  Worker& worker = workers_[index];
  worker.busy = false;
  worker.hopping = false;
  ++worker.generation;
  note_work();
  --busy_;
  idle_.push_back(index);
}

void Server::answer(const Request& request, std::uint16_t status) {
  stage_.happenings.add({.at = stage_.now + spec_.latency,
                         .a = request.is_hop ? request.server : request.caller,
                         .b = request.is_hop ? request.caller : 0,
                         .generation = request.generation,
                         .status = status,
                         .kind = request.is_hop ? Kind::hopAnswer : Kind::answer});
}

void Server::lose_everything() {
  std::deque<Request> lost;
  lost.swap(queue_);
  for (std::uint32_t i = 0; i < workers_.size(); ++i) {
    if (!workers_[i].busy) continue;
    lost.push_back(workers_[i].request);
    free(i);
  }
  for (const Request& request : lost) answer(request, kClosed);
}

void Server::begin(const FaultSpec& fault) {
  switch (fault.kind) {
    case FaultKind::outage:
      ++weather_.refuses;
      lose_everything();
      break;
    case FaultKind::hang: ++weather_.hangs; break;
    case FaultKind::pause: ++weather_.paused; break;
    case FaultKind::slow: weather_.slow *= fault.amount; break;
    case FaultKind::brownOut: weather_.capacity *= fault.amount; break;
    case FaultKind::errors: weather_.errors.push_back(&fault); break;
    case FaultKind::spike: break;  // of a flow
  }
  change_speed();
}

void Server::end(const FaultSpec& fault) {
  switch (fault.kind) {
    case FaultKind::outage: --weather_.refuses; break;
    case FaultKind::hang: --weather_.hangs; break;
    case FaultKind::pause: --weather_.paused; break;
    case FaultKind::slow: weather_.slow /= fault.amount; break;
    case FaultKind::brownOut: weather_.capacity /= fault.amount; break;
    case FaultKind::errors: std::erase(weather_.errors, &fault); break;
    case FaultKind::spike: break;
  }
  change_speed();
  start_next();
}

}  // namespace weir::sim
