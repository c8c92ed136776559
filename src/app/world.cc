// SPDX-License-Identifier: Apache-2.0
#include "app/world.h"

#include <utility>

#include "api/effect_door.h"
#include "app/config_files.h"
#include "app/first_token.h"
#include "app/wiring.h"
#include "config/diff.h"
#include "handlers/http/http_handler.h"
#include "net/url.h"

namespace weir::app {
namespace {

constexpr std::string_view kSeedKey = "dedupe.seed";
constexpr std::string_view kRedactionKey = "redaction.secret";
constexpr Duration kDiscardEvery = std::chrono::minutes{10};
constexpr Duration kRetentionEvery = std::chrono::seconds{30};
constexpr Duration kServerGrace = std::chrono::seconds{3};  // of the grace of a drain

net::HttpServerOptions server_options(const LimitsSpec& limits) {
  net::HttpServerOptions options;
  options.request.header_bytes = limits.header_bytes;
  options.request.body_bytes = limits.body_bytes;
  options.connections = limits.connections;
  options.connections_per_address = limits.connections_per_address;
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
             std::string folder, std::string config_path,
             std::function<void(const Error&)> store_failed, std::function<std::uint64_t()> random,
             telemetry::Log& log, std::shared_ptr<store::Keyring> ring)
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
      tokens_(*store_),
      chores_(executor),
      audit_tail_(store_->recovery(), log),
      audit_seal_(*store_, clock_, log, std::move(folder)) {
  live_ = wire_recovery(executor, engine_, clock_, egress_gate_);
  live_.may_approve = [this](const std::string& subject, const std::string& with) {
    return gate_ && gate_->may_approve(subject, with);
  };
  replays_ = std::make_unique<recovery::Replays>(executor, *store_, clock_, live_);
  engine_ = std::make_unique<delivery::Engine>(delivery::EngineOptions{
      .executor = executor,
      .clock = clock_,
      .store = *store_,
      .seed = random_(),
      .token_secret = fmt::format("{:016x}{:016x}", random_(), random_()),
      .make_handler = [this](const DependencySpec& dependency,
                             const FlowSpec& flow) { return make_handler(dependency, flow); },
      .sinks = {&decision_log_, replays_.get()},
      .on_error =
          [this](const Error& error) { log_.error(clock_.wall(), "delivery.error", error); },
      .on_store_failed = std::move(store_failed),
  });
  const auto send = [this](effects::Send call) { return send_effect(call); };
  gateway_ = std::make_unique<effects::Gateway>(*store_, clock_, engine_->running(),
                                                wire_effects(engine_, send), random_());
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

// Of this store, so that tags stay the same over restarts: ordering keys may be tags.
async::Task<Result<std::string>> World::redaction_secret() {
  auto stored = co_await store_->flows().meta(std::string(kRedactionKey));
  if (!stored.ok()) co_return stored.error();
  if (stored->has_value()) co_return std::move(**stored);
  std::string secret;
  for (int i = 0; i < 4; ++i) secret += fmt::format("{:016x}", random_());
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::PutMeta{std::string(kRedactionKey), secret});
  auto receipt = co_await store_->writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  co_return secret;
}

// Nobody is let in before the tokens are known.
async::Task<Result<>> World::open_gate(const Config& config) {
  auto known = co_await tokens_.start();
  if (!known.ok()) co_return known;
  gate_ = std::make_unique<api::Gate>(
      tokens_, clock_, [this]() -> const AccessSpec& { return engine_->config().access; });
  if (config.access.open) {
    log_.write(clock_.wall(), telemetry::Level::warning, "access.open",
               "everybody on this machine is admin: access.open is true");
  }
  co_return Result<>{};
}

async::Task<Result<>> World::listen(const Config& config, std::string token_folder) {
  server_ = std::make_unique<net::HttpServer>(
      executor_, clock_, server_options(config.limits),
      [this](net::HttpRequest request) { return handle(std::move(request)); });
  server_->screen_with([this](const net::HttpRequest& request) { return screen(request); });
  auto tls = listener_tls_.load(config.listen_tls, clock_.wall());
  if (!tls.ok()) co_return tls.error();
  server_->use_tls(*std::move(tls));
  auto listening = server_->listen(config.listen_host, config.listen_port);
  if (!listening.ok()) co_return listening;
  egress_gate_.set_own(config.listen_host, server_->port());
  // Not before the address is ours: who is told of a token must be able to use it.
  if (!config.access.open) {
    auto made = co_await make_first_token(tokens_, std::move(token_folder), clock_.wall());
    if (!made.ok()) co_return made.error();
    first_token_file_ = *std::move(made);
  }
  co_return Result<>{};
}

async::Task<Result<>> World::start(LoadedConfig loaded, std::string token_folder) {
  const Config& config = loaded.config;
  co_await audit_tail_.start();
  auto keys = co_await keys_.finish("weir", "start");
  if (!keys.ok()) co_return keys;
  const std::uint64_t seed = co_await dedupe_seed();
  auto ledger = co_await gateway_->start();
  if (!ledger.ok()) co_return ledger;
  auto secret = co_await redaction_secret();
  if (!secret.ok()) co_return secret.error();
  engine_->set_redaction_secret(std::move(*secret));
  auto announced = co_await announce_config(loaded.files);
  if (!announced.ok()) co_return announced;
  allow_egress(config);
  egress_gate_.set_own(config.listen_host, config.listen_port);
  auto started = co_await engine_->start(config);
  if (!started.ok()) co_return started;
  auto history = co_await begin_history(std::move(loaded.files));
  if (!history.ok()) co_return history;
  // Before replays go on: they ask whether who approved them still may.
  auto gate = co_await open_gate(config);
  if (!gate.ok()) co_return gate;
  auto replays = co_await replays_->start();
  if (!replays.ok()) co_return replays;
  auto sealed = co_await audit_seal_.start();
  if (!sealed.ok()) co_return sealed;
  api_ = std::make_unique<api::Api>(api::ApiParts{
      .store = *store_,
      .clock = clock_,
      .engine = *engine_,
      .gateway = *gateway_,
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
      .audit_seals = [this] { return audit_seal_.view(); },
      .gate = *gate_,
      .tokens = tokens_,
      .secret = random_secret,
  });
  auto listening = co_await listen(config, std::move(token_folder));
  if (!listening.ok()) co_return listening;
  chores_.spawn(keep_counts());
  chores_.spawn(keep_retention());
  ready_ = true;
  co_return Result<>{};
}

async::Task<> World::drain(Duration grace) {
  stopping_ = true;
  const MonoTime deadline = clock_.mono() + grace;
  // Handlers that are at work may still have effects.
  co_await engine_->drain(deadline - kServerGrace);
  // What still waits for a dependency then is cut off, so that its connection can end.
  for (auto& [name, pool] : pools_) co_await pool.pool->close();
  for (auto& [name, pool] : effect_pools_) co_await pool.pool->close();
  for (auto& pool : old_pools_) co_await pool->close();
  if (server_) co_await server_->drain(deadline);
  clock_.cancel_sleeps();
  co_await replays_->drain();
  co_await chores_.join();
  co_await engine_->join();
  co_await tell_changes();
  co_await audit_seal_.look(true);
  decision_log_.flush(true);
}

// Handlers show the token of their delivery; everybody else is the API's business.
std::optional<net::HttpResponse> World::screen(const net::HttpRequest& request) {
  if (api::is_effect_call(request.path)) return api::screen_effect(engine_->running(), request);
  return api_->screen(request);
}

async::Task<net::HttpResponse> World::handle(net::HttpRequest request) {
  if (api::is_effect_call(request.path)) return api::call_effect(*gateway_, std::move(request));
  return api_->handle(std::move(request));
}

// The entry names no text of the configuration, which may hold secrets.
async::Task<Error> World::refuse_config(Error error, config::Version version) {
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::AddAudit{AuditEntry{
      .at = clock_.wall(),
      .actor = std::move(version.actor),
      .action = "config.refused",
      .target = version.rolled_back_to == 0 ? config_path_
                                            : fmt::format("version {}", version.rolled_back_to),
      .reason = std::move(version.reason),
      .detail = fmt::format("{}: {}", describe(error.code).id, describe(error.code).title)}});
  auto written = co_await store_->writer().commit(std::move(batch));
  if (!written.ok()) co_return written.error();
  error.hint += error.hint.empty() ? "" : "; ";
  error.hint += "the configuration in force stays as it was";
  log_.error(clock_.wall(), "config.refused", error);
  co_return error;
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
  if (!loaded.ok()) co_return co_await refuse_config(loaded.error(), std::move(version));
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
  config.access.open = engine_->config().access.open;
  // A listener stays what it is, encrypted or not, until the next start.
  const bool encrypted = !engine_->config().listen_tls.certificate.empty();
  if (encrypted == config.listen_tls.certificate.empty())
    config.listen_tls = engine_->config().listen_tls;
  ListenerTls tls;
  auto listener = tls.load(config.listen_tls, clock_.wall());
  if (!listener.ok()) {
    reloading_ = false;
    co_return co_await refuse_config(listener.error(), std::move(version));
  }
  const bool back = version.rolled_back_to != 0;
  // Durable before anything changes: applying takes more than one transaction.
  ports::WriteBatch order{.lane = ports::Lane::operate};
  order.mutations.emplace_back(ports::AddAudit{
      AuditEntry{.at = version.at,
                 .actor = version.actor,
                 .action = back ? "config.rollback" : "config.reload",
                 .target = back ? fmt::format("version {}", version.rolled_back_to) : config_path_,
                 .reason = version.reason,
                 .detail = one_line(changes)}});
  auto written = co_await store_->writer().commit(std::move(order));
  Result<> applied = written.ok() ? Result<>{} : Result<>{written.error()};
  if (written.ok()) {
    allow_egress(config);
    applied = co_await keys_.reload(config.encryption, actor, version.reason);
    if (applied.ok()) applied = co_await engine_->apply(std::move(config));
  }
  if (!applied.ok()) {
    allow_egress(engine_->config());
    reloading_ = false;
    co_return co_await refuse_config(applied.error(), std::move(version));
  }
  listener_tls_ = std::move(tls);
  server_->use_tls(*std::move(listener));
  server_->update(server_options(engine_->config().limits));
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  const bool fresh = !history_.is_newest(loaded->files);
  version.files = std::move(loaded->files);
  if (fresh) batch.mutations = history_.add(version);
  written = co_await store_->writer().commit(std::move(batch));
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

// Durable before what another configuration changes at the start.
async::Task<Result<>> World::announce_config(std::vector<config::SourceFile> files) {
  auto started = co_await history_.start();
  if (!started.ok()) co_return started;
  if (history_.is_newest(files)) co_return Result<>{};
  const std::uint64_t newest = history_.newest() ? history_.newest()->number : 0;
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(
      ports::AddAudit{AuditEntry{.at = clock_.wall(),
                                 .actor = "weir",
                                 .action = "config.start",
                                 .target = config_path_,
                                 .detail = fmt::format("version {}", newest + 1)}});
  auto written = co_await store_->writer().commit(std::move(batch));
  if (!written.ok()) co_return written.error();
  co_return Result<>{};
}

// What the process starts with is a version, unless it is what the last one ended with.
async::Task<Result<>> World::begin_history(std::vector<config::SourceFile> files) {
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

async::Task<> World::keep_retention() {
  while (!stopping_) {
    co_await clock_.sleep_until(clock_.mono() + kRetentionEvery);
    bool more = !stopping_;
    while (more && !stopping_) more = co_await engine_->trim_step();
    more = !stopping_;
    while (more && !stopping_) more = co_await gateway_->forget_step();
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
