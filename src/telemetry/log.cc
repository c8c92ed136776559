// SPDX-License-Identifier: Apache-2.0
#include "telemetry/log.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <poll.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "wire/visible_json.h"

namespace weir::telemetry {

namespace {

constexpr std::size_t kChunkBytes = 4096;  // fits into a pipe that poll() calls writable
constexpr int kPollMs = 50;
constexpr int kQuietPollsMax = 10;  // at the end, for a reader that does not read

std::string dropped_line(WallTime now, std::uint64_t lines) {
  wire::JsonWriter json;
  json.begin_object()
      .field("ts", to_rfc3339(now))
      .field("level", "warning")
      .field("event", "log.dropped")
      .field("msg", "lines were left out: the log is not read fast enough")
      .field("count", lines)
      .end_object();
  return std::move(json).take() + '\n';
}

}  // namespace

struct Log::Writer {
  Writer(int to, std::size_t most) : descriptor(to), capacity(most), thread([this] { run(); }) {}

  ~Writer() {
    {
      const std::lock_guard lock(mutex);
      if (unreported > 0) pending += dropped_line(last, unreported);
      stopping = true;
    }
    wake.notify_one();
    thread.join();
  }

  void push(WallTime now, std::string line) {
    line = wire::visible_json(line) + '\n';
    {
      const std::lock_guard lock(mutex);
      last = now;
      if (unreported > 0) line.insert(0, dropped_line(now, unreported));
      if (pending.size() + line.size() > capacity) {
        ++dropped;
        ++unreported;
        return;
      }
      unreported = 0;
      pending += line;
    }
    wake.notify_one();
  }

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [this] { return stopping || !pending.empty(); });
      if (pending.empty()) return;
      const std::string batch = std::exchange(pending, {});
      writing = true;
      lock.unlock();
      const std::string_view left = write_some(batch);
      lock.lock();
      const auto lost = static_cast<std::uint64_t>(std::ranges::count(left, '\n'));
      dropped += lost;
      unreported += lost;
      writing = false;
      wrote.notify_all();
    }
  }

  void flush(Duration most) {
    std::unique_lock lock(mutex);
    wrote.wait_for(lock, most, [this] { return pending.empty() && !writing; });
  }

  // What could not be written: the reader is gone, or does not read while Weir stops.
  std::string_view write_some(std::string_view bytes) {
    while (!bytes.empty() && wait_writable()) {
      const std::string_view chunk = bytes.substr(0, kChunkBytes);
      const ssize_t written = ::write(descriptor, chunk.data(), chunk.size());
      if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (written <= 0) return bytes;
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return bytes;
  }

  bool wait_writable() {
    for (;;) {
      pollfd wanted{.fd = descriptor, .events = POLLOUT, .revents = 0};
      const int ready = ::poll(&wanted, 1, kPollMs);
      if (ready > 0 || (ready < 0 && errno != EINTR)) return true;  // write() tells what is wrong
      if (stopping && ++quiet_polls > kQuietPollsMax) return false;
    }
  }

  const int descriptor;
  const std::size_t capacity;
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable wrote;
  std::string pending;
  WallTime last{};
  bool writing = false;
  std::uint64_t dropped = 0;
  std::uint64_t unreported = 0;
  std::atomic<bool> stopping = false;
  int quiet_polls = 0;
  std::thread thread;  // the last member: it uses the others
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

void Log::push(WallTime now, std::string line) { writer_->push(now, std::move(line)); }

void Log::error(WallTime now, std::string_view event, const Error& error) {
  write(now, Level::error, event, error.detail, [&](wire::JsonWriter& json) {
    json.field("code", describe(error.code).id);
    if (!error.hint.empty()) json.field("hint", error.hint);
  });
}

void Log::flush(Duration most) { writer_->flush(most); }

std::uint64_t Log::dropped() const {
  const std::lock_guard lock(writer_->mutex);
  return writer_->dropped;
}

}  // namespace weir::telemetry
