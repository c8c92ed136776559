// SPDX-License-Identifier: Apache-2.0
// What a commit writes: values, never SQL, so that memory, SQLite and PostgreSQL can all do it.
// A batch is one transaction: all of its mutations or none.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "model/access.h"
#include "model/approval.h"
#include "model/delivery.h"
#include "model/effect.h"
#include "model/event.h"
#include "model/flow_state.h"
#include "model/group.h"
#include "model/replay.h"

namespace weir::ports {

// --- ingest ---
struct NewEvent {
  std::uint64_t dedupe_hash =
      0;               // dedupe_hash(source, id); hits are verified against the stored event
  std::string record;  // encode_event()
};
// Appends what is new. Yields one AppendResult per event, in order, in the receipt. Duplicates
// within one batch count. The recorded time is `now`, or that of the event before it if the clock
// ran backwards.
struct AppendEvents {
  StreamId stream;
  std::vector<NewEvent> events;
  WallTime now;
};

// --- flows ---
struct PutFlow {
  FlowRecord flow;
};  // registers or replaces everything but the cursor (kept if it exists)
struct SetFlowStatus {
  FlowId flow;
  FlowStatus status;
  std::string reason;
  WallTime since;
  PauseCause cause = PauseCause::none;
};
struct PutCursor {
  FlowId flow;
  Cursor cursor;
};
struct AddSettlements {
  FlowId flow;
  StreamId stream;
  WallTime at;
  std::vector<Settlement> settlements;
};  // sorted by seq
struct RemoveFlow {
  FlowId flow;
};  // cursor, holds, rows, groups, kept events, settlements: all of it

// --- deliveries ---
struct PutDelivery {
  Delivery delivery;
};  // upsert of the whole row
struct KeepEvent {
  DeliveryRef ref;
};  // copy of the event for an open delivery; no-op if kept or trimmed
struct DropKeptEvent {
  DeliveryRef ref;
};  // no-op if not kept
// Beside the event and its kept copy, which stay as they are. The next of its delivery, up to
// kRevisionsMax; goes when the delivery's row goes.
struct PutRevision {
  Revision revision;
};
struct PutHold {
  Hold hold;
};
struct DropHold {
  FlowId flow;
  std::string key;
};

// --- groups ---
// Finds or makes the group of (flow, fingerprint.hash), counts one more open member, and sets
// delivery.group of the row `ref`, which must be in the store or earlier in this batch.
struct JoinGroup {
  DeliveryRef ref;
  FlowId flow;
  std::string dependency;
  FailureClass failure;
  std::string failure_mode;
  Fingerprint fingerprint;
  WallTime at;
};
struct LeaveGroup {
  GroupId group;
  std::uint64_t count = 1;
};  // so many open members less

// Replaces what people said about a group; no-op for an unknown one.
struct AnnotateGroup {
  GroupId group;
  GroupNotes notes;
};

// --- replays ---
// Makes the next ReplayId; the receipt has it. State planning.
struct CreateReplay {
  Replay replay;
};
// Adds the next quarantined deliveries of the replay's selection (all conditions but `where` and
// `ids`), walking (flow, position) from `after`, at most `limit` rows looked at, entered quarantine
// before the cutoff, not set aside, not in an unfinished replay. The receipt says how far it came.
struct FreezeChunk {
  ReplayId replay;
  DeliveryRef after;
  std::uint32_t limit;
};
// For selections by pattern or ids. Members of this or of another unfinished replay are left out.
struct AddReplayItems {
  ReplayId replay;
  std::vector<DeliveryRef> refs;
};
struct PutReplay {
  Replay replay;
};  // everything but counts.planned
// A replay without members; no-op for one that has some. Later mutations of it in the same batch
// are refused.
struct DropReplay {
  ReplayId replay;
};
struct SetReplayItem {
  ReplayId replay;
  DeliveryRef ref;
  ItemState state;
};

// --- effects ---
// Upsert of the whole entry by its key; a new one gets the next EffectId. RemoveFlow leaves the
// ledger alone: a flow that comes back must not repeat what it did.
struct PutEffect {
  Effect effect;
};
// Forgets what a dependency confirmed, or certainly did not do, before that time, the oldest first
// and at most `limit` of them. What is in doubt stays, and so does what belongs to a delivery with
// an open row.
struct DropEffects {
  std::string dependency;
  WallTime before;
  std::uint32_t limit;
};

// --- retention, audit, meta ---
// Deletes events with seq < before, after copying (as KeepEvent does) those that open rows of any
// flow still need and those in `keep` (events behind holds, which only the caller can know). Also
// drops settled rows, with their copies, and settlements whose events are gone. Sets the stream's
// first_seq. Callers keep the range small (at most 1024 events).
struct TrimStream {
  StreamId stream;
  std::uint64_t before;
  std::vector<DeliveryRef> keep;
};
// Registers, or changes the name and the dedupe limits of an existing stream. A new one has no
// events: first_seq is next_seq.
struct PutStream {
  StreamRecord stream;
};
// The store makes number and hash, in the transaction: an entry is never without its link.
struct AddAudit {
  AuditEntry entry;
};
// Where stores keep the head of the chain (wire::to_text(AuditHead)); PutMeta of it is refused.
inline constexpr std::string_view kAuditHeadMeta = "audit.head";
struct PutMeta {
  std::string key;
  std::string value;
};
struct PutToken {
  AccessToken token;
};  // upsert of the whole row
struct DropToken {
  TokenId token;
};  // no-op for an unknown one
struct PutApproval {
  Approval approval;
};  // upsert of the whole row
struct DropApproval {
  ApprovalId approval;
};  // no-op for an unknown one

// --- encryption (a store without keys has nothing to rotate) ---
// Every data key is wrapped by the store's present master key, and what is written from now on is
// sealed under new data keys. The batch is refused with key_wrong if one of them was wrapped by a
// master key that the store was not given.
struct RotateKeys {};
// Destroys the data keys of a stream for good, and with them whatever was sealed under them; drops
// its rows, kept events and groups. Its events are unreadable until TrimStream removes them. What
// is appended afterwards is sealed under a new key.
struct ShredStream {
  StreamId stream;
};

using Mutation =
    std::variant<AppendEvents, PutFlow, SetFlowStatus, PutCursor, AddSettlements, RemoveFlow,
                 PutDelivery, KeepEvent, DropKeptEvent, PutRevision, PutHold, DropHold, JoinGroup,
                 LeaveGroup, AnnotateGroup, CreateReplay, FreezeChunk, AddReplayItems, PutReplay,
                 DropReplay, SetReplayItem, PutEffect, DropEffects, TrimStream, PutStream, AddAudit,
                 PutMeta, PutToken, DropToken, PutApproval, DropApproval, RotateKeys, ShredStream>;

// --- preconditions: the batch applies only if all hold ---
// The row exists and is in this state; the very same row, if it says when that changed.
struct DeliveryIs {
  DeliveryRef ref;
  DeliveryState state;
  WallTime changed_at{};
};
// There is no row.
struct DeliveryAbsent {
  DeliveryRef ref;
};
// The event is in the log: retention has not trimmed it.
struct EventStored {
  Position position;
};
struct ReplayIs {
  ReplayId replay;
  ReplayState state;
};
struct ReplayItemIs {
  ReplayId replay;
  DeliveryRef ref;
  ItemState state;
};
struct FlowEpochIs {
  FlowId flow;
  std::uint64_t epoch;
};
// Nobody has said anything else about the group since it was read.
struct GroupNotesAre {
  GroupId group;
  GroupNotes notes;
};
// The ledger's entry of this key has this version; 0 = there is none.
struct EffectIs {
  std::string key;
  std::uint32_t version;
};
// No unfinished replay has the delivery among its items.
struct NotInReplay {
  DeliveryRef ref;
};
// The approval has this version; 0 = there is none.
struct ApprovalIs {
  ApprovalId approval;
  std::uint32_t version;
};
using Precondition = std::variant<DeliveryIs, DeliveryAbsent, EventStored, ReplayIs, ReplayItemIs,
                                  FlowEpochIs, GroupNotesAre, EffectIs, NotInReplay, ApprovalIs>;

// Settling and operator writes go before ingest.
enum class Lane : std::uint8_t { settle, operate, ingest };

struct WriteBatch {
  Lane lane = Lane::settle;
  // Background work may wait so long for a commit that it can be part of, instead of one of its
  // own; a store that commits at once may ignore it.
  Duration patience{};
  std::vector<Precondition> preconditions;
  std::vector<Mutation> mutations;
};

// What an act that needs somebody else's yes takes into its transaction: that the yes is used up,
// and that nobody else used it. Empty for an act that needs none.
struct Consent {
  std::vector<Precondition> preconditions;
  std::vector<Mutation> mutations;
  bool empty() const { return mutations.empty(); }
};
void add_to(WriteBatch& batch, Consent consent);

enum class AppendStatus : std::uint8_t { stored, duplicate, conflict };
struct AppendResult {
  AppendStatus status = AppendStatus::stored;
  std::uint64_t seq = 0;  // its own, or that of the event it repeats or conflicts with
  WallTime recorded{};    // of a stored one
};

struct Receipt {
  bool applied = true;                  // false: a precondition did not hold; nothing was written
  std::size_t failed_precondition = 0;  // index, if not applied
  std::vector<AppendResult> appended;   // of every AppendEvents, in order
  std::vector<StoredEvent> stored;      // those that are new: nobody has to read them back
  ReplayId replay;                      // of CreateReplay
  DeliveryRef freeze_next;              // of FreezeChunk: pass as `after` next time
  bool freeze_done = false;
  std::uint32_t frozen = 0;           // items added by FreezeChunk
  std::vector<GroupId> groups;        // of every JoinGroup, in order
  std::uint32_t effects_dropped = 0;  // by DropEffects
  std::uint32_t keys = 0;             // data keys that RotateKeys wrapped, or ShredStream destroyed
  std::uint64_t shredded_before = 0;  // of ShredStream: every event with a lower seq
};

// Moves the records of what was stored from a committed batch into its receipt.
void hand_back(WriteBatch& batch, Receipt& receipt);

}  // namespace weir::ports
