// SPDX-License-Identifier: Apache-2.0
#include "store/records/rows.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/read_side.h"

namespace weir::store::sqlite {
namespace {

// Nobody is sent something else instead of what cannot be read.
Result<Revision> opened(ReadSide& side, DeliveryRef ref, const Query& query) {
  const auto number = static_cast<std::uint32_t>(query.integer(0));
  WEIR_TRY(const std::string_view payload,
           side.keys.unseal("revisions", revision_key(ref, number), query.bytes(1), "a revision"));
  return decode_revision(payload);
}

}  // namespace

Result<std::vector<Revision>> newest_revisions(ReadSide& side,
                                               const std::vector<DeliveryRef>& refs) {
  std::vector<Revision> newest;
  for (const DeliveryRef ref : refs) {
    WEIR_TRY(Query query,
             side.db.query("SELECT number, record FROM revisions WHERE flow = ?1 AND pos = ?2 "
                           "ORDER BY number DESC LIMIT 1",
                           ref.flow.value, ref.position.pack()));
    WEIR_TRY(const bool row, query.next());
    if (!row) continue;
    WEIR_TRY(Revision revision, opened(side, ref, query));
    newest.push_back(std::move(revision));
  }
  return newest;
}

Result<std::vector<Revision>> revisions_of(ReadSide& side, DeliveryRef ref) {
  std::vector<Revision> revisions;
  WEIR_TRY(Query query,
           side.db.query("SELECT number, record FROM revisions WHERE flow = ?1 AND pos = ?2 "
                         "ORDER BY number",
                         ref.flow.value, ref.position.pack()));
  for (;;) {
    WEIR_TRY(const bool row, query.next());
    if (!row) return revisions;
    WEIR_TRY(Revision revision, opened(side, ref, query));
    revisions.push_back(std::move(revision));
  }
}

}  // namespace weir::store::sqlite
