// SPDX-License-Identifier: Apache-2.0
// What helps to understand a failure group: what its members share, when they failed, what changed
// before, and how they split by a field.
#pragma once

#include <string>
#include <vector>

#include "async/clock.h"
#include "async/task.h"
#include "model/flow_state.h"
#include "model/group.h"
#include "policy/contrast.h"
#include "ports/store.h"
#include "recovery/live.h"

namespace weir::recovery {

inline constexpr std::size_t kSampled = 500;      // events that are looked into, per side
inline constexpr std::uint64_t kWalked = 20'000;  // members that are counted
inline constexpr std::size_t kBuckets = 24;       // of the histogram
inline constexpr std::size_t kValuesShown = 50;   // of a split
inline constexpr Duration kBefore = std::chrono::minutes{30};

struct Bucket {
  WallTime from{};
  std::uint64_t failed = 0;
};

// Something that changed shortly before the first member failed.
struct Change {
  WallTime at{};
  std::string what;  // "config.reload version 3", "marker: tracker 2.4"
  std::string reason;
  std::string actor;
};

struct GroupInsight {
  std::uint64_t members = 0;  // walked: all open ones, up to kWalked
  std::uint64_t looked_into = 0;
  std::uint64_t passed = 0;  // delivered events they were compared with
  std::vector<policy::Trait> traits;
  Duration bucket{};  // width
  std::vector<Bucket> histogram;
  std::vector<Change> changes;  // the newest first
};

// `config_changes`: the versions of the configuration, which the audit trail does not have all of.
// Errors: unknown_group, ambiguous_reference, those of the store.
async::Task<Result<GroupInsight>> look_into_group(ports::Store& store, const Live& live,
                                                  std::string group,
                                                  std::vector<Change> config_changes);

struct GroupPart {
  std::string value;  // JSON text or attribute; empty = the members that have no such field
  std::uint64_t members = 0;
  std::string where;  // the event pattern that selects them; empty if none can
};

struct GroupSplit {
  std::uint64_t members = 0;
  std::uint64_t values = 0;      // different ones
  std::vector<GroupPart> parts;  // the largest first, up to kValuesShown
};

// By "type", another attribute, or a member of the data: "data.repository.name". Errors: as above,
// invalid_argument (a field that no member has; the hint names those there are).
async::Task<Result<GroupSplit>> split_group(ports::Store& store, const Live& live,
                                            std::string group, std::string field);

// What people say about a group; nullopt leaves it as it is. An empty text takes it back.
struct GroupWord {
  std::optional<std::string> name;
  std::optional<std::string> owner;
  std::optional<std::string> note;
  std::optional<WallTime> snooze_until;
  std::optional<std::string> merge_into;  // a group, or empty
};
inline constexpr std::size_t kGroupTextMax = 2000;

// Durable with its audit row. Errors: unknown_group, invalid_argument (nothing said, too long,
// merged into itself or into a group that is merged or has others merged into it).
async::Task<Result<Group>> annotate_group(ports::Store& store, async::Clock& clock,
                                          std::string group, GroupWord word, std::string actor,
                                          std::string reason);

}  // namespace weir::recovery
