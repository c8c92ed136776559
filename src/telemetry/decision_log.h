// SPDX-License-Identifier: Apache-2.0
// Turns decisions into metrics and log lines. Success is counted, never logged; a failure is logged
// when it changes something: the first of its kind, a quarantine, a discard. What repeats within a
// minute is summed up in one line.
#pragma once

#include <map>
#include <string>

#include "async/clock.h"
#include "ports/decision_sink.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace weir::telemetry {

// Pure: which of the same lines are written. At most one per key and interval; the next one says
// how many were left out.
class LogGate {
 public:
  explicit LogGate(Duration interval = std::chrono::minutes{1}) : interval_(interval) {}
  // nullopt = leave it out; otherwise how many were left out since the last one of this key.
  std::optional<std::uint64_t> admit(const std::string& key, MonoTime now);
  // Remembered at a time; when there are more, all others share one place.
  static constexpr std::size_t kKeysMax = 1000;

 private:
  struct Seen {
    MonoTime since;
    std::uint64_t left_out = 0;
  };
  void forget_old(MonoTime now);

  Duration interval_;
  MonoTime sweep_at_{};
  std::map<std::string, Seen> seen_;
};

class DecisionLog final : public ports::DecisionSink {
 public:
  DecisionLog(Registry& metrics, Log& log, async::Clock& clock)
      : metrics_(metrics), log_(log), clock_(clock) {}
  void on_decision(const ports::DecisionRecord& record) override;

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
  std::map<std::string, FlowMetrics, std::less<>> flows_;
  LogGate gate_;
};

}  // namespace weir::telemetry
