// SPDX-License-Identifier: Apache-2.0
#include "store/records/batch_check.h"

#include <map>
#include <set>

#include <fmt/format.h>

#include "store/records/packing.h"

namespace weir::store {
namespace {

using namespace ports;

Error invalid(std::string detail) { return Error{Code::invalid_argument, std::move(detail), ""}; }

// One pass over a batch, remembering what it makes.
class Check {
 public:
  explicit Check(Existing& existing) : existing_(existing) {}

  Result<> operator()(const AppendEvents& m) { return stream(m.stream); }
  Result<> operator()(const TrimStream& m) { return stream(m.stream); }
  Result<> operator()(const ShredStream& m) { return stream(m.stream); }
  Result<> operator()(const SetFlowStatus& m) { return flow(m.flow); }
  Result<> operator()(const AddReplayItems& m) { return replay(m.replay); }
  Result<> operator()(const FreezeChunk& m) { return replay(m.replay); }
  Result<> operator()(const PutReplay& m) { return replay(m.replay.id); }

  Result<> operator()(const DropReplay& m) {
    dropped_.insert(m.replay);
    return {};
  }

  Result<> operator()(const PutStream& m) {
    const StreamRecord& stream = m.stream;
    if (!stream.id || stream.id.value > kStreamIdMax) return invalid("a stream id out of range");
    if (stream.first_seq < 1 || stream.next_seq < stream.first_seq)
      return invalid("a stream's range is reversed");
    streams_.insert(stream.id);
    return {};
  }

  Result<> operator()(const PutFlow& m) {
    if (!m.flow.id || !is_valid(m.flow.cursor))
      return invalid("a flow without an id or with a broken cursor");
    flows_.insert(m.flow.id);
    return {};
  }

  Result<> operator()(const PutCursor& m) {
    if (!is_valid(m.cursor))
      return invalid(fmt::format("the cursor of flow {} is broken", m.flow.value));
    return flow(m.flow);
  }

  Result<> operator()(const AddSettlements& m) {
    for (std::size_t i = 1; i < m.settlements.size(); ++i) {
      if (m.settlements[i - 1].seq >= m.settlements[i].seq)
        return invalid("settlements are not sorted by seq");
    }
    return flow(m.flow);
  }

  Result<> operator()(const PutDelivery& m) {
    const DeliveryState state = m.delivery.state;
    if (state == DeliveryState::held || state == DeliveryState::filtered) {
      return invalid("held and filtered deliveries have no row");
    }
    deliveries_.insert(m.delivery.ref);
    return {};
  }

  Result<> operator()(const PutRevision& m) {
    const DeliveryRef ref = m.revision.ref;
    const std::uint32_t number = m.revision.number;
    if (!revisions_.contains(ref)) {
      WEIR_TRY(revisions_[ref], existing_.newest_revision(ref));
    }
    if (number > kRevisionsMax || number != revisions_[ref] + 1)
      return invalid(fmt::format("a revision {} after {}", number, revisions_[ref]));
    revisions_[ref] = number;
    return {};
  }

  Result<> operator()(const JoinGroup& m) {
    if (deliveries_.contains(m.ref)) return {};
    WEIR_TRY(const bool known, existing_.delivery(m.ref));
    if (known) return {};
    return Error{Code::unknown_delivery,
                 fmt::format("flow {} seq {}", m.ref.flow.value, m.ref.position.seq), ""};
  }

  Result<> operator()(const PutMeta& m) {
    if (m.key == kAuditHeadMeta) return invalid("the head of the audit is the store's own");
    return {};
  }

  Result<> operator()(const auto&) { return {}; }

 private:
  Result<> stream(StreamId id) {
    if (streams_.contains(id)) return {};
    WEIR_TRY(const bool known, existing_.stream(id));
    if (known) return {};
    return Error{Code::unknown_stream, fmt::format("stream {}", id.value), ""};
  }

  Result<> flow(FlowId id) {
    if (flows_.contains(id)) return {};
    WEIR_TRY(const bool known, existing_.flow(id));
    if (known) return {};
    return Error{Code::unknown_flow, fmt::format("flow {}", id.value), ""};
  }

  Result<> replay(ReplayId id) {
    WEIR_TRY(const bool known, existing_.replay(id));
    if (known && !dropped_.contains(id)) return {};
    return Error{Code::unknown_replay, fmt::format("replay {}", id.value), ""};
  }

  Existing& existing_;
  std::set<StreamId> streams_;
  std::set<FlowId> flows_;
  std::set<DeliveryRef> deliveries_;
  std::set<ReplayId> dropped_;
  std::map<DeliveryRef, std::uint32_t> revisions_;  // the newest
};

}  // namespace

Result<> check_batch(const WriteBatch& batch, Existing& existing) {
  Check check(existing);
  for (const Mutation& mutation : batch.mutations) {
    WEIR_CHECK(std::visit(check, mutation));
  }
  return {};
}

}  // namespace weir::store
