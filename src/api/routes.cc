// SPDX-License-Identifier: Apache-2.0
// The table of routes: who may ask for what.
#include "api/api.h"

namespace weir::api {

// Streams, events, flows, and what went wrong.
std::vector<Api::Route> Api::delivery_routes() {
  using enum policy::Need;
  using enum policy::Reach;
  return {
      {"POST", "/v1/streams/{stream}/events", produce, stream, &Api::ingest},
      {"GET", "/v1/streams", read, listing, &Api::streams},
      {"POST", "/v1/streams/{stream}/shred", administer, whole, &Api::shred_stream},
      {"GET", "/v1/events", read, stream, &Api::list_events, {"stream", "from", "limit"}},
      {"GET", "/v1/events/{ref}", read, whole, &Api::event},
      {"GET", "/v1/events/{ref}/payload", operate, whole, &Api::event_payload},
      {"POST", "/v1/events/{ref}/reveal", operate, whole, &Api::reveal_event, {"as"}},
      {"GET", "/v1/events/{ref}/explain", read, whole, &Api::explain, {"flow", "format"}},
      {"GET", "/v1/events/{ref}/edit", operate, whole, &Api::edit_document, {"flow"}},
      {"POST", "/v1/events/{ref}/edit", operate, whole, &Api::edit_delivery, {"flow"}},
      {"GET", "/v1/events/{ref}/revisions", operate, whole, &Api::revisions, {"flow"}},
      {"GET", "/v1/flows", read, listing, &Api::flows},
      {"GET", "/v1/flows/{flow}", read, flow, &Api::flow},
      {"POST", "/v1/flows/{flow}/pause", operate, flow, &Api::pause_flow},
      {"POST", "/v1/flows/{flow}/resume", operate, flow, &Api::resume_flow},
      {"DELETE", "/v1/flows/{flow}", administer, flow, &Api::remove_flow},
      {"GET", "/v1/dependencies", read, whole, &Api::dependencies},
      {"GET", "/v1/dependencies/{dependency}", read, whole, &Api::dependency},
      {"POST", "/v1/dependencies/{dependency}/breaker", operate, whole, &Api::control_breaker},
      {"GET", "/v1/groups", read, whole, &Api::groups, {"all"}},
      {"GET", "/v1/groups/{group}", read, whole, &Api::group},
      {"PATCH", "/v1/groups/{group}", operate, whole, &Api::annotate_group},
      {"GET", "/v1/groups/{group}/insight", operate, whole, &Api::group_insight},
      {"GET", "/v1/groups/{group}/split", operate, whole, &Api::split_group, {"by"}},
      {"GET",
       "/v1/quarantine",
       read,
       flow,
       &Api::quarantine,
       {"group", "flow", "dependency", "class", "status", "key", "type", "mark", "since", "until",
        "where", "limit", "cursor"}},
      {"POST", "/v1/quarantine/resolve", operate, whole, &Api::resolve},
      {"POST", "/v1/quarantine/discard", operate, whole, &Api::discard},
      {"POST", "/v1/quarantine/archive", operate, whole, &Api::archive},
      {"POST", "/v1/quarantine/restore", operate, whole, &Api::restore},
  };
}

// Replays and effects.
std::vector<Api::Route> Api::recovery_routes() {
  using enum policy::Need;
  using enum policy::Reach;
  return {
      {"GET", "/v1/replays", read, whole, &Api::list_replays},
      {"POST", "/v1/replays", operate, whole, &Api::plan_replay, {"dryRun", "reason"}},
      {"GET", "/v1/replays/{replay}", read, whole, &Api::replay, {"joined"}},
      {"PUT", "/v1/replays/{replay}", operate, whole, &Api::edit_replay, {"reason"}},
      {"GET",
       "/v1/replays/{replay}/items",
       read,
       whole,
       &Api::replay_items,
       {"state", "limit", "cursor"}},
      {"POST", "/v1/replays/{replay}/run", operate, whole, &Api::run_replay},
      {"POST", "/v1/replays/{replay}/pause", operate, whole, &Api::pause_replay},
      {"POST", "/v1/replays/{replay}/resume", operate, whole, &Api::resume_replay},
      {"POST", "/v1/replays/{replay}/slow", operate, whole, &Api::slow_replay},
      {"POST", "/v1/replays/{replay}/abort", operate, whole, &Api::abort_replay},
      {"POST", "/v1/replays/{replay}/approve", approve, whole, &Api::approve_replay},
      {"GET", "/v1/approvals", read, whole, &Api::approvals, {"state"}},
      {"POST", "/v1/approvals/{approval}/grant", approve, whole, &Api::grant_approval},
      {"GET",
       "/v1/effects",
       read,
       whole,
       &Api::effects,
       {"state", "dependency", "flow", "limit", "cursor"}},
      {"GET", "/v1/effects/{effect}", read, whole, &Api::effect},
      {"POST", "/v1/effects/{effect}/resolve", operate, whole, &Api::resolve_effect},
      {"POST", "/v1/effects/{effect}/reconcile", operate, whole, &Api::reconcile_effect},
  };
}

// The audit, the configuration, tokens, probes.
std::vector<Api::Route> Api::server_routes() {
  using enum policy::Need;
  using enum policy::Reach;
  return {
      {"POST", "/v1/markers", operate, whole, &Api::mark},
      {"GET",
       "/v1/audit",
       read,
       whole,
       &Api::audit,
       {"before", "after", "limit", "actor", "action", "target", "since"}},
      {"GET", "/v1/audit/checkpoints", read, whole, &Api::audit_checkpoints},
      {"GET", "/v1/status", read, whole, &Api::status},
      {"GET", "/v1/watch", read, whole, &Api::watch},
      {"POST", "/v1/config/reload", administer, whole, &Api::reload},
      {"POST", "/v1/config/rollback", administer, whole, &Api::rollback},
      {"GET", "/v1/config/versions", read, whole, &Api::config_versions},
      {"GET", "/v1/config/versions/{version}", operate, whole, &Api::config_version},
      {"GET", "/v1/config/diff", operate, whole, &Api::config_diff, {"from", "to"}},
      {"GET", "/v1/tokens", administer, whole, &Api::tokens},
      {"POST", "/v1/tokens", administer, whole, &Api::create_token},
      {"DELETE", "/v1/tokens/{token}", administer, whole, &Api::revoke_token},
      {"GET", "/v1/openapi.json", open, listing, &Api::openapi},
      {"GET", "/livez", open, listing, &Api::live_probe},
      {"GET", "/readyz", open, listing, &Api::ready_probe},
      {"GET", "/startupz", open, listing, &Api::ready_probe},
      {"GET", "/metrics", read, whole, &Api::metrics},
  };
}

std::vector<Api::Route> Api::routes() {
  std::vector<Route> all = delivery_routes();
  for (const auto& more : {recovery_routes(), server_routes()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace weir::api
