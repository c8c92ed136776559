// SPDX-License-Identifier: Apache-2.0
// The native HTTP API under /v1, the probes and /metrics: one table of routes over the engine,
// recovery and the store. Answers are JSON in camelCase; errors are RFC 9457 problems. openapi.json
// beside this file describes every route, is served at /v1/openapi.json, and a test compares it
// with the table. I/O thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/config_history.h"
#include "api/gate.h"
#include "api/tokens.h"
#include "async/clock.h"
#include "async/task.h"
#include "delivery/engine.h"
#include "effects/gateway.h"
#include "net/http_message.h"
#include "ports/store.h"
#include "recovery/live.h"
#include "recovery/quarantine.h"
#include "recovery/quarantine_watch.h"
#include "recovery/replays.h"

namespace weir::api {

// What was signed of the audit, oldest first; nothing without a data folder.
struct AuditSeals {
  std::string public_key;  // hex, or ""
  std::vector<AuditCheckpoint> checkpoints;
};

struct ApiParts {
  ports::Store& store;
  async::Clock& clock;
  delivery::Engine& engine;
  effects::Gateway& gateway;
  recovery::Replays& replays;
  const recovery::Live& live;
  const recovery::QuarantineWatch& quarantine_watch;
  std::string version;
  std::uint64_t dedupe_seed = 0;
  std::function<std::string()> metrics;  // Prometheus text, scraped now
  std::function<bool()> ready;           // /readyz
  // Answers with what changed, one change a line.
  std::function<async::Task<Result<std::string>>(std::string actor, std::string reason)> reload;
  std::function<async::Task<Result<std::string>>(std::uint64_t version, std::string actor,
                                                 std::string reason)>
      rollback;
  const ConfigHistory& history;
  std::function<Result<std::vector<config::SourceFile>>()> read_files;  // what a reload would read
  std::function<AuditSeals()> audit_seals;
  Gate& gate;
  Tokens& tokens;
  std::function<std::string()> secret;  // of a new token: kTokenSecretBytes random bytes
};

// A request that found its route.
struct Call {
  net::HttpRequest request;
  std::map<std::string, std::string, std::less<>> path;  // {stream} -> "github"
  std::map<std::string, std::string, std::less<>>
      query;  // decoded; of repeated names the last counts
  Caller caller;
  std::string actor;  // the caller's

  std::string_view param(std::string_view name) const;  // path parameter
  std::string_view arg(std::string_view name) const;    // query parameter, or ""
};

// Who it is, for what they want to do.
recovery::Doer doer_of(const Call& call, std::string reason, bool break_glass = false);

class Api {
 public:
  explicit Api(ApiParts parts);
  async::Task<net::HttpResponse> handle(net::HttpRequest request);
  // The answer to a request that is not let in, before its body has come.
  std::optional<net::HttpResponse> screen(const net::HttpRequest& request);

  struct Route {
    std::string_view method;
    std::string_view pattern;  // "/v1/streams/{stream}/events"
    policy::Need need;         // before the rest, so that a route without one does not compile
    policy::Reach reach;
    async::Task<net::HttpResponse> (Api::*run)(Call);
    std::vector<std::string> query{};  // the parameters it knows; others are refused
  };
  static std::vector<Route> routes();

 private:
  using Answer = async::Task<net::HttpResponse>;

  // routes.cc
  static std::vector<Route> delivery_routes();
  static std::vector<Route> recovery_routes();
  static std::vector<Route> server_routes();

  // api_ingest.cc
  Answer ingest(Call call);
  // api_status.cc
  Answer status(Call call);
  Answer live_probe(Call call);
  Answer ready_probe(Call call);
  Answer metrics(Call call);
  Answer openapi(Call call);
  Answer streams(Call call);
  // api_audit.cc
  Answer audit(Call call);
  Answer audit_checkpoints(Call call);
  // api_streams.cc
  Answer shred_stream(Call call);
  // api_dependencies.cc
  Answer dependencies(Call call);
  Answer dependency(Call call);
  Answer control_breaker(Call call);
  // api_tokens.cc
  Answer tokens(Call call);
  Answer create_token(Call call);
  Answer revoke_token(Call call);
  // api_approvals.cc
  Answer approvals(Call call);
  Answer grant_approval(Call call);
  Answer void_approval(Call call);
  Answer approve_replay(Call call);
  // watch.cc
  Answer watch(Call call);
  struct Watcher;
  static std::string look(Watcher& watcher, MonoTime now);
  static async::Task<std::string> next_change(std::shared_ptr<Watcher> watcher);
  // api_config.cc
  Answer reload(Call call);
  Answer rollback(Call call);
  Answer config_versions(Call call);
  Answer config_version(Call call);
  Answer config_diff(Call call);
  // api_flows.cc
  Answer flows(Call call);
  Answer flow(Call call);
  Answer pause_flow(Call call);
  Answer resume_flow(Call call);
  Answer remove_flow(Call call);
  // api_events.cc
  Answer list_events(Call call);
  Answer event(Call call);
  Answer event_payload(Call call);
  Answer reveal_event(Call call);
  Answer explain(Call call);
  // api_edit.cc
  Answer edit_document(Call call);
  Answer edit_delivery(Call call);
  Answer revisions(Call call);
  // api_groups.cc
  Answer groups(Call call);
  Answer group(Call call);
  Answer answer_with(Group group);
  Answer annotate_group(Call call);
  Answer group_insight(Call call);
  Answer split_group(Call call);
  Answer mark(Call call);
  // api_quarantine.cc
  Answer quarantine(Call call);
  Answer resolve(Call call);
  Answer discard(Call call);
  Answer archive(Call call);
  Answer restore(Call call);
  Answer settle(Call call, recovery::Settle what);
  // api_effects.cc
  Answer effects(Call call);
  Answer effect(Call call);
  Answer answer_with(Caller caller, Result<Effect> effect);
  async::Task<Result<>> check_dependency(std::string name);
  Answer resolve_effect(Call call);
  Answer reconcile_effect(Call call);
  // api_replays.cc
  Answer list_replays(Call call);
  Answer plan_replay(Call call);
  Answer dry_run(ReplayPlan plan);
  Answer edit_replay(Call call);
  Answer replay(Call call);
  Answer replay_items(Call call);
  Answer run_replay(Call call);
  Answer pause_replay(Call call);
  Answer resume_replay(Call call);
  Answer slow_replay(Call call);
  Answer abort_replay(Call call);
  Answer command_replay(Call call, ReplayState wanted);

  Result<> check_scope(const Route& route, const Call& call) const;
  net::HttpResponse no_route(const net::HttpRequest& request) const;

  ApiParts parts_;
  std::vector<Route> routes_;
  std::size_t watchers_ = 0;
};

}  // namespace weir::api
