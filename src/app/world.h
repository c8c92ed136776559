// SPDX-License-Identifier: Apache-2.0
// The production composition: every part of a serving Weir, made in order and taken apart in
// reverse.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/api.h"
#include "api/config_history.h"
#include "app/audit_seal.h"
#include "app/config_files.h"
#include "app/egress_gate.h"
#include "app/key_rotation.h"
#include "app/listener_tls.h"
#include "app/log_lines.h"
#include "async/clock.h"
#include "async/task_group.h"
#include "delivery/engine.h"
#include "effects/gateway.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "ports/store.h"
#include "recovery/live.h"
#include "recovery/quarantine_watch.h"
#include "recovery/replays.h"
#include "telemetry/decision_log.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace weir::app {

class World {
 public:
  // `store_failed` is told when nothing can be acknowledged any more. `folder` is of the store's
  // data, "" if it has none.
  World(async::Executor executor, async::Clock& clock, std::unique_ptr<ports::Store> store,
        std::string folder, std::string config_path, std::function<void(const Error&)> store_failed,
        std::function<std::uint64_t()> random, telemetry::Log& log,
        std::shared_ptr<store::Keyring> ring = nullptr);

  // Delivers and listens. Errors are for the terminal.
  // `token_folder`: see make_first_token().
  async::Task<Result<>> start(LoadedConfig loaded, std::string token_folder);
  // Stops accepting, lets running work end within the grace, writes what was decided.
  async::Task<> drain(Duration grace);
  // Each answers with what changed, a line per change.
  async::Task<Result<std::string>> reload(std::string actor, std::string reason = "");
  async::Task<Result<std::string>> rollback(std::uint64_t number, std::string actor,
                                            std::string reason);

  std::uint16_t port() const { return server_->port(); }
  // Where the first admin token was put by this start; "" if none was needed.
  const std::string& first_token_file() const { return first_token_file_; }

 private:
  struct Pool {
    DependencySpec dependency;
    Duration connect;
    EgressSpec egress;
    std::shared_ptr<net::HttpClientPool> pool;
  };
  using Pools = std::map<std::string, Pool>;
  Result<std::shared_ptr<ports::Handler>> make_handler(const DependencySpec& dependency,
                                                       const FlowSpec& flow);
  Duration connect_timeout(const DependencySpec& dependency, const FlowSpec& flow) const;
  void allow_egress(const Config& config);
  Result<std::shared_ptr<net::HttpClientPool>> pool_of(Pools& pools,
                                                       const DependencySpec& dependency,
                                                       Duration connect,
                                                       const net::AnswerLimits& answer);
  Duration effect_connect_timeout(const DependencySpec& dependency) const;
  async::Task<Outcome> send_effect(effects::Send send);
  std::optional<net::HttpResponse> screen(const net::HttpRequest& request);
  async::Task<net::HttpResponse> handle(net::HttpRequest request);
  void register_gauges();
  void register_dependency_gauges();
  void register_denials();
  void register_effects();
  void register_access_gauges();
  async::Task<std::uint64_t> dedupe_seed();
  async::Task<Result<std::string>> redaction_secret();
  async::Task<Result<>> announce_config(std::vector<config::SourceFile> files);
  async::Task<Result<>> open_gate(const Config& config);
  async::Task<Result<>> listen(const Config& config, std::string token_folder);
  async::Task<Result<>> begin_history(std::vector<config::SourceFile> files);
  // `version` tells by whom and why.
  async::Task<Result<std::string>> put_in_force(Result<LoadedConfig> loaded,
                                                config::Version version);
  async::Task<Error> refuse_config(Error error, config::Version version);
  async::Task<> keep_counts();  // refreshes what /metrics cannot read at once, and tells the log
  async::Task<> tell_changes();
  async::Task<> renew_certificate();
  void tell_guesses();
  async::Task<> close_unused_pools();
  async::Task<> keep_retention();
  async::Task<> discard_archived();
  async::Task<> audit_trips(std::vector<AuditEntry> trips);

  async::Executor executor_;
  async::Clock& clock_;
  std::unique_ptr<ports::Store> store_;
  KeyRotation keys_;
  std::string config_path_;
  std::function<std::uint64_t()> random_;
  telemetry::Registry metrics_;
  telemetry::Log& log_;
  telemetry::DecisionLog decision_log_;
  EgressGate egress_gate_;
  EgressSpec egress_;  // of the gate
  Pools pools_;
  Pools effect_pools_;  // their answers are kept whole
  std::vector<std::shared_ptr<net::HttpClientPool>> old_pools_;
  std::unique_ptr<recovery::Replays> replays_;
  recovery::Live live_;
  recovery::QuarantineWatch quarantine_watch_;
  std::unique_ptr<delivery::Engine> engine_;
  std::unique_ptr<effects::Gateway> gateway_;
  api::ConfigHistory history_;
  api::Tokens tokens_;
  std::unique_ptr<api::Gate> gate_;
  std::string first_token_file_;
  std::unique_ptr<api::Api> api_;
  std::unique_ptr<net::HttpServer> server_;
  ListenerTls listener_tls_;
  async::TaskGroup chores_;
  std::vector<ports::FlowCounts> counts_;
  std::vector<std::pair<std::string, std::uint64_t>> in_doubt_;  // effects, by dependency
  AuditTail audit_tail_;
  AuditSeal audit_seal_;
  struct Told {
    MonoTime at;
    bool once = false;
    std::uint64_t left_out = 0;  // since then
  };
  std::map<std::string, Told> trip_told_;  // by action and target
  MonoTime next_look_{};                   // at the alarms of quarantine
  MonoTime next_discard_{};                // of what was archived long ago
  MonoTime next_guesses_{};
  std::uint64_t guesses_told_ = 0;
  bool store_full_ = false;
  bool ready_ = false;
  bool stopping_ = false;
  bool reloading_ = false;
};

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace weir::app
