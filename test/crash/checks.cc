// SPDX-License-Identifier: Apache-2.0
#include "checks.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <tuple>

#include <doctest/doctest.h>

#include "ask.h"
#include "recount.h"
#include "wire/audit_chain.h"

namespace weir::crash {
namespace {

std::span<const Call> calls_of(const Journal& journal) {
  return {journal.calls.data(), journal.count};
}

// Done, or never to be done: nothing follows such a call without an operator or a crash.
bool is_last(const Call& call) { return call.status != 503; }

}  // namespace

DeliveryRef ref_of(Life& life, FlowName flow, std::uint32_t event) {
  return {life.engine().find_flow(name_of(flow))->id(),
          Position{life.engine().find_stream("s")->id, 0, event}};
}

void check_order(const Journal& journal) {
  std::map<std::uint32_t, std::uint32_t> last;
  for (const Call& call : calls_of(journal)) {
    if (call.flow != FlowName::orders) continue;
    CAPTURE(call.event);
    CHECK(last[key_of(call.event)] <= call.event);
    last[key_of(call.event)] = call.event;
  }
}

void check_calls(const Journal& journal, std::uint32_t crashes) {
  std::map<std::tuple<FlowName, std::uint32_t, std::uint32_t>, std::uint32_t> ends;
  std::map<std::tuple<FlowName, std::uint32_t, std::uint32_t, std::uint32_t>, std::uint32_t> once;
  std::map<std::pair<FlowName, std::uint32_t>, std::set<std::array<char, 32>>> keys;
  for (const Call& call : calls_of(journal)) {
    keys[{call.flow, call.event}].insert(call.key);
    if (!is_last(call)) continue;
    CAPTURE(call.event);
    CAPTURE(call.replay);
    CHECK(++once[{call.flow, call.event, call.replay, call.life}] == 1);
    CHECK(++ends[{call.flow, call.event, call.replay}] <= 1 + crashes);
    CHECK_FALSE(call.late);
  }
  for (const auto& [delivery, used] : keys) CHECK(used.size() == 1);
}

void check_chain(Life& life) {
  auto entries = answer(life, life.store().recovery().audit(~0ull >> 1, 10'000));
  std::ranges::reverse(entries);
  wire::AuditVerifier verifier;
  for (const AuditEntry& entry : entries) verifier.next(entry);
  const auto kept = answer(life, life.store().flows().meta(std::string(ports::kAuditHeadMeta)));
  verifier.finish(kept ? wire::parse_audit_head(*kept) : AuditHead{});
  CHECK(verifier.entries() > 0);
  for (const wire::AuditProblem& problem : verifier.problems()) FAIL_CHECK(problem.text);
}

void check_sums(Life& life) {
  for (const Replay& replay : answer(life, life.replays().list())) {
    CAPTURE(replay.plan.reason);
    const auto items = answer(life,
                              life.store().recovery().items(replay.id, std::nullopt, {}, 100));
    const auto stored = answer(life, life.store().recovery().replay(replay.id));
    REQUIRE(stored);
    for (ReplayCounts told : {replay.counts, stored->counts}) {
      told.same_fingerprint = 0;  // the members do not know
      CHECK(told == engine_test::recount(items));
      CHECK(told.sent + told.skipped <= told.planned);
      CHECK(told.succeeded + told.failed_again + told.in_doubt == told.sent);
    }
  }
}

}  // namespace weir::crash
