// SPDX-License-Identifier: Apache-2.0
#include "api/alarms.h"
#include "api/answers.h"
#include "api/api.h"
#include "api/openapi.h"
#include "api/views.h"
#include "base/text.h"

namespace weir::api {
namespace {

std::string_view durability_of(std::string_view store) {
  return store == "sqlite" ? "a 2xx on ingest is on disk (WAL, synchronous=FULL)"
                           : "none: a 2xx on ingest is in memory and ends with this process";
}

}  // namespace

Api::Answer Api::live_probe(Call) { co_return text_answer("ok\n", "text/plain; charset=utf-8"); }

Api::Answer Api::ready_probe(Call) {
  if (parts_.ready()) co_return text_answer("ok\n", "text/plain; charset=utf-8");
  net::HttpResponse answer = text_answer("not ready\n", "text/plain; charset=utf-8");
  answer.status = 503;
  co_return answer;
}

Api::Answer Api::metrics(Call) {
  co_return text_answer(parts_.metrics(), "text/plain; version=0.0.4; charset=utf-8");
}

Api::Answer Api::openapi(Call) {
  co_return net::HttpResponse{.status = 200,
                              .headers = {{"content-type", "application/json"}},
                              .body = std::string(openapi_document())};
}

Api::Answer Api::status(Call) {
  auto counts = co_await parts_.store.flows().counts();
  if (!counts.ok()) co_return net::problem_response(counts.error());
  auto in_doubt = co_await parts_.store.effects().in_doubt();
  if (!in_doubt.ok()) co_return net::problem_response(in_doubt.error());
  std::uint64_t effects_in_doubt = 0;
  for (const auto& [dependency, count] : *in_doubt) effects_in_doubt += count;
  const ports::StoreStatus info = co_await parts_.store.info();
  std::uint64_t quarantined = 0;
  std::uint64_t waiting = 0;
  for (const ports::FlowCounts& flow : *counts) {
    quarantined += flow.quarantined;
    waiting += flow.waiting;
  }
  wire::JsonWriter json;
  json.begin_object()
      .field("version", parts_.version)
      .field("now", to_rfc3339(parts_.clock.wall()));
  json.field("ready", parts_.ready()).field("quarantined", quarantined).field("waiting", waiting);
  json.field("effectsInDoubt", effects_in_doubt);
  json.key("store")
      .begin_object()
      .field("kind", info.kind)
      .field("format", info.format)
      .field("masterKey", info.master_key)
      .field("bytes", info.bytes);
  json.field("events", info.events).field("full", info.full).field("commits", info.commits);
  json.field("batches", info.batches)
      .field("syncP50Micros", static_cast<std::int64_t>(info.sync_p50.count()));
  json.field("syncP99Micros", static_cast<std::int64_t>(info.sync_p99.count())).end_object();
  json.field("durability", durability_of(info.kind)).key("alarms");
  write_alarms(json, alarms_of(parts_.engine, parts_.quarantine_watch, parts_.clock.mono(),
                               parts_.clock.wall()));
  json.key("flows").begin_array();
  for (const delivery::FlowView& view : parts_.engine.flow_views()) {
    write_flow(json, view, counts_of(*counts, view.record->id));
  }
  json.end_array().key("dependencies").begin_array();
  for (delivery::Dispatcher* dispatcher : parts_.engine.dispatchers()) {
    write_dependency(json, *dispatcher, parts_.clock.mono());
  }
  json.end_array().end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::streams(Call call) {
  wire::JsonWriter json;
  json.begin_object().key("streams").begin_array();
  for (const StreamRecord& stream : parts_.engine.streams()) {
    if (!call.caller.scope.has_stream(stream.name)) continue;
    json.begin_object().field("stream", stream.name).field("firstSeq", stream.first_seq);
    json.field("nextSeq", stream.next_seq).end_object();
  }
  json.end_array().end_object();
  co_return json_answer(std::move(json).take());
}

}  // namespace weir::api
