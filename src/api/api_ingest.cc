// SPDX-License-Identifier: Apache-2.0
// POST /v1/streams/{stream}/events: parse the envelope, dedupe, append; the answer goes out only
// after the commit.
#include <algorithm>

#include "api/answers.h"
#include "api/api.h"
#include "base/failpoint.h"
#include "base/seeded_bug.h"
#include "base/text.h"
#include "wire/cloudevents.h"
#include "wire/digest.h"

namespace weir::api {
namespace {

struct IngestResult {
  bool ok = true;
  ports::AppendResult appended;
  Error error{Code::internal, "", ""};
};

wire::EventLimits limits_of(const LimitsSpec& limits) {
  return {.event_bytes = limits.event_bytes, .batch_events = limits.batch_events};
}

Result<wire::ParsedEvents> parse_as(wire::ContentMode mode,
                                    const std::vector<wire::HeaderView>& headers,
                                    const net::HttpRequest& request, const LimitsSpec& limits) {
  if (mode == wire::ContentMode::structured)
    return wire::parse_structured(request.body, limits_of(limits));
  if (mode == wire::ContentMode::batch) return wire::parse_batch(request.body, limits_of(limits));
  const bool has_events = std::ranges::any_of(
      headers, [](const wire::HeaderView& header) { return header.first.starts_with("ce-"); });
  if (!has_events) {
    return Error{Code::invalid_event, "this request carries no CloudEvent",
                 "send ce-* headers, or Content-Type application/cloudevents+json"};
  }
  return wire::parse_binary(headers, request.body, limits_of(limits));
}

Result<wire::ParsedEvents> parse(const net::HttpRequest& request, wire::ContentMode mode,
                                 const LimitsSpec& limits) {
  std::vector<wire::HeaderView> headers;
  headers.reserve(request.headers.size());
  for (const net::HttpHeader& header : request.headers)
    headers.emplace_back(header.name, header.value);
  WEIR_TRY(auto parsed, parse_as(mode, headers, request, limits));
  parsed.adopt_trace(headers);
  return parsed;
}

net::HttpResponse busy(Error error, std::string_view seconds) {
  net::HttpResponse answer = net::problem_response(error);
  answer.headers.push_back({"retry-after", std::string(seconds)});
  return answer;
}

std::string_view status_text(const IngestResult& result) {
  if (!result.ok) return "invalid";
  switch (result.appended.status) {
    case ports::AppendStatus::stored: return "stored";
    case ports::AppendStatus::duplicate: return "duplicate";
    case ports::AppendStatus::conflict: return "conflict";
  }
  return "stored";
}

void write_error(wire::JsonWriter& json, const Error& error) {
  const CodeRow& row = describe(error.code);
  json.key("error")
      .begin_object()
      .field("code", row.id)
      .field("title", row.title)
      .field("detail", error.detail);
  json.field("status", row.http);
  if (!error.hint.empty()) json.field("hint", error.hint);
  json.end_object();
}

Error conflict_error(std::string_view stream, std::uint64_t seq) {
  return Error{
      Code::event_conflict,
      fmt::format(
          "{}#{} has the same source and id, but another type, subject, content type or data",
          stream, seq),
      "give the new event an id of its own"};
}

// In order, one entry per event of the request.
net::HttpResponse answer_of(std::string_view stream, const wire::ParsedEvents& parsed,
                            const std::vector<IngestResult>& results) {
  bool all_good = true;
  wire::JsonWriter json;
  json.begin_object().key("results").begin_array();
  for (std::size_t i = 0; i < results.size(); ++i) {
    const IngestResult& result = results[i];
    const bool conflict = result.ok && result.appended.status == ports::AppendStatus::conflict;
    json.begin_object();
    if (!parsed.entries()[i].id.empty()) json.field("id", parsed.entries()[i].id);
    json.field("status", status_text(result));
    if (result.ok && !conflict)
      json.field("ref", fmt::format("{}#{}", stream, result.appended.seq));
    if (!result.ok) write_error(json, result.error);
    if (conflict) write_error(json, conflict_error(stream, result.appended.seq));
    json.end_object();
    all_good = all_good && result.ok && (!conflict || WEIR_SEEDED_BUG("ingest.conflict_is_201"));
  }
  json.end_array().end_object();
  return json_answer(std::move(json).take(), all_good ? 201 : 207);
}

}  // namespace

Api::Answer Api::ingest(Call call) {
  const StreamRecord* stream = parts_.engine.find_stream(call.param("stream"));
  const LimitsSpec& limits = parts_.engine.config().limits;
  if (stream == nullptr || !parts_.engine.has_stream(call.param("stream"))) {
    std::vector<std::string> names;
    for (const StreamSpec& known : parts_.engine.config().streams) names.push_back(known.name);
    co_return net::problem_response(Error{
        Code::unknown_stream, fmt::format("unknown stream '{}'", printable(call.param("stream"))),
        did_you_mean(call.param("stream"), names)});
  }
  if (parts_.store.writer().pending_bytes() + call.request.body.size() >
      limits.pending_ingest_bytes) {
    co_return busy(Error{Code::overloaded,
                         "more events are waiting for their commit than memory is set aside for",
                         "try again after Retry-After; limits.pendingIngestBytes"},
                   "1");
  }
  const std::string* type = call.request.header("content-type");
  const auto mode = wire::content_mode(type == nullptr ? std::string_view{} : *type);
  if (!mode.ok()) co_return net::problem_response(mode.error());
  auto parsed = parse(call.request, *mode, limits);
  if (!parsed.ok()) co_return net::problem_response(parsed.error());

  ports::AppendEvents append{.stream = stream->id, .now = parts_.clock.wall()};
  std::vector<IngestResult> results;
  results.reserve(parsed->entries().size());
  for (const auto& entry : parsed->entries()) {
    IngestResult& result = results.emplace_back();
    result.ok = entry.ok;
    if (!entry.ok) {
      result.error = entry.error;
      continue;
    }
    append.events.push_back(
        {.dedupe_hash = wire::dedupe_hash(entry.event.source, entry.event.id, parts_.dedupe_seed),
         .record = encode_event(entry.event)});
  }
  const std::string stream_name = stream->name;
  const bool nothing_valid = append.events.empty();
  if (!nothing_valid) {
    ports::WriteBatch batch{.lane = ports::Lane::ingest};
    batch.mutations.emplace_back(std::move(append));
    (void)WEIR_FAILPOINT("ingest.before_commit");
    auto receipt = co_await parts_.store.writer().commit(std::move(batch));
    if (!receipt.ok()) co_return busy(receipt.error(), "5");
    (void)WEIR_FAILPOINT("ingest.after_commit");
    std::size_t at = 0;
    for (IngestResult& result : results) {
      if (!result.ok) continue;
      result.appended = receipt->appended[at++];
    }
    parts_.engine.appended(receipt->stored);
  }
  if (*mode == wire::ContentMode::batch) co_return answer_of(stream_name, *parsed, results);
  // A single event has a status of its own.
  if (!results.front().ok) co_return net::problem_response(results.front().error);
  if (results.front().appended.status == ports::AppendStatus::conflict) {
    co_return net::problem_response(conflict_error(stream_name, results.front().appended.seq));
  }
  co_return answer_of(stream_name, *parsed, results);
}

}  // namespace weir::api
