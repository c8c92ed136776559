// SPDX-License-Identifier: Apache-2.0
// Structured JSON lines with one schema: ts, level, event, msg, then only those of the optional
// fields that docs/guide/operations.md lists.
// Never blocks the caller: lines go into a bounded buffer that a thread of its own writes; what
// does not fit is counted, and a line `log.dropped` says so before the next one that does.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "wire/json.h"

namespace weir::telemetry {

enum class Level : std::uint8_t { debug, info, warning, error };

class Log {
 public:
  // Writes to the descriptor, which the caller keeps open. Lines below `least` are dropped.
  Log(int descriptor, Level least, std::size_t buffer_bytes = 1024 * 1024);
  // Writes what is left, but does not wait for a reader that does not read for half a second.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // One line. `fields` is called with the writer inside the object, for the optional fields.
  template <class Fields>
  void write(WallTime now, Level level, std::string_view event, std::string_view message,
             Fields fields) {
    if (!enabled(level)) return;
    wire::JsonWriter json;
    begin(json, now, level, event, message);
    fields(json);
    json.end_object();
    push(now, std::move(json).take());
  }
  void write(WallTime now, Level level, std::string_view event, std::string_view message) {
    write(now, level, event, message, [](wire::JsonWriter&) {});
  }
  void error(WallTime now, std::string_view event, const Error& error);
  // Waits until everything so far is written, for the last words of a process; not longer than
  // `most`.
  void flush(Duration most);
  bool enabled(Level level) const { return level >= least_; }
  std::uint64_t dropped() const;  // lines that did not fit or could not be written

 private:
  static void begin(wire::JsonWriter& json, WallTime now, Level level, std::string_view event,
                    std::string_view message);
  void push(WallTime now, std::string line);
  struct Writer;
  Level least_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace weir::telemetry
