// SPDX-License-Identifier: Apache-2.0
#include "api/views.h"
#include "config/replay_plan_document.h"
#include "recovery/references.h"
#include "recovery/shown.h"

namespace weir::api {
namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void write_counts(wire::JsonWriter& json, const ReplayCounts& counts) {
  json.begin_object().field("planned", counts.planned).field("sent", counts.sent);
  json.field("succeeded", counts.succeeded).field("failedAgain", counts.failed_again);
  json.field("skipped", counts.skipped)
      .field("stale", counts.stale)
      .field("inDoubt", counts.in_doubt);
  json.field("inFlight", counts.in_flight()).field("sameFingerprint", counts.same_fingerprint);
  json.field("discarded", counts.discarded);
  json.end_object();
}

void write_steps(wire::JsonWriter& json, const std::vector<recovery::RateStep>& steps) {
  json.key("steps").begin_array();
  for (const recovery::RateStep& step : steps) {
    json.begin_object().field("fromSeconds", seconds(step.from));
    json.field("perSecond", step.per_second).end_object();
  }
  json.end_array();
}

void write_estimate(wire::JsonWriter& json, const recovery::ReplayEstimate& estimate) {
  json.begin_object().field("canarySeconds", seconds(estimate.canary));
  json.field("seconds", seconds(estimate.total));
  json.field("peakPerSecond", estimate.peak_per_second);
  write_steps(json, estimate.steps);
  json.end_object();
}

void write_checks(wire::JsonWriter& json, const std::vector<CheckResult>& checks) {
  json.begin_array();
  for (const CheckResult& check : checks) {
    json.begin_object().field("check", check.check).field("verdict", to_text(check.verdict));
    json.field("detail", check.detail).end_object();
  }
  json.end_array();
}

// What the run came to: by its verification, or else by what came back.
Verdict result_of(const Replay& replay) {
  if (replay.plan.verify.wanted() && replay.plan.verify.at_end) return overall(replay.checked);
  const ReplayCounts& counts = replay.counts;
  if (counts.failed_again > 0) return Verdict::failed;
  if (counts.succeeded == 0) return Verdict::inconclusive;  // all were skipped
  return counts.in_doubt > 0 ? Verdict::inconclusive : Verdict::successful;
}

}  // namespace

void write_need(wire::JsonWriter& json, const ReplayNow& now) {
  json.key("approval").begin_object().field("why", now.needs_approval);
  if (now.approval) {
    json.field("request", to_text(now.approval->id)).field("state", to_text(now.approval_state));
    if (!now.approval->approver.empty()) json.field("approver", now.approval->approver);
  }
  json.end_object();
}

void write_replay(wire::JsonWriter& json, const recovery::Live& live, const Replay& replay,
                  const ReplayNow& now) {
  json.begin_object().field("replay", recovery::to_text(replay.id));
  json.field("state", to_text(replay.state));
  if (!replay.state_reason.empty()) json.field("stateReason", replay.state_reason);
  if (replay.state == ReplayState::completed) json.field("result", to_text(result_of(replay)));
  json.field("hash", recovery::plan_hash(live, replay.plan)).field("edited", replay.plan.edited);
  json.key("plan");
  ReplayPlan shown = replay.plan;
  shown.selection = recovery::shown_selection(live, std::move(shown.selection));
  recovery::mask_headers(shown.terms);
  config::write_replay_plan(json, shown);
  json.key("counts");
  write_counts(json, replay.counts);
  json.key("estimate");
  write_estimate(
      json, recovery::estimate(replay.plan, replay.counts.planned, std::chrono::milliseconds{50}));
  json.key("checks");
  write_checks(json, replay.checked);
  json.key("stops").begin_array();
  for (const policy::StopReading& stop : now.stops) {
    json.begin_object().field("condition", stop.name).field("value", stop.value);
    json.field("limit", stop.rule.limit).field("then", to_text(stop.rule.then)).end_object();
  }
  json.end_array().field("ratePerSecond", now.rate.value_or(replay.rate_now));
  if (now.time_left) json.field("secondsLeft", seconds(*now.time_left));
  if (now.joined) json.field("joinedSince", *now.joined);
  if (!now.needs_approval.empty()) write_need(json, now);
  time_field(json, "createdAt", replay.created_at);
  time_field(json, "cutoff", replay.cutoff);
  time_field(json, "waitsUntil", replay.waits_until);
  time_field(json, "startedAt", replay.started_at);
  time_field(json, "finishedAt", replay.finished_at);
  json.end_object();
}

void write_forecast(wire::JsonWriter& json, const recovery::Forecast& forecast) {
  json.begin_object().field("deliveries", forecast.deliveries).field("inDoubt", forecast.in_doubt);
  json.field("withoutFlow", forecast.without_flow).field("repeats", forecast.repeats);
  json.field("lookedAt", forecast.looked_at).field("rejected", forecast.rejected);
  json.field("tooOld", forecast.too_old).key("effects").begin_object();
  const recovery::EffectOutlook& effects = forecast.effects;
  json.field("sent", effects.sent).field("answered", effects.answered);
  json.field("repeated", effects.repeated).field("asked", effects.asked);
  json.field("held", effects.held).end_object().key("groups").begin_array();
  for (const recovery::GroupShare& group : forecast.groups) {
    json.begin_object().field("group", group.group).field("title", group.title);
    json.field("deliveries", group.deliveries).end_object();
  }
  json.end_array().key("loads").begin_array();
  for (const recovery::ForecastLoad& load : forecast.loads) {
    json.begin_object().field("dependency", load.dependency).field("deliveries", load.deliveries);
    json.field("livePerSecond", load.live).field("peakPerSecond", load.peak);
    json.field("limitPerSecond", load.limit);
    write_steps(json, load.steps);
    if (load.price > 0) json.field("cost", load.price * static_cast<double>(load.deliveries));
    json.end_object();
  }
  json.end_array().field("attemptSeconds", seconds(forecast.attempt)).key("estimate");
  write_estimate(json, forecast.estimate);
  json.end_object();
}

}  // namespace weir::api
