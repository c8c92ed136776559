// SPDX-License-Identifier: Apache-2.0
// Turns decisions into metrics and log lines. Success is counted, never logged; a failure is logged
// when it changes something: the first of its kind, a quarantine, a discard. What repeats within a
// minute is summed up in one line.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/clock.h"
#include "ports/decision_sink.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace weir::telemetry {

// What makes decisions the same to a reader of the log. An empty flow: of several kinds.
struct LogKind {
  std::string flow;
  DecisionKind decision = DecisionKind::retryAt;
  std::string rule;
  std::string group;
  auto operator<=>(const LogKind&) const = default;
};

// Pure: which of the same lines are written. At most one per kind and interval; the next one, or
// take_left_out(), says how many were left out.
class LogGate {
 public:
  explicit LogGate(Duration interval = std::chrono::minutes{1}) : interval_(interval) {}
  // nullopt = leave it out; otherwise how many were left out since the last one of this kind.
  std::optional<std::uint64_t> admit(const LogKind& kind, MonoTime now);
  struct LeftOut {
    LogKind kind;
    std::uint64_t count;
  };
  // Kinds whose interval is over, or all of them, and how many were left out. What is told here
  // counts as the line of a new interval.
  std::vector<LeftOut> take_left_out(MonoTime now, bool all);
  // Remembered at a time; when there are more, all others share one place.
  static constexpr std::size_t kKindsMax = 1000;

 private:
  struct Seen {
    MonoTime since;
    std::uint64_t left_out = 0;
  };
  void forget_old(MonoTime now);

  Duration interval_;
  MonoTime sweep_at_{};
  std::map<LogKind, Seen> seen_;
};

class DecisionLog final : public ports::DecisionSink {
 public:
  DecisionLog(Registry& metrics, Log& log, async::Clock& clock,
              std::function<std::string(StreamId)> stream_name)
      : metrics_(metrics), log_(log), clock_(clock), stream_name_(std::move(stream_name)) {}
  void on_decision(const ports::DecisionRecord& record) override;
  // Writes how many lines were left out of kinds that have not come again: now and then, and with
  // `all` at the end.
  void flush(bool all);

 private:
  struct FlowMetrics {
    Counter* done;
    Histogram* duration;
    Histogram* added;
  };
  FlowMetrics& flow_metrics(std::string_view flow);
  void count(const ports::DecisionRecord& record);
  void log(const ports::DecisionRecord& record);

  Registry& metrics_;
  Log& log_;
  async::Clock& clock_;
  std::function<std::string(StreamId)> stream_name_;
  std::map<std::string, FlowMetrics, std::less<>> flows_;
  LogGate gate_;
};

}  // namespace weir::telemetry
