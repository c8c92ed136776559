// SPDX-License-Identifier: Apache-2.0
#include "store/records/testing/audit_contract.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "wire/audit_chain.h"

namespace weir::store::testing {
namespace {

using namespace ports;
using namespace ports::testing;

// The whole chain, verified against the head that the store keeps; its length.
std::uint64_t verified(StoreBench& bench) {
  auto entries = *bench.run(bench.store().recovery().audit(UINT64_MAX, 10'000));
  std::ranges::reverse(entries);
  const auto kept = *bench.run(bench.store().flows().meta(std::string(kAuditHeadMeta)));
  wire::AuditVerifier verifier;
  for (const AuditEntry& entry : entries) verifier.next(entry);
  verifier.finish(kept ? wire::parse_audit_head(*kept) : AuditHead{});
  for (const wire::AuditProblem& problem : verifier.problems()) FAIL_CHECK(problem.text);
  CHECK(kept.has_value() == !entries.empty());
  return verifier.entries();
}

AddAudit deed(int number) {
  return {{.at = at(number) + Duration{7},
           .actor = "local:ann",
           .action = "flow.pause",
           .target = fmt::format("t{}", number),
           .reason = std::string(static_cast<std::size_t>(number) * 700, 'r'),
           .detail = "not \xff UTF-8"}};
}

void refused(StoreBench& bench) {
  SUBCASE("a batch whose precondition does not hold leaves no link") {
    const auto receipt = bench.try_commit(
        {.lane = Lane::operate, .preconditions = {FlowEpochIs{kFlow, 77}}, .mutations = {deed(2)}});
    REQUIRE(receipt.ok());
    CHECK_FALSE(receipt->applied);
  }
  SUBCASE("a batch that is not valid leaves no link") {
    const auto receipt = bench.try_commit(
        {.lane = Lane::operate, .mutations = {deed(2), SetFlowStatus{.flow = FlowId{99}}}});
    CHECK_FALSE(receipt.ok());
  }
  SUBCASE("nobody else writes the head") {
    const auto receipt = bench.try_commit(
        {.lane = Lane::operate, .mutations = {PutMeta{std::string(kAuditHeadMeta), "0 "}}});
    CHECK(receipt.error().code == Code::invalid_argument);
  }
  CHECK(verified(bench) == 1);
  bench.commit({deed(3)});
  CHECK(verified(bench) == 2);
}

}  // namespace

void audit_contract(const StoreFactory& open) {
  StoreBench bench(open);
  bench.register_names();
  CHECK(verified(bench) == 0);
  bench.commit({deed(1)}, Lane::operate);
  SUBCASE("refused") { refused(bench); }
  SUBCASE("entries of one batch and of several are links of one chain") {
    bench.commit({deed(2), deed(3), PutMeta{"k", "v"}, deed(4)});
    for (int i = 5; i < 10; ++i) bench.commit({deed(i)}, Lane::operate);
    CHECK(verified(bench) == 9);
  }
  SUBCASE("of batches that share transactions, too") {
    std::vector<std::optional<Result<Receipt>>> results(40);
    for (std::size_t i = 0; i < results.size(); ++i) {
      WriteBatch batch{.lane = i % 2 == 0 ? Lane::operate : Lane::settle, .mutations = {deed(1)}};
      if (i % 5 == 0) batch.preconditions = {FlowEpochIs{kFlow, 77}};
      bench.start(bench.store().writer().commit(std::move(batch)), results[i]);
    }
    bench.wait(
        [&] { return std::ranges::all_of(results, [](const auto& r) { return r.has_value(); }); });
    CHECK(verified(bench) == 33);
  }
  SUBCASE("number and hash are the store's own, whatever a caller says") {
    AddAudit forged = deed(2);
    forged.entry.number = 90;
    forged.entry.hash = "beef";
    bench.commit({forged});
    CHECK(verified(bench) == 2);
  }
  SUBCASE("texts are bounded") {
    bench.commit({deed(9)});
    const auto newest = bench.run(bench.store().recovery().audit(UINT64_MAX, 1))->front();
    CHECK(newest.reason.size() < 9 * 700);
    CHECK(newest.reason.size() <= wire::kAuditTextMax + 32);
    CHECK(newest.reason.ends_with("more bytes]"));
    CHECK(verified(bench) == 2);
  }
}

void durable_audit_contract(const StoreFactory& open) {
  StoreBench bench(open);
  bench.register_names();
  for (int life = 1; life <= 3; ++life) {
    bench.commit({deed(1), deed(2)});
    bench.reopen();
    CHECK(verified(bench) == 2 * static_cast<std::uint64_t>(life));
  }
}

}  // namespace weir::store::testing
