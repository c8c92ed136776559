// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/check.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "model/event.h"
#include "store/records/envelope.h"
#include "store/records/packing.h"
#include "store/records/rows.h"
#include "store/sqlite/audit_reader.h"
#include "store/sqlite/keys.h"
#include "store/sqlite/open_database.h"
#include "store/sqlite/read_side.h"
#include "store/sqlite/schema.h"

namespace weir::store::sqlite {
namespace {

// One pass over the store; problems are collected, only errors of reading end it.
class Check {
 public:
  Check(Connection& db, std::shared_ptr<Keyring> ring) : db_(db), keys_(db, std::move(ring)) {}

  Result<CheckReport> run() {
    if (keys_.on()) WEIR_CHECK(keys_.verify());
    WEIR_CHECK(structure());
    WEIR_CHECK(streams_and_flows());
    WEIR_CHECK(events());
    WEIR_CHECK(kept_events());
    WEIR_CHECK(revisions());
    WEIR_CHECK(deliveries());
    WEIR_CHECK(settlements());
    WEIR_CHECK(sealed(
        "SELECT flow, key, record FROM holds", "hold",
        [](const Query& q) { return key_bytes({q.integer(0)}) + std::string(q.bytes(1)); }, 2,
        [](std::string_view payload) { return decode_hold(payload).ok(); }, "holds"));
    WEIR_CHECK(groups());
    WEIR_CHECK(replays());
    WEIR_CHECK(effects());
    const auto by_number = [](const Query& q) { return key_bytes({q.integer(0)}); };
    WEIR_CHECK(audit());
    WEIR_CHECK(sealed("SELECT id, record FROM tokens", "token", by_number, 1,
                      [](std::string_view payload) { return decode_token(payload).ok(); }));
    WEIR_CHECK(sealed("SELECT id, record FROM approvals", "approval", by_number, 1,
                      [](std::string_view payload) { return decode_approval(payload).ok(); }));
    WEIR_CHECK(sealed("SELECT pos, record FROM dedupe", "dedupe segment", by_number, 1,
                      [](std::string_view) { return true; }));
    WEIR_CHECK(sealed(
        "SELECT key, record FROM meta WHERE key <> CAST('audit.head' AS BLOB)", "meta value",
        [](const Query& q) { return std::string(q.bytes(0)); }, 1,
        [](std::string_view) { return true; }, "meta"));
    return std::move(report_);
  }

 private:
  void problem(std::string text) {
    ++report_.problems_total;
    if (report_.problems.size() < kProblemsMax) report_.problems.push_back(std::move(text));
  }

  // Calls `each` with every row.
  template <class Each>
  Result<> rows(const char* sql, Each each) {
    WEIR_TRY(Query query, db_.query(sql));
    for (;;) {
      WEIR_TRY(const bool row, query.next());
      if (!row) return {};
      each(query);
    }
  }

  // Counts a record of a table that may be encrypted. False if it is one that nobody can open here:
  // then nothing more can be told of it.
  template <class Opened>
  bool looked_at(std::string_view sealed, const Opened& opened) {
    ++(form_of(sealed) == Form::plain ? report_.plain : report_.encrypted);
    if (opened.ok()) return true;
    const Code code = opened.error().code;
    if (code == Code::key_missing) ++report_.unopened;
    if (code == Code::stream_shredded) ++report_.shredded;
    return code != Code::key_missing && code != Code::stream_shredded;
  }

  // `table` is empty if its records are never encrypted.
  template <class Bound, class Good>
  Result<> sealed(const char* sql, std::string_view what, Bound bound, int record, Good good,
                  std::string_view table = "") {
    return rows(sql, [&](const Query& query) {
      const auto payload = table.empty()
                               ? unseal(bound(query), query.bytes(record), what)
                               : keys_.unseal(table, bound(query), query.bytes(record), what);
      if (!table.empty() && !looked_at(query.bytes(record), payload)) return;
      if (!payload.ok() || !good(*payload))
        problem(fmt::format("a {} is damaged (key {})", what, query.integer(0)));
    });
  }

  // Rows that a query finds wrong: (flow, pos) or (id, 0) each.
  Result<> none(const char* sql, std::string_view what) {
    return rows(sql, [&](const Query& query) {
      problem(fmt::format("{} (flow or id {}, seq {})", what, query.integer(0),
                          Position::unpack(query.integer(1)).seq));
    });
  }

  Result<> structure() {
    return rows("PRAGMA integrity_check(100)", [&](const Query& query) {
      if (query.bytes(0) != "ok") problem(std::string(query.bytes(0)));
    });
  }

  Result<> streams_and_flows() {
    const auto by_id = [](const Query& q) { return key_bytes({q.integer(0)}); };
    WEIR_CHECK(sealed("SELECT id, record FROM streams", "stream", by_id, 1,
                      [](std::string_view payload) { return decode_stream(payload).ok(); }));
    WEIR_CHECK(sealed("SELECT id, record FROM flows", "flow", by_id, 1,
                      [](std::string_view payload) { return decode_flow(payload).ok(); }));
    return sealed("SELECT id, cursor FROM flows", "cursor", by_id, 1,
                  [](std::string_view payload) { return unpack_cursor(payload).ok(); });
  }

  void event(Position position, std::string_view record, std::string_view where) {
    const auto envelope = keys_.open_event(position, record);
    if (!looked_at(record, envelope)) return;
    const bool sound = envelope.ok() && decode_event(envelope->record).ok();
    if (!sound)
      problem(
          fmt::format("event {}#{} in {} is damaged", position.stream.value, position.seq, where));
  }

  Result<> events() {
    WEIR_CHECK(rows("SELECT pos, record FROM events", [&](const Query& query) {
      ++report_.events;
      event(Position::unpack(query.integer(0)), query.bytes(1), "the log");
    }));
    return none(
        "SELECT e.pos >> 48, e.pos FROM events e LEFT JOIN streams s ON s.id = e.pos >> 48 "
        "WHERE s.id IS NULL OR (e.pos & 0xFFFFFFFFFF) < s.first_seq",
        "an event outside of its stream");
  }

  Result<> kept_events() {
    return rows("SELECT flow, pos, record FROM kept_events", [&](const Query& query) {
      ++report_.kept_events;
      event(Position::unpack(query.integer(1)), query.bytes(2),
            fmt::format("the copies of flow {}", query.integer(0)));
    });
  }

  Result<> revisions() {
    WEIR_CHECK(rows("SELECT flow, pos, number, record FROM revisions", [&](const Query& query) {
      const DeliveryRef ref = ref_of(query.integer(0), query.integer(1));
      const auto number = static_cast<std::uint32_t>(query.integer(2));
      const auto payload = keys_.unseal("revisions", revision_key(ref, number), query.bytes(3),
                                        "a revision");
      if (!looked_at(query.bytes(3), payload)) return;
      const auto row = payload.ok() ? decode_revision(*payload) : payload.error();
      const bool sound = row.ok() && row->ref == ref && row->number == number &&
                         decode_event(row->record).ok();
      if (!sound)
        problem(fmt::format("revision {} of flow {} seq {} is damaged", number, ref.flow.value,
                            ref.position.seq));
    }));
    return none(
        "SELECT flow, pos FROM revisions r WHERE NOT EXISTS "
        "(SELECT 1 FROM deliveries d WHERE d.flow = r.flow AND d.pos = r.pos)",
        "a revision has lost its delivery");
  }

  Result<> deliveries() {
    WEIR_CHECK(
        rows("SELECT flow, pos, state, failure, changed_at, due, set_aside, replay, interruptions, "
             "key, event_id, record, deadline FROM deliveries",
             [&](const Query& query) { delivery(query); }));
    WEIR_CHECK(
        none("SELECT flow, pos FROM deliveries d WHERE state < 5 "
             "AND NOT EXISTS (SELECT 1 FROM events e WHERE e.pos = d.pos) "
             "AND NOT EXISTS (SELECT 1 FROM kept_events k WHERE k.flow = d.flow AND k.pos = d.pos)",
             "an open delivery has lost its event"));
    return none(
        "SELECT flow, pos FROM deliveries d WHERE state = 4 AND group_id <> 0 "
        "AND NOT EXISTS (SELECT 1 FROM groups g WHERE g.id = d.group_id AND g.flow = d.flow)",
        "a quarantined delivery is in a group that does not exist");
  }

  void delivery(const Query& query) {
    ++report_.deliveries;
    const DeliveryRef ref = ref_of(query.integer(0), query.integer(1));
    const auto name = [&] {
      return fmt::format("delivery of flow {} seq {}", ref.flow.value, ref.position.seq);
    };
    const auto payload = keys_.unseal("deliveries", key_of(ref), query.bytes(11), "a delivery");
    if (!looked_at(query.bytes(11), payload)) return;
    const auto row = payload.ok() ? decode_delivery(*payload) : Result<Delivery>(payload.error());
    if (!row.ok()) return problem(fmt::format("the {} is damaged", name()));
    const bool same =
        row->ref == ref && static_cast<std::int64_t>(row->state) == query.integer(2) &&
        static_cast<std::int64_t>(row->failure) == query.integer(3) &&
        to_micros(row->changed_at) == query.integer(4) && to_micros(row->due) == query.integer(5) &&
        to_micros(row->deadline) == query.integer(12) &&
        row->is_set_aside() == (query.integer(6) != 0) && row->replay.value == query.integer(7) &&
        row->interruptions == query.integer(8) && is_column(row->key, query.bytes(9)) &&
        is_column(row->event_id, query.bytes(10));
    if (!same) problem(fmt::format("the columns of the {} differ from its record", name()));
  }

  bool is_column(const std::string& text, std::string_view column) {
    if (text == column) return true;
    const auto hashed = keys_.column(text);
    return hashed.ok() && *hashed == column;
  }

  Result<> settlements() {
    return rows(
        "SELECT flow, min_seq, number, max_seq, record FROM settlements", [&](const Query& query) {
          const std::string bound = key_bytes(
              {query.integer(0), query.integer(1), query.integer(2)});
          const auto payload = unseal(bound, query.bytes(4), "settlements");
          const bool whole = payload.ok() && payload->size() >= 8;
          const auto list = whole ? unpack_settlements(payload->substr(8))
                                  : Result(std::vector<Settlement>());
          const bool sound = list.ok() && !list->empty() &&
                             static_cast<std::int64_t>(list->front().seq) == query.integer(1) &&
                             static_cast<std::int64_t>(list->back().seq) == query.integer(3);
          if (!sound)
            return problem(fmt::format("settlements of flow {} from {} are damaged",
                                       query.integer(0), query.integer(1)));
          report_.settlements += list->size();
        });
  }

  Result<> groups() {
    WEIR_CHECK(
        rows("SELECT id, flow, hash, open, last_at, record FROM groups", [&](const Query& query) {
          ++report_.groups;
          const auto payload = keys_.unseal("groups", key_bytes({query.integer(0)}), query.bytes(5),
                                            "a group");
          if (!looked_at(query.bytes(5), payload)) return;
          const auto group = payload.ok() ? decode_group(*payload) : Result<Group>(payload.error());
          const bool same = group.ok() && group->flow.value == query.integer(1) &&
                            group->fingerprint.hash == query.bytes(2) &&
                            static_cast<std::int64_t>(group->open) == query.integer(3) &&
                            to_micros(group->last_at) == query.integer(4);
          if (!same) problem(fmt::format("group {} is damaged", query.integer(0)));
        }));
    return none(
        "SELECT g.id, 0 FROM groups g WHERE g.open <> (SELECT count(*) FROM deliveries d "
        "INDEXED BY deliveries_by_group WHERE d.group_id <> 0 AND d.group_id = g.id AND d.state = "
        "4)",
        "a group counts other members than it has");
  }

  Result<> replays() {
    std::map<std::int64_t, std::uint64_t> planned;
    std::set<std::int64_t> unknown;
    WEIR_CHECK(rows("SELECT id, state, record FROM replays", [&](const Query& query) {
      const auto payload = keys_.unseal("replays", key_bytes({query.integer(0)}), query.bytes(2),
                                        "a replay");
      if (!looked_at(query.bytes(2), payload)) return void(unknown.insert(query.integer(0)));
      const auto replay = payload.ok() ? decode_replay(*payload) : Result<Replay>(payload.error());
      const bool same = replay.ok() && static_cast<std::int64_t>(replay->state) == query.integer(1);
      if (!same) return problem(fmt::format("replay {} is damaged", query.integer(0)));
      planned[query.integer(0)] = replay->counts.planned;
    }));
    WEIR_CHECK(
        rows("SELECT replay, count(*) FROM replay_items GROUP BY replay", [&](const Query& query) {
          const auto items = static_cast<std::uint64_t>(query.integer(1));
          report_.replay_items += items;
          if (unknown.contains(query.integer(0))) return;
          const auto replay = planned.find(query.integer(0));
          const bool right = replay != planned.end() && replay->second == items;
          if (!right)
            problem(
                fmt::format("replay {} has {} items and counts others", query.integer(0), items));
          planned.erase(query.integer(0));
        }));
    for (const auto& [id, count] : planned) {
      if (count != 0) problem(fmt::format("replay {} has lost its {} items", id, count));
    }
    return {};
  }

  Result<> effects() {
    return rows(
        "SELECT id, key, state, version, flow, pos, dependency, changed_at, record FROM effects",
        [&](const Query& query) {
          const auto payload = keys_.unseal("effects", query.bytes(1), query.bytes(8), "an effect");
          if (!looked_at(query.bytes(8), payload)) return;
          const auto effect = payload.ok() ? decode_effect(*payload)
                                           : Result<Effect>(payload.error());
          const bool same = effect.ok() && is_column(effect->key, query.bytes(1)) &&
                            static_cast<std::int64_t>(effect->state) == query.integer(2) &&
                            effect->version == query.integer(3) &&
                            effect->delivery == ref_of(query.integer(4), query.integer(5)) &&
                            effect->dependency == query.bytes(6) &&
                            to_micros(effect->changed_at) == query.integer(7);
          if (!same) problem(fmt::format("effect e{} is damaged", query.integer(0)));
        });
  }

  Result<> audit() {
    wire::AuditVerifier verifier;
    WEIR_TRY(const AuditTable table, read_audit(db_, verifier_of(verifier)));
    verifier.finish(table.kept);
    for (const wire::AuditProblem& one : verifier.problems()) problem("audit: " + one.text);
    report_.audit_entries = verifier.entries();
    return {};
  }

  Connection& db_;
  StreamKeys keys_;
  CheckReport report_;
};

}  // namespace

Result<CheckReport> check(const std::string& folder, const std::string& vfs,
                          std::shared_ptr<Keyring> ring) {
  WEIR_TRY(Connection db, open_reader(folder, vfs));
  WEIR_CHECK(db.execute("BEGIN"));
  WEIR_CHECK(verify_tables(db));
  Result<CheckReport> report = Check(db, std::move(ring)).run();
  const bool damaged = !report.ok() && report.error().code == Code::store_corrupt;
  if (!damaged) return report;
  CheckReport broken;  // SQLite itself gave up: that is a finding, not a failure of the check
  broken.problems.push_back(report.error().detail);
  broken.problems_total = 1;
  return broken;
}

}  // namespace weir::store::sqlite
