// SPDX-License-Identifier: Apache-2.0
#include "telemetry/log.h"

#include <array>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace weir::telemetry {

struct Log::Writer {
  Writer(int to, std::size_t most) : descriptor(to), capacity(most), thread([this] { run(); }) {}

  ~Writer() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    wake.notify_one();
    thread.join();
  }

  void push(std::string line) {
    line.push_back('\n');
    {
      const std::lock_guard lock(mutex);
      if (pending.size() + line.size() > capacity) {
        ++dropped;
        return;
      }
      pending += line;
    }
    wake.notify_one();
  }

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [this] { return stopping || !pending.empty(); });
      if (pending.empty()) return;
      std::string batch = std::move(pending);
      pending.clear();
      lock.unlock();
      write_all(batch);
      lock.lock();
    }
  }

  void write_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;  // nobody reads the log any more: Weir goes on without it
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  const int descriptor;
  const std::size_t capacity;
  std::mutex mutex;
  std::condition_variable wake;
  std::string pending;
  std::uint64_t dropped = 0;
  bool stopping = false;
  std::thread thread;
};

Log::Log(int descriptor, Level least, std::size_t buffer_bytes)
    : least_(least), writer_(std::make_unique<Writer>(descriptor, buffer_bytes)) {}

Log::~Log() = default;

void Log::begin(wire::JsonWriter& json, WallTime now, Level level, std::string_view event,
                std::string_view message) {
  constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
  json.begin_object()
      .field("ts", to_rfc3339(now))
      .field("level", kLevels[static_cast<std::size_t>(level)]);
  json.field("event", event).field("msg", message);
}

void Log::push(std::string line) { writer_->push(std::move(line)); }

void Log::error(WallTime now, std::string_view event, const Error& error) {
  write(now, Level::error, event, error.detail,
        [&](wire::JsonWriter& json) { json.field("code", describe(error.code).id); });
}

std::uint64_t Log::dropped() const {
  const std::lock_guard lock(writer_->mutex);
  return writer_->dropped;
}

}  // namespace weir::telemetry
