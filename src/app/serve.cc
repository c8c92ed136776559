// SPDX-License-Identifier: Apache-2.0
#include "app/serve.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "app/config_files.h"
#include "app/core_dumps.h"
#include "app/exit_status.h"
#include "app/key_files.h"
#include "app/private_files.h"
#include "app/terminal_text.h"
#include "app/world.h"
#include "base/failpoint.h"
#include "store/memory/memory_store.h"
#include "store/sqlite/sqlite_store.h"

namespace weir::app {
namespace {

constexpr Duration kGrace = std::chrono::seconds{30};
constexpr Duration kLastWords = std::chrono::milliseconds{500};

std::uint64_t random_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

void print_error(const Error& error) {
  fmt::print(stderr, "{}\n", terminal_text(to_text(error), false));
}

Result<> apply_listen(const std::string& listen, Config& config) {
  wire::JsonWriter json;  // which is YAML, too
  json.begin_object().field("version", 1).key("listen").begin_object().field("http", listen);
  if (const ListenTlsSpec& tls = config.listen_tls; !tls.certificate.empty()) {
    json.key("tls").begin_object().field("certificate", tls.certificate).field("key", tls.key);
    json.end_object();
  }
  json.end_object().key("access").begin_object().field("open", config.access.open).end_object();
  json.end_object();
  config::SourceFile file{"--listen", std::move(json).take()};
  const auto outcome = config::load({file}, resolve_secret);
  if (!outcome.config)
    return Error{outcome.problems.front().code, outcome.problems.front().message,
                 outcome.problems.front().hint};
  config.listen_host = outcome.config->listen_host;
  config.listen_port = outcome.config->listen_port;
  return {};
}

// The storage failed: nothing more may be acknowledged, so nothing more runs. Whoever finds it out
// first, the storage's thread or the I/O thread, leaves; the other one waits for that.
[[noreturn]] void leave_without_storage(telemetry::Log& log, async::Clock& clock,
                                        const Error& error) {
  static std::once_flag left;
  std::call_once(left, [&] {
    log.error(clock.wall(), "store.failed", error);
    log.flush(kLastWords);
    std::_Exit(kExitStoreFailed);
  });
  std::abort();
}

class Serving {
 public:
  Serving(boost::asio::io_context& io, async::Clock& clock, LoadedConfig loaded,
          std::string config_path, std::string token_folder, std::unique_ptr<ports::Store> store,
          std::string folder, telemetry::Log& log, std::shared_ptr<store::Keyring> ring)
      : clock_(clock),
        log_(log),
        loaded_(std::move(loaded)),
        config_path_(config_path),
        token_folder_(std::move(token_folder)),
        world_(
            io.get_executor(), clock, std::move(store), std::move(folder), std::move(config_path),
            [&log, &clock](const Error& error) { leave_without_storage(log, clock, error); },
            random_seed, log, std::move(ring)),
        signals_(io, SIGTERM, SIGINT, SIGHUP) {}

  async::Task<int> run() {
    const MonoTime began = clock_.mono();
    const std::string host = loaded_.config.listen_host;
    const char* scheme = loaded_.config.listen_tls.certificate.empty() ? "http" : "https";
    auto started = co_await world_.start(std::move(loaded_), token_folder_);
    if (!started.ok()) {
      print_error(started.error());
      std::fflush(stderr);
      const Code code = started.error().code;
      const bool refused = code == Code::audit_key_refused || code == Code::audit_unreadable;
      if (refused) std::_Exit(kExitStoreRefused);
      std::_Exit(code == Code::address_in_use ? kExitFailed : kExitUsage);
    }
    fmt::print("Weir {}  ready in {}  {}://{}:{}\n", kVersion, to_text(clock_.mono() - began),
               scheme, host, world_.port());
    if (const std::string& file = world_.first_token_file(); !file.empty()) {
      fmt::print("No admin has a token yet: one is in {0}  (export WEIR_TOKEN_FILE={0})\n", file);
    }
    std::fflush(stdout);
    log_.write(clock_.wall(), telemetry::Level::info, "weir.serving",
               fmt::format("ready in {}", to_text(clock_.mono() - began)),
               [&](wire::JsonWriter& json) {
                 json.field("address", fmt::format("{}:{}", host, world_.port()))
                     .field("version", kVersion)
                     .field("config", config_path_);
               });
    const int signal = co_await wait_for_end();
    log_.write(clock_.wall(), telemetry::Level::info, "weir.draining",
               fmt::format("{}: nothing new starts, running calls end within {}",
                           signal == SIGTERM ? "SIGTERM" : "SIGINT", to_text(kGrace)));
    co_await world_.drain(kGrace);
    log_.write(clock_.wall(), telemetry::Level::info, "weir.stopped",
               "what was decided is written");
    co_return kExitOk;
  }

 private:
  async::Task<int> wait_for_end() {
    for (;;) {
      const int signal = co_await signals_.async_wait(boost::asio::use_awaitable);
      if (signal != SIGHUP) {
        boost::system::error_code ignored;
        signals_.clear(ignored);  // a second signal ends the process at once
        co_return signal;
      }
      (void)co_await world_.reload("local:signal");
    }
  }

  async::Clock& clock_;
  telemetry::Log& log_;
  LoadedConfig loaded_;
  std::string config_path_;
  std::string token_folder_;
  World world_;
  boost::asio::signal_set signals_;
};

int exit_code_of(const Error& error) {
  const bool refused = error.code == Code::store_in_use || error.code == Code::store_newer_format ||
                       error.code == Code::store_older_format ||
                       error.code == Code::store_corrupt || error.code == Code::store_unreadable ||
                       error.code == Code::store_setting_refused ||
                       error.code == Code::store_failed || error.code == Code::key_missing ||
                       error.code == Code::key_wrong || error.code == Code::key_file_invalid;
  return refused ? kExitStoreRefused : kExitFailed;
}

constexpr std::string_view kMemory = ":memory:";

Result<std::unique_ptr<ports::Store>> open_store(const std::string& folder, const Config& config,
                                                 boost::asio::io_context& io,
                                                 std::shared_ptr<store::Keyring> ring,
                                                 std::function<void(const Error&)> on_failed) {
  if (folder == kMemory) return store::memory::open(io.get_executor());
  if (folder.empty()) {
    return Error{Code::usage, "no data folder is given",
                 "add --data DIR, or 'data:' to the configuration"};
  }
  return store::sqlite::open({.folder = folder,
                              .executor = io.get_executor(),
                              .on_failed = std::move(on_failed),
                              .keyring = std::move(ring),
                              .disk_free_min = config.limits.disk_free_min_bytes});
}

}  // namespace

int run_serve(const ServeOptions& options) {
  // Who reads the log may go away; that is no reason to stop delivering.
  std::signal(SIGPIPE, SIG_IGN);
  if (!forbid_core_dumps()) {
    print_error(Error{Code::internal, "core files cannot be forbidden", ""});
    return kExitFailed;
  }
#if defined(WEIR_FAILPOINTS)
  if (const char* points = std::getenv("WEIR_FAILPOINT")) {
    const auto configured = configure_failpoints(points);
    if (!configured.ok()) {
      print_error(configured.error());
      return kExitUsage;
    }
  }
#endif
  keep_files_private();
  auto loaded = load_config(options.config);
  if (!loaded.ok()) {
    print_error(loaded.error());
    return kExitUsage;
  }
  Config& config = loaded->config;
  if (options.listen) {
    const auto listen = apply_listen(*options.listen, config);
    if (!listen.ok()) {
      print_error(listen.error());
      return kExitUsage;
    }
  }
  boost::asio::io_context io(1);
  auto clock = async::system_clock(io.get_executor());
  telemetry::Log log(STDERR_FILENO, telemetry::Level::info);
  log_warnings(log, clock->wall(), loaded->warnings);
  const std::string folder = options.data.empty() ? config.data : options.data;
  auto keys = read_key_files(config.encryption);
  if (!keys.ok()) {
    print_error(keys.error());
    return exit_code_of(keys.error());
  }
  std::shared_ptr<store::Keyring> ring;
  if (*keys) {
    protect_memory();
    ring = std::make_shared<store::Keyring>(**keys);
  }
  auto store = open_store(folder, config, io, ring, [&log, &clock = *clock](const Error& error) {
    leave_without_storage(log, clock, error);
  });
  if (!store.ok()) {
    print_error(store.error());
    return exit_code_of(store.error());
  }
  const std::string kept = folder == kMemory ? "" : folder;
  warn_of_open_folder(log, clock->wall(), kept);
  Serving serving(io, *clock, std::move(*loaded), options.config, kept, std::move(*store), kept,
                  log, ring);
  int code = kExitFailed;
  boost::asio::co_spawn(io, serving.run(), [&code](std::exception_ptr failure, int result) {
    if (failure) std::rethrow_exception(failure);
    code = result;
  });
  io.run();
  return code;
}

}  // namespace weir::app
