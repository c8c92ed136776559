// SPDX-License-Identifier: Apache-2.0
// What quarantine raises an alarm for: a new group, fast growth, age, and a full disk, which is all
// that bounds it. One more member of a known group is none.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/task.h"
#include "model/config_model.h"
#include "ports/store.h"
#include "recovery/live.h"

namespace weir::recovery {

struct QuarantineAlarm {
  std::string type;  // newGroup, quarantineGrowth, quarantineAge, storeFull, breakGlass
  std::string name;  // of the group, the flow or the kind of store
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

inline constexpr std::size_t kNewGroupsMax = 50;  // alarms for the newest ones; more say no more

// Pure: of a group that is new at `now`, and that nobody snoozed, owns or merged.
std::optional<QuarantineAlarm> alarm_of_group(const Group& group, const QuarantineSpec& spec,
                                              WallTime now);

class QuarantineWatch {
 public:
  // Looks again, page by page at every group. Called every few seconds; an error leaves what is
  // known.
  async::Task<Result<>> look(ports::Store& store, const Live& live, QuarantineSpec spec,
                             WallTime now);
  const std::vector<QuarantineAlarm>& alarms() const { return alarms_; }

 private:
  // What is remembered of all groups for the length of a look.
  struct Sums {
    std::map<FlowId, std::uint64_t> totals;
    std::set<FlowId> open;  // flows with members in quarantine
    std::set<GroupId> snoozed;
  };
  void look_at_growth(const Live& live, const Sums& sums, const QuarantineSpec& spec, WallTime now,
                      std::vector<QuarantineAlarm>& into);
  async::Task<Result<>> look_at_age(ports::Store& store, const Live& live, const Sums& sums,
                                    QuarantineSpec spec, WallTime now,
                                    std::vector<QuarantineAlarm>& into);
  async::Task<Result<std::optional<WallTime>>> oldest_of(ports::Store& store, FlowId flow,
                                                         const Sums& sums, WallTime until);
  async::Task<> look_at_store(ports::Store& store, WallTime now,
                              std::vector<QuarantineAlarm>& into);

  async::Task<Result<>> look_at_glass(ports::Store& store, WallTime now,
                                      std::vector<QuarantineAlarm>& into);

  std::map<FlowId, Growth> growth_;
  std::map<FlowId, WallTime> growing_since_;
  WallTime full_since_{};
  std::vector<QuarantineAlarm> alarms_;
};

}  // namespace weir::recovery
