// SPDX-License-Identifier: Apache-2.0
#include "store/records/rows.h"

#include <bit>

#include "base/bytes.h"

namespace weir::store {
namespace {

constexpr std::uint8_t kRowVersion = 1;

Error undecodable(std::string_view what) {
  return Error{Code::store_corrupt, std::string(what) + " cannot be decoded",
               "run `weir store check`"};
}

// Writes or reads the same list of fields, so that both directions cannot drift apart.
class Out {
 public:
  Out() { out_.u8(kRowVersion); }
  void operator()(const std::string& text) { out_.text(text); }
  void operator()(WallTime time) { out_.u64(static_cast<std::uint64_t>(to_micros(time))); }
  void operator()(Duration duration) { out_.u64(static_cast<std::uint64_t>(duration.count())); }
  void operator()(double number) { out_.u64(std::bit_cast<std::uint64_t>(number)); }
  void operator()(Position position) { out_.u64(static_cast<std::uint64_t>(position.pack())); }
  void operator()(const std::vector<std::pair<std::string, std::string>>& pairs) {
    out_.varint(pairs.size());
    for (const auto& [name, value] : pairs) out_.text(name), out_.text(value);
  }
  void operator()(RoleSet roles) { out_.u8(roles.bits()); }
  void operator()(const std::vector<std::string>& texts) {
    out_.varint(texts.size());
    for (const std::string& text : texts) out_.text(text);
  }
  template <class Tag>
  void operator()(StrongId<Tag> id) {
    out_.varint(id.value);
  }
  template <class Number>
    requires std::is_integral_v<Number> || std::is_enum_v<Number>
  void operator()(Number number) {
    out_.varint(static_cast<std::uint64_t>(number));
  }
  std::string take() && { return std::move(out_).take(); }

 private:
  ByteWriter out_;
};

// What a row can say of each: a name that nobody knows is damage, or a later version's.
constexpr DeliveryState last_of(DeliveryState) { return DeliveryState::discarded; }
constexpr FailureClass last_of(FailureClass) { return FailureClass::interrupted; }
constexpr FlowStatus last_of(FlowStatus) { return FlowStatus::removed; }
constexpr PauseCause last_of(PauseCause) { return PauseCause::deadLetterBrake; }
constexpr ReplayState last_of(ReplayState) { return ReplayState::completed; }
constexpr EffectState last_of(EffectState) { return EffectState::inDoubt; }
constexpr ApprovalAct last_of(ApprovalAct) { return ApprovalAct::remove; }

class In {
 public:
  explicit In(std::string_view bytes) : in_(bytes) { good_ = in_.u8() == kRowVersion; }
  void operator()(std::string& text) { text = in_.text(); }
  void operator()(WallTime& time) { time = from_micros(static_cast<std::int64_t>(in_.u64())); }
  void operator()(Duration& duration) { duration = Duration{static_cast<std::int64_t>(in_.u64())}; }
  void operator()(double& number) { number = std::bit_cast<double>(in_.u64()); }
  void operator()(Position& position) {
    position = Position::unpack(static_cast<std::int64_t>(in_.u64()));
  }
  void operator()(std::vector<std::pair<std::string, std::string>>& pairs) {
    std::uint64_t count = in_.varint();
    for (; count > 0 && !in_.failed(); --count) {
      std::string name(in_.text());
      pairs.emplace_back(std::move(name), std::string(in_.text()));
    }
  }
  void operator()(RoleSet& roles) { roles = RoleSet::of_bits(in_.u8()); }
  void operator()(std::vector<std::string>& texts) {
    for (std::uint64_t left = in_.varint(); left > 0 && !in_.failed(); --left)
      texts.emplace_back(in_.text());
  }
  void operator()(bool& flag) { flag = up_to(1) != 0; }
  template <class Tag>
  void operator()(StrongId<Tag>& id) {
    id.value = in_.varint_as<std::uint32_t>();
  }
  template <std::integral Number>
  void operator()(Number& number) {
    number = in_.varint_as<Number>();
  }
  template <class Named>
    requires std::is_enum_v<Named>
  void operator()(Named& named) {
    named = static_cast<Named>(up_to(static_cast<std::uint64_t>(last_of(named))));
  }
  bool whole() const { return good_ && !in_.failed() && in_.at_end(); }

 private:
  std::uint64_t up_to(std::uint64_t last) {
    const std::uint64_t value = in_.varint();
    good_ = good_ && value <= last;
    return good_ ? value : 0;
  }

  ByteReader in_;
  bool good_;
};

template <class Row, class Fields>
std::string encode(const Row& row, Fields fields) {
  Out out;
  fields(out, row);
  return std::move(out).take();
}

template <class Row, class Fields>
Result<Row> decode(std::string_view bytes, std::string_view what, Fields fields) {
  In in(bytes);
  Row row;
  fields(in, row);
  if (!in.whole()) return undecodable(what);
  return row;
}

constexpr auto kDelivery = [](auto& io, auto& row, auto& details) {
  io(row.ref.flow), io(row.ref.position), io(row.state), io(row.failure), io(row.attempts);
  io(row.attempts_this_round), io(row.interruptions), io(row.replays), io(row.revision),
      io(row.in_doubt), io(row.archived), io(row.exhausted);
  io(row.first_at), io(row.due), io(row.deadline), io(row.changed_at), io(row.replay), io(details);
};

constexpr auto kRevision = [](auto& io, auto& row) {
  io(row.ref.flow), io(row.ref.position), io(row.number), io(row.at), io(row.editor),
      io(row.subject), io(row.reason), io(row.record);
};

constexpr auto kFlow = [](auto& io, auto& row) {
  io(row.id), io(row.name), io(row.identity), io(row.stream), io(row.ordering_key), io(row.epoch),
      io(row.status), io(row.cause), io(row.reason);
  io(row.since);
};

constexpr auto kStream = [](auto& io, auto& row) {
  io(row.id), io(row.name), io(row.dedupe_window), io(row.dedupe_max_entries);
};

constexpr auto kGroup = [](auto& io, auto& row) {
  io(row.id), io(row.fingerprint.hash), io(row.fingerprint.title), io(row.fingerprint.normalised),
      io(row.flow);
  io(row.dependency), io(row.failure), io(row.failure_mode), io(row.open), io(row.total),
      io(row.first_at);
  io(row.last_at), io(row.sample), io(row.notes.name), io(row.notes.owner), io(row.notes.note),
      io(row.notes.snoozed_until), io(row.notes.merged_into);
};

constexpr auto kHold = [](auto& io, auto& row) {
  io(row.flow), io(row.key), io(row.holder), io(row.first), io(row.last), io(row.count),
      io(row.released);
};

constexpr auto kCounts = [](auto& io, auto& counts) {
  io(counts.planned), io(counts.sent), io(counts.succeeded), io(counts.failed_again),
      io(counts.skipped), io(counts.in_doubt), io(counts.stale), io(counts.same_fingerprint),
      io(counts.discarded);
};

constexpr auto kReplay = [](auto& io, auto& row, auto& plan, auto& checked) {
  io(row.id), io(plan), io(checked), io(row.state), io(row.resume_to), io(row.state_reason),
      io(row.created_at), io(row.cutoff);
  io(row.started_at), io(row.finished_at), io(row.resumed_at), io(row.waits_until),
      io(row.rate_now);
  kCounts(io, row.counts), kCounts(io, row.overruled);
};

constexpr auto kEffect = [](auto& io, auto& row) {
  io(row.key), io(row.state), io(row.version), io(row.delivery.flow), io(row.delivery.position);
  io(row.dependency), io(row.method), io(row.target), io(row.step), io(row.name),
      io(row.caller_key), io(row.fingerprint), io(row.sends), io(row.attempt);
  io(row.first_sent), io(row.last_sent), io(row.changed_at), io(row.reason), io(row.resolution),
      io(row.answer.status), io(row.answer.headers), io(row.answer.body);
};

constexpr auto kAudit = [](auto& io, auto& row) {
  io(row.at), io(row.actor), io(row.action), io(row.target), io(row.reason), io(row.detail),
      io(row.hash);
};

constexpr auto kToken = [](auto& io, auto& row) {
  io(row.id), io(row.name), io(row.subject), io(row.roles), io(row.scope.streams),
      io(row.scope.flows), io(row.created), io(row.expires), io(row.revoked), io(row.hash);
};

constexpr auto kApproval = [](auto& io, auto& row, auto& selection) {
  io(row.id), io(row.act), io(row.target), io(row.hash), io(row.what), io(row.why), io(selection),
      io(row.references), io(row.makers), io(row.asker), io(row.reason), io(row.requested),
      io(row.expires);
  io(row.approver), io(row.with), io(row.said), io(row.granted), io(row.used), io(row.voided),
      io(row.break_glass), io(row.version);
};

}  // namespace

std::string encode_row(const Delivery& delivery) {
  const std::string details = encode_delivery_details(delivery);
  Out out;
  kDelivery(out, delivery, details);
  return std::move(out).take();
}

Result<Delivery> decode_delivery(std::string_view bytes) {
  In in(bytes);
  Delivery row;
  std::string details;
  kDelivery(in, row, details);
  if (!in.whole()) return undecodable("a delivery");
  WEIR_CHECK(decode_delivery_details(details, row));
  return row;
}

std::string encode_row(const Revision& revision) { return encode(revision, kRevision); }
Result<Revision> decode_revision(std::string_view bytes) {
  return decode<Revision>(bytes, "a revision", kRevision);
}

std::string encode_row(const FlowRecord& flow) { return encode(flow, kFlow); }
Result<FlowRecord> decode_flow(std::string_view bytes) {
  return decode<FlowRecord>(bytes, "a flow", kFlow);
}

std::string encode_row(const StreamRecord& stream) { return encode(stream, kStream); }
Result<StreamRecord> decode_stream(std::string_view bytes) {
  return decode<StreamRecord>(bytes, "a stream", kStream);
}

std::string encode_row(const Group& group) { return encode(group, kGroup); }
Result<Group> decode_group(std::string_view bytes) {
  return decode<Group>(bytes, "a group", kGroup);
}

std::string encode_row(const Hold& hold) { return encode(hold, kHold); }
Result<Hold> decode_hold(std::string_view bytes) { return decode<Hold>(bytes, "a hold", kHold); }

std::string encode_row(const Replay& replay) {
  const std::string plan = encode_replay_plan(replay.plan);
  const std::string checked = encode_check_results(replay.checked);
  Out out;
  kReplay(out, replay, plan, checked);
  return std::move(out).take();
}

Result<Replay> decode_replay(std::string_view bytes) {
  In in(bytes);
  Replay row;
  std::string plan;
  std::string checked;
  kReplay(in, row, plan, checked);
  if (!in.whole()) return undecodable("a replay");
  WEIR_TRY(row.plan, decode_replay_plan(plan));
  WEIR_TRY(row.checked, decode_check_results(checked));
  return row;
}

std::string encode_row(const Effect& effect) { return encode(effect, kEffect); }
Result<Effect> decode_effect(std::string_view bytes) {
  return decode<Effect>(bytes, "an effect", kEffect);
}

std::string encode_row(const AuditEntry& entry) { return encode(entry, kAudit); }
Result<AuditEntry> decode_audit(std::string_view bytes) {
  return decode<AuditEntry>(bytes, "an audit entry", kAudit);
}

std::string encode_row(const AccessToken& token) { return encode(token, kToken); }
Result<AccessToken> decode_token(std::string_view bytes) {
  return decode<AccessToken>(bytes, "a token", kToken);
}

std::string encode_row(const Approval& approval) {
  const std::string selection = encode_selection(approval.selection);
  Out out;
  kApproval(out, approval, selection);
  return std::move(out).take();
}

Result<Approval> decode_approval(std::string_view bytes) {
  In in(bytes);
  Approval row;
  std::string selection;
  kApproval(in, row, selection);
  if (!in.whole()) return undecodable("an approval");
  WEIR_TRY(row.selection, decode_selection(selection));
  return row;
}

}  // namespace weir::store
