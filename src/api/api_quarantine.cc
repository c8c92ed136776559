// SPDX-License-Identifier: Apache-2.0
#include "api/answers.h"
#include "api/api.h"
#include "api/views.h"
#include "recovery/hidden_question.h"
#include "recovery/quarantine.h"
#include "recovery/references.h"
#include "recovery/selection.h"

namespace weir::api {
namespace {

struct SettleRequest {
  Selection selection;
  std::string reason;
  bool dry_run = false;
  bool break_glass = false;
};

Result<SettleRequest> settle_request(const Call& call, WallTime now,
                                     const ApprovalsSpec& approvals) {
  std::vector<std::string> known = selection_members();
  known.insert(known.end(), {"reason", "dryRun", "breakGlass"});
  WEIR_TRY(const JsonBody body, JsonBody::parse(call.request.body, known));
  SettleRequest request;
  WEIR_TRY(request.selection, selection_of(body, now));
  WEIR_TRY(request.reason, body.text("reason"));
  WEIR_TRY(request.dry_run, body.flag("dryRun"));
  WEIR_TRY(request.break_glass, break_glass_in(body, call.caller, approvals));
  return request;
}

Result<Selection> selection_of_query(const Call& call, WallTime now) {
  Selection selection;
  selection.group = call.arg("group");
  selection.flow = call.arg("flow");
  selection.where = call.arg("where");
  selection.dependency = call.arg("dependency");
  selection.key = call.arg("key");
  selection.type = call.arg("type");
  WEIR_TRY(selection.mark, mark_argument(call.arg("mark")));
  WEIR_TRY(selection.status, status_argument(call.arg("status")));
  WEIR_TRY(selection.failure, class_argument(call.arg("class")));
  WEIR_TRY(selection.since, time_argument("since", call.arg("since"), now));
  WEIR_TRY(selection.until, time_argument("until", call.arg("until"), now));
  return selection;
}

// What matches would tell what is hidden, one guess at a time, and nobody would know who asked.
Result<> check_question(const recovery::Live& live, const Selection& selection) {
  if (recovery::hidden_places(live, selection).empty()) return {};
  return Error{Code::invalid_argument, "it asks for what is redacted: what matches would tell it",
               "a dry run of a replay plan with a reason may ask; the audit says who and why"};
}

net::HttpResponse settle_answer(const recovery::BulkResult& result, bool dry_run) {
  wire::JsonWriter json;
  json.begin_object()
      .field("dryRun", dry_run)
      .field("selected", result.selected)
      .field("settled", result.settled);
  json.field("skipped", result.skipped).key("samples").begin_array();
  for (const std::string& sample : result.samples) json.value(sample);
  json.end_array().end_object();
  return json_answer(std::move(json).take());
}

}  // namespace

Api::Answer Api::quarantine(Call call) {
  auto limit = page_size(call.arg("limit"), 100, 1000);
  if (!limit.ok()) co_return net::problem_response(limit.error());
  auto after = parse_cursor(call.arg("cursor"));
  if (!after.ok()) co_return net::problem_response(after.error());
  auto selection = selection_of_query(call, parts_.clock.wall());
  if (!selection.ok()) co_return net::problem_response(selection.error());
  if (const auto open = check_question(parts_.live, *selection); !open.ok())
    co_return net::problem_response(open.error());
  if (!selection->where.empty() && !policy::may(call.caller.roles, policy::Need::operate)) {
    co_return net::problem_response(Error{Code::forbidden,
                                          "a pattern asks about payloads, which takes an operator",
                                          "ask by flow, group, class, type or status"});
  }
  Result<std::vector<Delivery>> rows = std::vector<Delivery>{};
  if (selection->empty()) {
    rows = co_await parts_.store.deliveries().list(ports::DeliveryQuery{
        .state = DeliveryState::quarantined, .after = *after, .limit = *limit});
  } else {
    auto resolved = co_await recovery::resolve_selection(parts_.store, parts_.live, *selection);
    if (!resolved.ok()) co_return net::problem_response(resolved.error());
    rows = co_await recovery::selected_page(parts_.store, *resolved, *after, *limit);
  }
  if (!rows.ok()) co_return net::problem_response(rows.error());
  wire::JsonWriter json;
  json.begin_object().key("deliveries").begin_array();
  for (const Delivery& row : *rows) write_delivery(json, parts_.live, row, false);
  json.end_array();
  if (rows->size() == *limit) json.field("cursor", to_cursor(rows->back().ref));
  json.end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::settle(Call call, recovery::Settle what) {
  auto request = settle_request(call, parts_.clock.wall(), parts_.engine.config().approvals);
  if (!request.ok()) co_return net::problem_response(request.error());
  auto result = co_await recovery::settle_quarantined(
      parts_.store, parts_.clock, parts_.live, what, request->selection,
      doer_of(call, request->reason, request->break_glass), request->dry_run);
  if (!result.ok()) co_return net::problem_response(result.error());
  co_return settle_answer(*result, request->dry_run);
}

Api::Answer Api::resolve(Call call) {
  co_return co_await settle(std::move(call), recovery::Settle::resolve);
}
Api::Answer Api::discard(Call call) {
  co_return co_await settle(std::move(call), recovery::Settle::discard);
}

Api::Answer Api::archive(Call call) {
  co_return co_await settle(std::move(call), recovery::Settle::archive);
}
Api::Answer Api::restore(Call call) {
  co_return co_await settle(std::move(call), recovery::Settle::restore);
}

}  // namespace weir::api
