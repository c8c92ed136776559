// SPDX-License-Identifier: Apache-2.0
// What quarantine raises an alarm for: a new group, fast growth, age. One more member of a known
// group is none.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "async/task.h"
#include "model/config_model.h"
#include "ports/store.h"
#include "recovery/live.h"

namespace weir::recovery {

struct QuarantineAlarm {
  std::string type;  // newGroup, quarantineGrowth, quarantineAge
  std::string name;  // of the group or flow
  WallTime since{};
  std::string reason;
  bool operator==(const QuarantineAlarm&) const = default;
};

// How fast something grew within a window: a bounded number of samples of a count that only rises.
class Growth {
 public:
  static constexpr std::size_t kSamplesMax = 64;
  // What was added within the window before `now`.
  std::uint64_t add(std::uint64_t total, WallTime now, Duration window);

 private:
  struct Sample {
    WallTime at{};
    std::uint64_t total = 0;
  };
  std::deque<Sample> samples_;
};

// Pure: of groups that nobody snoozed, owns or merged. `now` decides how new they are.
std::vector<QuarantineAlarm> alarms_of_groups(const std::vector<Group>& groups,
                                              const QuarantineSpec& spec, WallTime now);

class QuarantineWatch {
 public:
  // Looks again. Called every few seconds; an error leaves what is known.
  async::Task<Result<>> look(ports::Store& store, const Live& live, QuarantineSpec spec,
                             WallTime now);
  const std::vector<QuarantineAlarm>& alarms() const { return alarms_; }

 private:
  void look_at_growth(const Live& live, const std::vector<Group>& groups,
                      const QuarantineSpec& spec, WallTime now, std::vector<QuarantineAlarm>& into);
  async::Task<Result<>> look_at_age(ports::Store& store, const Live& live,
                                    const std::vector<Group>& groups, QuarantineSpec spec,
                                    WallTime now, std::vector<QuarantineAlarm>& into);

  std::map<FlowId, Growth> growth_;
  std::map<FlowId, WallTime> growing_since_;
  std::vector<QuarantineAlarm> alarms_;
};

}  // namespace weir::recovery
