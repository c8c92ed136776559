// SPDX-License-Identifier: Apache-2.0
// What /metrics asks of the running engine.
#include "api/alarms.h"
#include "app/world.h"

namespace weir::app {
void World::register_gauges() {
  using Sample = telemetry::Registry::Sample;
  metrics_.gauge("weir_flow_backlog_events",
                 "Events of the stream that the flow has not dealt with yet.",
                 [this](Sample& sample) {
                   for (const auto& view : engine_->flow_views())
                     sample.add(static_cast<double>(view.backlog), {{"flow", view.spec->name}});
                 });
  const auto age_gauge = [this](std::string name, std::string help,
                                WallTime delivery::FlowView::* time) {
    metrics_.gauge(std::move(name), std::move(help), [this, time](Sample& sample) {
      for (const auto& view : engine_->flow_views()) {
        const WallTime since = view.*time;
        const Duration age = since == WallTime{} ? Duration{} : clock_.wall() - since;
        sample.add(std::chrono::duration<double>(age).count(), {{"flow", view.spec->name}});
      }
    });
  };
  age_gauge("weir_flow_oldest_unsettled_age_seconds",
            "Age of the oldest event not settled: unread, ready, under way, waiting for a retry or "
            "held; not quarantined ones. 0 without one.",
            &delivery::FlowView::oldest_unsettled);
  age_gauge("weir_flow_oldest_ready_age_seconds",
            "Age of the oldest event read and not yet sent; 0 without one.",
            &delivery::FlowView::oldest_ready);
  metrics_.gauge("weir_flow_held_events", "Events behind a key that waits for an earlier delivery.",
                 [this](Sample& sample) {
                   for (const auto& view : engine_->flow_views())
                     sample.add(static_cast<double>(view.held), {{"flow", view.spec->name}});
                 });
  metrics_.gauge(
      "weir_quarantined_deliveries", "Deliveries in quarantine.", [this](Sample& sample) {
        for (const auto& counts : counts_) {
          if (const auto* flow = engine_->find_flow(counts.flow)) {
            sample.add(static_cast<double>(counts.quarantined), {{"flow", flow->spec().name}});
          }
        }
      });
  metrics_.gauge("weir_waiting_deliveries", "Deliveries that failed and will be tried again.",
                 [this](Sample& sample) {
                   for (const auto& counts : counts_) {
                     if (const auto* flow = engine_->find_flow(counts.flow)) {
                       sample.add(static_cast<double>(counts.waiting),
                                  {{"flow", flow->spec().name}});
                     }
                   }
                 });
  register_dependency_gauges();
}

void World::register_dependency_gauges() {
  using Sample = telemetry::Registry::Sample;
  const auto per_dependency = [this](std::string name, std::string help,
                                     double (*read)(delivery::Dispatcher&, MonoTime)) {
    metrics_.gauge(std::move(name), std::move(help), [this, read](Sample& sample) {
      for (delivery::Dispatcher* one : engine_->dispatchers()) {
        sample.add(read(*one, clock_.mono()), {{"dependency", one->spec().name}});
      }
    });
  };
  per_dependency("weir_breaker_open",
                 "1 while the circuit breaker is open, 0.5 half-open, 0 closed.",
                 [](delivery::Dispatcher& one, MonoTime now) {
                   const auto state = one.guardrails().worst_breaker(now).state(now);
                   return state == policy::Breaker::State::open       ? 1.0
                          : state == policy::Breaker::State::halfOpen ? 0.5
                                                                      : 0.0;
                 });
  per_dependency("weir_dependency_calls_in_flight", "Calls under way.",
                 [](delivery::Dispatcher& one, MonoTime) {
                   return static_cast<double>(one.guardrails().in_flight());
                 });
  per_dependency("weir_dependency_concurrency_limit", "Calls allowed at once.",
                 [](delivery::Dispatcher& one, MonoTime now) {
                   return static_cast<double>(one.guardrails().limit(now));
                 });
  per_dependency("weir_retry_budget_balance", "Retries that the budget would allow now.",
                 [](delivery::Dispatcher& one, MonoTime now) {
                   return one.guardrails().budget().balance(now);
                 });
  per_dependency(
      "weir_retry_tokens", "Tokens that retries can be paid with.",
      [](delivery::Dispatcher& one, MonoTime) { return one.guardrails().tokens().tokens(); });
  register_denials();
  register_effects();
  register_access_gauges();
}

void World::register_effects() {
  using Sample = telemetry::Registry::Sample;
  metrics_.gauge("weir_effects_in_doubt", "Effects that may have happened; somebody must find out.",
                 [this](Sample& sample) {
                   for (const auto& [dependency, count] : in_doubt_)
                     sample.add(static_cast<double>(count), {{"dependency", dependency}});
                 });
  metrics_.counter_from("weir_effects_total", "Calls of the effect gateway by what became of them.",
                        [this](Sample& sample) {
                          for (const auto& [dependency, counts] : gateway_->counts()) {
                            const std::pair<std::string_view, std::uint64_t> results[] = {
                                {"confirmed", counts.confirmed},
                                {"replayed", counts.replayed},
                                {"failedNoEffect", counts.failed},
                                {"inDoubt", counts.in_doubt},
                                {"refused", counts.refused}};
                            for (const auto& [result, count] : results)
                              sample.add(static_cast<double>(count),
                                         {{"dependency", dependency}, {"result", result}});
                          }
                        });
}

void World::register_denials() {
  using Sample = telemetry::Registry::Sample;
  metrics_.counter_from(
      "weir_guardrail_shadow_denials_total",
      "What guardrails in shadow mode would have refused; a flow's dead-letter brake counts its "
      "pauses.",
      [this](Sample& sample) {
        for (delivery::Dispatcher* one : engine_->dispatchers()) {
          for (const Guardrail rail : {Guardrail::breaker, Guardrail::retryBudget,
                                       Guardrail::rateLimit, Guardrail::concurrency}) {
            const std::uint64_t count = one->guardrails().shadow_denials(rail);
            if (count > 0)
              sample.add(static_cast<double>(count),
                         {{"dependency", one->spec().name}, {"guardrail", to_text(rail)}});
          }
        }
        for (const auto& view : engine_->flow_views()) {
          const delivery::Flow* flow = engine_->find_flow(view.record->id);
          if (flow != nullptr && flow->brake().shadow_trips() > 0)
            sample.add(static_cast<double>(flow->brake().shadow_trips()),
                       {{"flow", view.spec->name}, {"guardrail", "deadLetterBrake"}});
        }
      });
  metrics_.gauge("weir_alarm", "1 for everything that somebody should look at now.",
                 [this](Sample& sample) {
                   for (const api::Alarm& alarm :
                        api::alarms_of(*engine_, quarantine_watch_, clock_.mono(), clock_.wall()))
                     sample.add(1.0, {{"type", alarm.type}, {"name", alarm.name}});
                 });
  metrics_.counter_from(
      "weir_guardrail_denials_total", "Refusals by a guardrail; none cost an attempt.",
      [this](Sample& sample) {
        for (delivery::Dispatcher* one : engine_->dispatchers()) {
          for (const Guardrail rail : {Guardrail::breaker, Guardrail::retryBudget,
                                       Guardrail::rateLimit, Guardrail::concurrency}) {
            sample.add(static_cast<double>(one->guardrails().denials(rail)),
                       {{"dependency", one->spec().name}, {"guardrail", to_text(rail)}});
          }
        }
      });
  metrics_.gauge("weir_ingest_pending_bytes", "Bytes of events accepted and not yet committed.",
                 [this](Sample& sample) {
                   sample.add(static_cast<double>(store_->writer().pending_bytes()));
                 });
}

void World::register_access_gauges() {
  using Sample = telemetry::Registry::Sample;
  metrics_.counter_from(
      "weir_access_refused_total", "Requests that were not let in.", [this](Sample& sample) {
        if (!gate_) return;
        const api::GateCounts& counts = gate_->counts();
        sample.add(static_cast<double>(counts.unauthenticated), {{"reason", "unauthenticated"}});
        sample.add(static_cast<double>(counts.limited), {{"reason", "limited"}});
        sample.add(static_cast<double>(counts.forbidden), {{"reason", "forbidden"}});
      });
  metrics_.gauge("weir_tls_certificate_expiry_timestamp_seconds",
                 "When the listener's certificate expires; 0 without TLS.", [this](Sample& sample) {
                   sample.add(static_cast<double>(to_micros(listener_tls_.expires())) / 1e6);
                 });
}

}  // namespace weir::app
