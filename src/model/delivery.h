// SPDX-License-Identifier: Apache-2.0
// The state of one event in one flow. A delivery has a row of its own only after a failed attempt,
// an interruption or a quarantine; everything else is told by the flow's cursor and its settlement
// history.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/decision.h"
#include "model/event.h"
#include "model/outcome.h"
#include "model/position.h"
#include "model/revision.h"

namespace weir {

class ByteReader;
class ByteWriter;

// ready -> inFlight -> done | waiting | quarantined | ready (deferral, interruption)
// waiting -> ready | quarantined;  quarantined -> ready (replay) | resolved | discarded
enum class DeliveryState : std::uint8_t {
  ready,     // may be dispatched; carries replay if a replay released it
  inFlight,  // an attempt is running; found after a crash it is an interruption
  waiting,   // failed at least once, will be retried at `due`
  held,  // an earlier delivery of its key is waiting or quarantined (told by a Hold, never a row)
  quarantined,
  done,
  filtered,   // the flow's pattern did not match (never a row)
  resolved,   // settled by a person
  discarded,  // settled by a person or by a rule
};

std::string_view to_text(DeliveryState state);
std::optional<DeliveryState> parse_delivery_state(std::string_view text);
inline bool is_settled(DeliveryState state) { return state >= DeliveryState::done; }
inline bool is_open(DeliveryState state) { return !is_settled(state); }

// One line of a delivery's history.
struct AttemptRecord {
  std::uint32_t number =
      0;  // 1-based; 0 for a line that was no attempt (interruption, replay release, operator)
  WallTime at{};
  Duration took{};
  std::uint16_t status = 0;  // 0 with a fault
  Fault fault = Fault::none;
  FailureClass failure = FailureClass::ok;
  DecisionKind decision = DecisionKind::done;
  std::string note;  // rule and reason, short: "http.422: 422 is permanent"
  ReplayId replay;   // set if the attempt belonged to a replay
  bool operator==(const AttemptRecord&) const = default;
};

// What the replay that released a delivery asks of its calls.
struct ReplayTerms {
  std::uint32_t attempts = 0;      // at most, in this round; 0 = as the flow's policy says
  bool new_trace = false;          // a trace of its own, instead of going on with the event's
  std::vector<std::string> strip;  // extension attributes of the event that are not sent
  std::vector<std::pair<std::string, std::string>> headers;  // sent beside the flow's own
  bool operator==(const ReplayTerms&) const = default;
};
inline constexpr std::size_t kReplayHeadersMax = 32;  // and as many to strip

inline constexpr std::size_t kHistoryMax =
    32;  // later lines replace the middle; the first and the last stay

struct Delivery {
  DeliveryRef ref;
  DeliveryState state = DeliveryState::ready;
  FailureClass failure = FailureClass::ok;  // of the last failure
  std::uint32_t attempts = 0;               // over the life of the delivery, replays included
  std::uint32_t attempts_this_round = 0;  // since it was last released: what retry.maxAttempts caps
  std::uint32_t interruptions = 0;
  std::uint32_t replays = 0;
  std::uint32_t revision = kFirstRevision;  // of the event: what is sent
  bool in_doubt = false;
  bool archived = false;   // quarantined: put aside by a person, until it is restored
  bool exhausted = false;  // quarantined: back from as many replays as retry.maxReplays allows
  WallTime first_at{};     // first attempt
  WallTime due{};          // waiting: not before
  WallTime deadline{};     // event deadline; epoch zero = none
  WallTime changed_at{};   // last state change; when it entered quarantine, if it is there
  GroupId group;           // quarantined: its failure group
  ReplayId replay;         // ready, inFlight, waiting: the run that released it
  std::string key;         // ordering key; empty = unordered
  std::string event_id;    // copied for listings
  std::string event_type;
  std::string reason;  // why it is in this state, one sentence
  std::string failure_mode;
  std::string resolution;  // resolved, discarded: the operator's reason
  std::vector<AttemptRecord> history;
  ReplayTerms terms;  // with `replay`

  void add_history(AttemptRecord line);
  // No plan takes it that selects by what deliveries are like.
  bool is_set_aside() const { return archived || exhausted; }
  bool operator==(const Delivery&) const = default;
};

// The variable part (texts and history) as one blob, for stores that keep the rest in columns.
std::string encode_delivery_details(const Delivery& delivery);
Result<> decode_delivery_details(std::string_view blob, Delivery& into);

void write_terms(ByteWriter& out, const ReplayTerms& terms);
bool read_terms(ByteReader& in, ReplayTerms& terms);

// A finished delivery that never failed: a few bytes of history.
struct Settlement {
  std::uint64_t seq = 0;
  std::uint16_t status = 0;  // HTTP status; 0 = filtered
  std::uint32_t duration_us = 0;
  std::uint32_t attempt = 1;
  bool operator==(const Settlement&) const = default;
};

// An ordering key that waits for its holder. Events of this key in [first, last] of the stream that
// are not settled otherwise belong to the hold.
struct Hold {
  FlowId flow;
  std::string key;
  Position holder;          // the delivery that failed
  std::uint64_t first = 0;  // seq of the first event behind it; 0 = none yet
  std::uint64_t last = 0;
  std::uint32_t count = 0;  // events behind it
  bool released = false;    // the holder is settled; the events behind it are being delivered
  bool operator==(const Hold&) const = default;
};

}  // namespace weir
