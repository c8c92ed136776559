// SPDX-License-Identifier: Apache-2.0
// What the outside saw and was told in one run: every call, every answer, every acknowledgement. It
// outlives every crash; the checkers know nothing else.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "base/time.h"
#include "model/replay.h"
#include "sometimes.h"

namespace weir::engine_sim {

using OneOf = std::pair<std::string, std::uint32_t>;                    // flow, event
using Release = std::tuple<std::string, std::uint32_t, std::uint32_t>;  // ... and replay, or 0

// A call arrives so much later than it was admitted, at most: its claim was committed meanwhile.
inline constexpr Duration kAdmittedBefore = std::chrono::milliseconds{100};
// What stands for so long is on the disk: it holds for the next process, too.
inline constexpr Duration kDurableAfter = std::chrono::seconds{1};

struct Call {
  // What the retry budget made of it; a probe of the breaker, or of a replay, is not its business.
  enum class Work : std::uint8_t { first, charged, other };
  std::string flow;
  std::uint32_t event = 0;
  std::uint32_t replay = 0;
  std::uint32_t attempt = 0;
  std::uint32_t life = 0;
  MonoTime at{};
  int status = 0;       // 0: it has not been answered, or never was
  bool running = true;  // in this life
  bool ended = false;
  bool unknown = false;  // it ended, and may have been seen
  bool counts = true;    // as an attempt: no guardrail refused its effect
  Work work = Work::other;
};

// What people were told of a replay.
struct ReplayWord {
  std::uint32_t concurrency = ~0u;
  std::optional<ReplayState> halted;  // by a word that was acknowledged, and by none since
  std::uint32_t resumes = 0;          // begun
  std::uint32_t resuming = 0;         // of them under way in this life
};

// What a dependency did under one key.
struct Payment {
  std::string event;
  std::uint32_t calls = 0;
  std::uint32_t executed = 0;
  bool heard = false;  // the handler was told that it happened
};

// Everything that happened, as one number: two runs took the same course if it is the same.
class Trace {
 public:
  explicit Trace(bool prints) : prints_(prints) {}
  void note(MonoTime at, std::string_view what);
  std::uint64_t hash() const { return hash_; }

 private:
  bool prints_;
  std::uint64_t hash_ = 0xcbf29ce484222325ull;
};

struct Journal {
  explicit Journal(bool prints) : trace(prints) {}

  // The first thing that does not hold; nothing that follows is looked at.
  void fail(std::string what) {
    if (!violation) violation = std::move(what);
  }
  void note(std::string_view what) { trace.note(now, what); }

  Trace trace;
  Sometimes sometimes;
  std::optional<std::string> violation;
  MonoTime now{std::chrono::hours{1}};  // the clock of the next process starts here
  Duration wall_ahead{};
  std::uint32_t life = 0;
  std::uint32_t crashes = 0;
  std::map<std::string, std::uint64_t> counts;  // of what was done: "fault.kill", "calls"

  // A new process: what the last one was about to do is over, and what it only had in memory.
  void begin_life();

  // --- clients ---
  std::uint32_t publishing = 0;                   // requests under way in this life
  std::set<std::uint32_t> pending;                // published, and nobody has said yes
  std::map<std::uint32_t, std::uint64_t> stored;  // acknowledged, and where
  std::uint64_t last_seq = 0;                     // that was acknowledged

  // --- handlers ---
  std::deque<Call> calls;
  std::map<OneOf, std::string> keys;  // idempotency keys
  std::set<OneOf> answered;           // with 2xx, in time
  std::set<Release> over;             // durably; nothing of it may come again
  std::set<OneOf> over_here;          // done at once, in this life
  std::set<OneOf> closed;             // by an operator, or by the handler's word
  std::uint32_t bad_percent = 0;
  bool healed = false;
  bool full = false;  // ingest was refused for want of space, and there is no room yet

  // --- operators ---
  std::uint32_t trimming = 0;              // retention steps under way in this life
  std::uint32_t resuming = 0;              // flows that are told to go on, likewise
  std::map<std::string, MonoTime> paused;  // flows, and since when they are seen so
  std::optional<MonoTime> breaker_opened;  // by hand, in this life
  std::uint32_t breaker_words = 0;
  std::map<std::uint32_t, ReplayWord> replays;
  std::map<Release, WallTime> due;  // retries that the disk knows of

  // --- dependencies of effects ---
  std::map<std::string, Payment> payments;  // by the key that was sent
};

}  // namespace weir::engine_sim
