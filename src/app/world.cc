// SPDX-License-Identifier: Apache-2.0
#include "app/world.h"

#include <utility>

#include "app/config_files.h"
#include "app/wiring.h"
#include "config/diff.h"
#include "handlers/http/http_handler.h"
#include "net/url.h"

namespace weir::app {
namespace {

constexpr std::string_view kSeedKey = "dedupe.seed";
constexpr Duration kCountsEvery = std::chrono::seconds{2};
constexpr Duration kTripsEvery = std::chrono::minutes{1};  // per breaker, in the audit trail
constexpr Duration kQuarantineEvery = std::chrono::seconds{4};
constexpr Duration kDiscardEvery = std::chrono::minutes{10};
constexpr Duration kRetentionEvery = std::chrono::seconds{30};

net::HttpServerOptions server_options(const LimitsSpec& limits) {
  net::HttpServerOptions options;
  options.request.header_bytes = limits.header_bytes;
  options.request.body_bytes = limits.body_bytes;
  options.connections = limits.connections;
  options.bodies_bytes = limits.pending_ingest_bytes;
  return options;
}

std::string one_line(std::string_view lines) {
  std::string text;
  for (const char c : lines) c == '\n' ? text += "; " : text += c;
  return text;
}

}  // namespace

World::World(async::Executor executor, async::Clock& clock, std::unique_ptr<ports::Store> store,
             std::string config_path, std::function<void(const Error&)> store_failed,
             std::function<std::uint64_t()> random, telemetry::Log& log,
             std::shared_ptr<store::Keyring> ring)
    : executor_(executor),
      clock_(clock),
      store_(std::move(store)),
      keys_(*store_, clock, std::move(ring)),
      config_path_(std::move(config_path)),
      random_(std::move(random)),
      log_(log),
      decision_log_(metrics_, log_, clock,
                    [this](StreamId id) { return engine_->stream_name(id); }),
      history_(*store_),
      chores_(executor),
      audit_tail_(store_->recovery(), log) {
  live_ = wire_recovery(executor, engine_, clock_);
  replays_ = std::make_unique<recovery::Replays>(executor, *store_, clock_, live_);
  engine_ = std::make_unique<delivery::Engine>(delivery::EngineOptions{
      .executor = executor,
      .clock = clock_,
      .store = *store_,
      .seed = random_(),
      .make_handler = [this](const DependencySpec& dependency,
                             const FlowSpec& flow) { return make_handler(dependency, flow); },
      .sinks = {&decision_log_, replays_.get()},
      .on_error =
          [this](const Error& error) { log_.error(clock_.wall(), "delivery.error", error); },
      .on_store_failed = std::move(store_failed),
  });
  register_gauges();
}

async::Task<std::uint64_t> World::dedupe_seed() {
  auto stored = co_await store_->flows().meta(std::string(kSeedKey));
  if (stored.ok() && stored->has_value()) co_return std::stoull(**stored);
  const std::uint64_t seed = random_();
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::PutMeta{std::string(kSeedKey), std::to_string(seed)});
  (void)co_await store_->writer().commit(std::move(batch));
  co_return seed;
}

async::Task<Result<>> World::start(LoadedConfig loaded) {
  const Config& config = loaded.config;
  co_await audit_tail_.start();
  auto keys = co_await keys_.finish("weir", "start");
  if (!keys.ok()) co_return keys;
  const std::uint64_t seed = co_await dedupe_seed();
  auto started = co_await engine_->start(config);
  if (!started.ok()) co_return started;
  auto history = co_await begin_history(std::move(loaded.files));
  if (!history.ok()) co_return history;
  auto replays = co_await replays_->start();
  if (!replays.ok()) co_return replays;
  api_ = std::make_unique<api::Api>(api::ApiParts{
      .store = *store_,
      .clock = clock_,
      .engine = *engine_,
      .replays = *replays_,
      .live = live_,
      .quarantine_watch = quarantine_watch_,
      .version = std::string(kVersion),
      .dedupe_seed = seed,
      .metrics = [this] { return metrics_.text(); },
      .ready = [this] { return ready_ && !stopping_; },
      .reload = [this](std::string actor,
                       std::string reason) { return reload(std::move(actor), std::move(reason)); },
      .rollback =
          [this](std::uint64_t number, std::string actor, std::string reason) {
            return rollback(number, std::move(actor), std::move(reason));
          },
      .history = history_,
      .read_files = [this] { return read_config_files(config_path_); },
  });
  server_ = std::make_unique<net::HttpServer>(
      executor_, clock_, server_options(config.limits),
      [this](net::HttpRequest request) { return api_->handle(std::move(request)); });
  auto listening = server_->listen(config.listen_host, config.listen_port);
  if (!listening.ok()) co_return listening;
  chores_.spawn(keep_counts());
  chores_.spawn(keep_retention());
  ready_ = true;
  co_return Result<>{};
}

async::Task<> World::drain(Duration grace) {
  stopping_ = true;
  const MonoTime deadline = clock_.mono() + grace;
  if (server_) co_await server_->drain(deadline);
  co_await engine_->drain(deadline);
  for (auto& [name, pool] : pools_) co_await pool.pool->close();
  for (auto& pool : old_pools_) co_await pool->close();
  clock_.cancel_sleeps();
  co_await replays_->drain();
  co_await chores_.join();
  co_await engine_->join();
  co_await tell_changes();
  decision_log_.flush(true);
}

Error World::refuse_config(Error error) {
  error.hint += error.hint.empty() ? "" : "; ";
  error.hint += "the configuration in force stays as it was";
  log_.error(clock_.wall(), "config.refused", error);
  return error;
}

async::Task<Result<std::string>> World::reload(std::string actor, std::string reason) {
  co_return co_await put_in_force(load_config(config_path_),
                                  {.actor = std::move(actor), .reason = std::move(reason)});
}

async::Task<Result<std::string>> World::rollback(std::uint64_t number, std::string actor,
                                                 std::string reason) {
  auto version = co_await history_.find(number);
  if (!version.ok()) co_return version.error();
  if (!version->has_value()) {
    co_return Error{Code::config_version_unknown,
                    fmt::format("there is no version {} of the configuration", number),
                    "`weir config history` lists those that are kept"};
  }
  if ((*version)->files.empty()) {
    co_return Error{Code::config_version_unknown,
                    fmt::format("version {} was too large to be kept", number),
                    "put its files back and use `weir config reload`"};
  }
  if (history_.is_newest((*version)->files)) {
    co_return Error{Code::conflict, fmt::format("the text of version {} is in force", number),
                    "`weir config history` lists the others"};
  }
  co_return co_await put_in_force(
      load_config((*version)->files),
      {.actor = std::move(actor), .reason = std::move(reason), .rolled_back_to = number});
}

async::Task<Result<std::string>> World::put_in_force(Result<LoadedConfig> loaded,
                                                     config::Version version) {
  if (reloading_)
    co_return Error{Code::conflict, "a reload is running", "try again when it is done"};
  if (!loaded.ok()) co_return refuse_config(loaded.error());
  reloading_ = true;
  version.at = clock_.wall();
  const std::string actor = version.actor;
  log_warnings(log_, version.at, loaded->warnings);
  Config& config = loaded->config;
  std::string changes = config::diff(engine_->config(), config);
  if (changes.ends_with('\n')) changes.pop_back();
  // What is bound to the process stays as it was.
  config.listen_host = engine_->config().listen_host;
  config.listen_port = engine_->config().listen_port;
  auto applied = co_await keys_.reload(config.encryption, actor, version.reason);
  if (applied.ok()) applied = co_await engine_->apply(std::move(config));
  if (!applied.ok()) {
    reloading_ = false;
    co_return refuse_config(applied.error());
  }
  server_->update(server_options(engine_->config().limits));
  const bool back = version.rolled_back_to != 0;
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  const bool fresh = !history_.is_newest(loaded->files);
  version.files = std::move(loaded->files);
  if (fresh) batch.mutations = history_.add(version);
  batch.mutations.emplace_back(ports::AddAudit{
      AuditEntry{.at = version.at,
                 .actor = version.actor,
                 .action = back ? "config.rollback" : "config.reload",
                 .target = back ? fmt::format("version {}", version.rolled_back_to) : config_path_,
                 .reason = version.reason,
                 .detail = one_line(changes)}});
  auto written = co_await store_->writer().commit(std::move(batch));
  if (written.ok() && fresh) history_.committed(std::move(version));
  reloading_ = false;
  if (!written.ok()) co_return written.error();
  log_.write(clock_.wall(), telemetry::Level::info, back ? "config.rolledBack" : "config.reloaded",
             changes.empty() ? "nothing changed" : one_line(changes), [&](wire::JsonWriter& json) {
               json.field("version", history_.newest() ? history_.newest()->number : 0);
               json.field("actor", actor);
             });
  co_return changes;
}

// What the process starts with is a version, unless it is what the last one ended with.
async::Task<Result<>> World::begin_history(std::vector<config::SourceFile> files) {
  auto started = co_await history_.start();
  if (!started.ok()) co_return started;
  if (history_.is_newest(files)) co_return Result<>{};
  config::Version version{
      .at = clock_.wall(), .actor = "weir", .reason = "start", .files = std::move(files)};
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations = history_.add(version);
  auto written = co_await store_->writer().commit(std::move(batch));
  if (!written.ok()) co_return written.error();
  history_.committed(std::move(version));
  co_return Result<>{};
}

// The flows of a dependency share its connections: the most patient one's connect timeout counts.
Duration World::connect_timeout(const DependencySpec& dependency, const FlowSpec& flow) const {
  Duration longest = flow.policy.timeouts.connect;
  for (const FlowSpec& other : engine_->config().flows) {
    if (other.dependency == dependency.name)
      longest = std::max(longest, other.policy.timeouts.connect);
  }
  return longest;
}

Result<std::shared_ptr<net::HttpClientPool>> World::pool_of(const DependencySpec& dependency,
                                                            Duration connect) {
  const auto found = pools_.find(dependency.name);
  if (found != pools_.end()) {
    const DependencySpec& old = found->second.dependency;
    const bool same = old.url == dependency.url && old.ca_file == dependency.ca_file &&
                      old.policy.concurrency == dependency.policy.concurrency &&
                      found->second.connect == connect;
    if (same) return found->second.pool;
    old_pools_.push_back(found->second.pool);
  }
  WEIR_TRY(net::Url url, net::parse_url(dependency.url));
  WEIR_TRY(auto opened, net::HttpClientPool::open(
                            executor_, clock_,
                            {.url = std::move(url),
                             .ca_file = dependency.ca_file,
                             .connections = dependency.policy.concurrency.max_parallel_requests,
                             .connect_timeout = connect}));
  std::shared_ptr<net::HttpClientPool> pool = std::move(opened);
  pools_.insert_or_assign(dependency.name, Pool{dependency, connect, pool});
  return pool;
}

Result<std::shared_ptr<ports::Handler>> World::make_handler(const DependencySpec& dependency,
                                                            const FlowSpec& flow) {
  WEIR_TRY(auto pool, pool_of(dependency, connect_timeout(dependency, flow)));
  WEIR_TRY(const net::Url url, net::parse_url(dependency.url));
  handlers::http::HttpHandlerOptions options{.pool = std::move(pool),
                                             .target = net::join_paths(url.path, flow.path),
                                             .headers = dependency.headers,
                                             .user_agent = fmt::format("weir/{}", kVersion)};
  options.headers.insert(options.headers.end(), flow.headers.begin(), flow.headers.end());
  return std::shared_ptr<ports::Handler>(handlers::http::make_http_handler(std::move(options)));
}

async::Task<> World::keep_counts() {
  while (!stopping_) {
    auto counts = co_await store_->flows().counts();
    if (counts.ok()) counts_ = std::move(*counts);
    co_await engine_->look_at_ages(counts_);
    if (clock_.mono() >= next_look_) {
      next_look_ = clock_.mono() + kQuarantineEvery;
      (void)co_await quarantine_watch_.look(*store_, live_, engine_->config().quarantine,
                                            clock_.wall());
    }
    co_await tell_changes();
    co_await close_unused_pools();
    decision_log_.flush(false);
    if (!stopping_) co_await clock_.sleep_until(clock_.mono() + kCountsEvery);
  }
}

// Pools that a reload replaced, once no handler has them any more.
async::Task<> World::close_unused_pools() {
  std::vector<std::shared_ptr<net::HttpClientPool>> unused;
  for (auto& pool : old_pools_) {
    if (pool.use_count() == 1) unused.push_back(std::move(pool));
  }
  std::erase(old_pools_, nullptr);
  for (auto& pool : unused) co_await pool->close();
}

// What people look for after a failure: the trail has a breaker that tripped by itself, too.
async::Task<> World::audit_trips(std::vector<AuditEntry> trips) {
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  for (AuditEntry& trip : trips) {
    const auto [told, first] = trip_told_.try_emplace(trip.target, clock_.mono());
    if (!first && clock_.mono() - told->second < kTripsEvery) continue;
    told->second = clock_.mono();
    batch.mutations.emplace_back(ports::AddAudit{std::move(trip)});
  }
  if (!batch.mutations.empty()) (void)co_await store_->writer().commit(std::move(batch));
}

async::Task<> World::tell_changes() {
  std::vector<AuditEntry> trips;
  for (delivery::Dispatcher* one : engine_->dispatchers()) {
    const MonoTime now = clock_.mono();
    for (policy::PathBreaker& of_path : one->guardrails().breakers()) {
      (void)of_path.breaker.state(now);  // time alone may have changed it
      while (const auto transition = of_path.breaker.take_transition()) {
        const WallTime at = clock_.wall() - (now - transition->at);
        log_transition(log_, at, one->spec().name, of_path.path, *transition);
        const bool opened = transition->from == policy::Breaker::State::closed &&
                            transition->to == policy::Breaker::State::open && !transition->by_hand;
        if (opened)
          trips.push_back(
              AuditEntry{.at = at,
                         .actor = "weir",
                         .action = "breaker.trip",
                         .target = one->spec().name + of_path.path,
                         .reason = fmt::format("{:.0f} % of {} calls failed",
                                               transition->failure_percent, transition->calls)});
      }
    }
  }
  co_await audit_trips(std::move(trips));
  const ports::StoreStatus status = co_await store_->info();
  if (std::exchange(store_full_, status.full) != status.full) {
    log_.write(clock_.wall(), status.full ? telemetry::Level::error : telemetry::Level::info,
               status.full ? "store.full" : "store.room",
               status.full ? "no space left: ingest is refused, deliveries go on"
                           : "there is space again: ingest goes on");
  }
  co_await audit_tail_.tell();
}

async::Task<> World::keep_retention() {
  while (!stopping_) {
    co_await clock_.sleep_until(clock_.mono() + kRetentionEvery);
    bool more = !stopping_;
    while (more && !stopping_) more = co_await engine_->trim_step();
    if (!stopping_) co_await discard_archived();
  }
}

async::Task<> World::discard_archived() {
  const Duration keep = engine_->config().quarantine.keep_archived;
  if (keep <= Duration::zero()) co_return;
  if (clock_.mono() < next_discard_) co_return;
  next_discard_ = clock_.mono() + kDiscardEvery;
  auto done = co_await recovery::discard_archived(*store_, clock_, live_, keep);
  if (!done.ok()) log_.error(clock_.wall(), "quarantine.retention", done.error());
}

}  // namespace weir::app
