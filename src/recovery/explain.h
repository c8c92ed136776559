// SPDX-License-Identifier: Apache-2.0
// What happened to one event in every flow of its stream, why, and what to do next. Built from the
// store and from what the running delivery side knows; says so where neither can know.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/clock.h"
#include "async/task.h"
#include "model/effect.h"
#include "model/group.h"
#include "ports/store.h"
#include "recovery/edit.h"
#include "recovery/live.h"

namespace weir::recovery {

// The attributes of an event as they came, and the shape of its data without the data.
struct ExplainedEvent {
  std::string id;
  std::string source;
  std::string type;
  std::string subject;
  std::string time;
  std::string datacontenttype;
  std::string dataschema;
  std::vector<std::pair<std::string, std::string>> extensions;
  std::uint64_t data_bytes = 0;
  bool has_data = false;
};

// Whether a delivery has a state at all.
enum class Standing : std::uint8_t {
  known,
  beforeStart,  // the event was in the stream before the flow started: the flow never gets it
  trimmed,      // retention took the event, and with it the record of what this flow did
  unknown,      // `why` says what is missing
};

// The earlier delivery of the same ordering key that this one waits behind.
struct HeldBy {
  std::string holder;                  // "github#1040"
  std::optional<DeliveryState> state;  // of the holder; nullopt if it has no row
  WallTime since{};                    // when the holder entered that state
  std::string reason;                  // why the holder is in that state
  std::uint32_t count = 0;             // deliveries behind the holder, as far as the flow has read
  bool draining = false;               // the holder is on its way; those behind it follow
};

// A side effect, and what the ledger would say to another call.
struct ExplainedEffect {
  Effect effect;          // without what was answered
  bool held = false;      // a person must say what became of it
  std::string next_call;  // "would be answered from the ledger"
};

// Whether a replay of it can do harm, as far as Weir knows.
enum class Safety : std::uint8_t { yes, no, unknown };
std::string_view to_text(Safety safety);

struct DeliveryExplanation {
  std::string flow;
  FlowStatus flow_status = FlowStatus::active;
  std::string flow_reason;  // why it is paused or removed
  WallTime flow_since{};
  std::string dependency;  // empty if neither configuration nor group knows it
  Standing standing = Standing::known;
  DeliveryState state = DeliveryState::ready;  // only if standing is known
  std::string key;
  std::uint32_t max_attempts = 0;  // of the flow's retry policy; 0 = not known
  bool idempotent = true;          // what the flow says of its handler
  std::string pattern;             // the flow's event pattern today; empty = every event
  bool matches_now = true;         // that pattern matches this event
  std::uint64_t ahead = 0;         // ready: at most so many earlier events come first
  std::optional<Delivery> row;
  std::optional<Settlement> settlement;
  WallTime settled_at{};          // with a settlement
  std::optional<HeldBy> held_by;  // state held; or ready, and it will be held when it is read
  std::uint32_t holds = 0;        // later deliveries of its key that wait behind it
  std::optional<Group> group;     // of a quarantined delivery
  std::string group_name;         // the shortest unambiguous form of its hash
  std::vector<ExplainedEffect> effects;  // in the order of their first calls
  std::vector<ShownRevision> revisions;  // the newest is what is sent
  std::string runbook;                   // of the row's failure mode
  bool mode_is_configured = false;
  std::optional<LiveDependency> dependency_state;
  std::optional<ReplayId> in_replay;        // the unfinished replay that it belongs to
  std::vector<std::string> replay_blocked;  // quarantined: why a replay would not send it now
  Safety replay_safe = Safety::unknown;     // quarantined: the verdict; no if it is blocked
  std::vector<std::string> replay_reasons;  // of the verdict, where nothing blocks it
  std::vector<std::string> why;             // sentences
  std::vector<std::string> next;            // commands, or a sentence where no command helps
  std::vector<std::string> suggested_mode;  // YAML lines for failureModes, if none matched
};

struct Explanation {
  std::string reference;  // "github#1042"
  std::string stream;
  Position position;
  WallTime recorded{};                  // when it was ingested; epoch zero if the event is gone
  std::optional<ExplainedEvent> event;  // nullopt if the event is gone
  std::vector<DeliveryExplanation> deliveries;  // those that need somebody first
};

// `reference` is stream#seq or a CloudEvents id; `flow` limits the answer to one flow of its
// stream. Reads only. Errors: those of find_event(); event_unknown for a place the stream has not
// reached; unknown_flow; unknown_delivery if the flow reads another stream; those of the store.
async::Task<Result<Explanation>> explain(ports::Store& store, async::Clock& clock, const Live& live,
                                         std::string reference, std::optional<std::string> flow);

// For a terminal: everything that came from outside is escaped. Times are UTC, with the date where
// it is not the day of `now`.
std::string to_text(const Explanation& explanation, WallTime now);
// Field names are part of the API.
std::string to_json(const Explanation& explanation);

// A delivery's state, or "beforeStart", "trimmed", "unknown".
std::string_view state_name(const DeliveryExplanation& delivery);

}  // namespace weir::recovery
