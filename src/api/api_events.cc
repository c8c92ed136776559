// SPDX-License-Identifier: Apache-2.0
#include "api/answers.h"
#include "api/api.h"
#include "api/views.h"
#include "base/text.h"
#include "recovery/explain.h"
#include "recovery/references.h"
#include "wire/cloudevents.h"

namespace weir::api {
namespace {

async::Task<Result<StoredEvent>> fetch_event(ports::Store& store, const recovery::Live& live,
                                             std::string reference) {
  auto position = co_await recovery::find_event(store, live, std::move(reference));
  if (!position.ok()) co_return position.error();
  std::vector<DeliveryRef> refs;
  for (const recovery::LiveFlow& flow : live.flows()) {
    if (flow.record.stream == position->stream) refs.push_back({flow.record.id, *position});
  }
  if (refs.empty()) refs.push_back({FlowId{}, *position});
  auto stored = co_await store.events().fetch(std::move(refs));
  if (!stored.ok()) co_return stored.error();
  if (stored->empty()) {
    co_return Error{
        Code::event_unknown,
        fmt::format("{} is not in the log any more", recovery::to_reference(live, *position)),
        "its retention ended, or it was never there"};
  }
  co_return std::move(stored->front());
}

// Bytes, never as something a browser would run.
net::HttpResponse bytes_answer(std::string bytes) {
  return net::HttpResponse{.status = 200,
                           .headers = {{"content-type", "application/octet-stream"},
                                       {"content-disposition", "attachment"},
                                       {"x-content-type-options", "nosniff"}},
                           .body = std::move(bytes)};
}

}  // namespace

Api::Answer Api::list_events(Call call) {
  auto limit = page_size(call.arg("limit"), 50, 1000);
  if (!limit.ok()) co_return net::problem_response(limit.error());
  auto from = page_size(call.arg("from"), 0, kSeqMax);
  if (!from.ok()) co_return net::problem_response(from.error());
  const StreamRecord* stream = parts_.engine.find_stream(call.arg("stream"));
  if (stream == nullptr) {
    if (call.arg("stream").empty())
      co_return net::problem_response(
          Error{Code::invalid_argument, "no stream is given", "give ?stream=NAME"});
    co_return net::problem_response(Error{
        Code::unknown_stream, fmt::format("unknown stream '{}'", printable(call.arg("stream"))),
        did_you_mean(call.arg("stream"), parts_.live.stream_names())});
  }
  const std::uint64_t newest = stream->next_seq > *limit ? stream->next_seq - *limit : 1;
  auto events = co_await parts_.store.events().read(stream->id, *from == 0 ? newest : *from, *limit,
                                                    8 * 1024 * 1024);
  if (!events.ok()) co_return net::problem_response(events.error());
  wire::JsonWriter json;
  json.begin_object().key("events").begin_array();
  for (const StoredEvent& stored : *events) write_event(json, parts_.live, stored);
  json.end_array();
  if (!events->empty()) json.field("next", events->back().position.seq + 1);
  json.end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::event(Call call) {
  auto stored = co_await fetch_event(parts_.store, parts_.live, std::string(call.param("ref")));
  if (!stored.ok()) co_return net::problem_response(stored.error());
  wire::JsonWriter json;
  write_event(json, parts_.live, *stored);
  co_return json_answer(std::move(json).take());
}

// The data's bytes, with masks where a rule hides something.
Api::Answer Api::event_payload(Call call) {
  auto stored = co_await fetch_event(parts_.store, parts_.live, std::string(call.param("ref")));
  if (!stored.ok()) co_return net::problem_response(stored.error());
  const auto event = decode_event(stored->record);
  if (!event.ok()) co_return net::problem_response(event.error());
  co_return bytes_answer(parts_.live.redaction(stored->position.stream)->redact_data(*event));
}

// What came, without masks: the data's bytes, or all of it in the JSON event format. Nobody sees it
// before the audit entry about it is durable.
Api::Answer Api::reveal_event(Call call) {
  const bool whole = call.arg("as") == "event";
  if (!whole && !call.arg("as").empty() && call.arg("as") != "data") {
    co_return net::problem_response(
        Error{Code::invalid_argument, fmt::format("as '{}'", printable(call.arg("as"))),
              "data, the bytes of it; or event, with its attributes as JSON"});
  }
  auto reason = reason_in(call.request.body);
  if (!reason.ok()) co_return net::problem_response(reason.error());
  if (reason->empty()) {
    co_return net::problem_response(
        Error{Code::reason_required, "what is redacted is shown for a reason, which is audited",
              "add --reason TEXT"});
  }
  auto stored = co_await fetch_event(parts_.store, parts_.live, std::string(call.param("ref")));
  if (!stored.ok()) co_return net::problem_response(stored.error());
  const auto event = decode_event(stored->record);
  if (!event.ok()) co_return net::problem_response(event.error());
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::AddAudit{
      AuditEntry{.at = parts_.clock.wall(),
                 .actor = call.actor,
                 .action = "event.reveal",
                 .target = recovery::to_reference(parts_.live, stored->position),
                 .reason = std::move(*reason),
                 .detail = fmt::format("{}{} bytes of data", whole ? "attributes and " : "",
                                       event->data.size())}});
  auto receipt = co_await parts_.store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return net::problem_response(receipt.error());
  net::HttpResponse answer = bytes_answer(whole ? wire::to_structured_json(*event)
                                                : std::string(event->data));
  answer.headers.push_back({"cache-control", "no-store"});
  co_return answer;
}

Api::Answer Api::explain(Call call) {
  std::optional<std::string> flow;
  if (!call.arg("flow").empty()) flow = std::string(call.arg("flow"));
  auto explanation = co_await recovery::explain(parts_.store, parts_.clock, parts_.live,
                                                std::string(call.param("ref")), std::move(flow));
  if (!explanation.ok()) co_return net::problem_response(explanation.error());
  if (call.arg("format") == "text") {
    co_return text_answer(recovery::to_text(*explanation, parts_.clock.wall()),
                          "text/plain; charset=utf-8");
  }
  co_return json_answer(recovery::to_json(*explanation));
}

}  // namespace weir::api
