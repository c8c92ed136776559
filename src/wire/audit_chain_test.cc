// SPDX-License-Identifier: Apache-2.0
#include "wire/audit_chain.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "wire/testing/audit_chains.h"

namespace weir::wire {
namespace {

using testing::audit_chain;
using testing::problems_of;
using testing::relink;

AuditCheckpoint checkpoint_at(const std::vector<AuditEntry>& chain, std::uint64_t number) {
  return {.head = {number, chain[number - 1].hash}, .at = from_micros(5'000'000)};
}

TEST_CASE("the canonical bytes of an entry never change") {
  const AuditEntry entry{.at = from_micros(1'700'000'000'123'000),
                         .actor = "local:ann",
                         .action = "flow.pause",
                         .target = "ship",
                         .reason = "tracker; is down\n",
                         .detail = "",
                         .number = 7};
  CHECK(canonical_audit(entry) ==
        "12:weir-audit-1,1:7,24:2023-11-14T22:13:20.123Z,9:local:ann,10:flow.pause,4:ship,"
        "17:tracker; is down\n,0:,");
  CHECK(audit_hash(kAuditGenesis, entry) ==
        "1a5e3e287399a97840483bc59b2b215fe6fbf517481ec4ec5a3841f3965498f5");
}

TEST_CASE("an entry is linked as it can be verified outside: milliseconds, UTF-8, bounded") {
  const AuditHead head{4, std::string(64, 'a')};
  const AuditEntry entry = linked({.at = from_micros(1'234'567),
                                   .actor = std::string(5000, 'a'),
                                   .reason = "caf\xe9 \xe2\x82\xac",
                                   .detail = std::string(4095, 'd') + "\xe2\x82\xac" + "tail"},
                                  head);
  CHECK(entry.at == from_micros(1'234'000));
  CHECK(entry.number == 5);
  CHECK(entry.actor == std::string(1024, 'a') + " [3976 more bytes]");
  CHECK(entry.reason == "caf\xef\xbf\xbd \xe2\x82\xac");
  CHECK(entry.detail == std::string(4095, 'd') + " [7 more bytes]");
  CHECK(entry.hash == audit_hash(head.hash, entry));
}

TEST_CASE("the head of a chain is read back as it was written") {
  const AuditHead head{12, std::string(64, 'f')};
  CHECK(parse_audit_head(to_text(head)) == head);
  for (const char* text : {"", "12", "12 ", "12 ff", "x ffff", " 12 ffff"})
    CHECK_FALSE(parse_audit_head(text));
  CHECK_FALSE(parse_audit_head("12 " + std::string(64, 'F')));
}

TEST_CASE("a sound chain, whole or from a known entry on, has no problems") {
  const auto chain = audit_chain(50);
  CHECK(problems_of(chain, {checkpoint_at(chain, 10), checkpoint_at(chain, 50)}).empty());
  AuditVerifier rest({20, chain[19].hash}, {checkpoint_at(chain, 10), checkpoint_at(chain, 20)});
  for (std::size_t i = 20; i < chain.size(); ++i) rest.next(chain[i]);
  rest.finish(AuditHead{50, chain[49].hash});
  CHECK(rest.sound());
  CHECK(rest.entries() == 30);
  CHECK(rest.checkpoints_met() == 1);
  CHECK(problems_of({}, {}).empty());
}

TEST_CASE("what is done to a chain is said") {
  auto chain = audit_chain(20);
  const auto whole = chain;
  SUBCASE("an edit") {
    chain[6].reason = "another";
    CHECK(
        problems_of(chain) ==
        std::vector<std::string>{"entry 7 is not what was recorded: its hash does not follow from "
                                 "entry 6 and its content"});
  }
  SUBCASE("an edit with its hash made anew") {
    chain[6].reason = "another";
    chain[6].hash = audit_hash(chain[5].hash, chain[6]);
    CHECK(problems_of(chain).front().starts_with("entry 8 is not what was recorded"));
  }
  SUBCASE("the first entry") {
    chain[0].actor = "nobody";
    CHECK(
        problems_of(chain).front().ends_with("does not follow from the beginning and its content"));
  }
  SUBCASE("a deletion") {
    chain.erase(chain.begin() + 6);
    CHECK(problems_of(chain) == std::vector<std::string>{"entry 7 is missing"});
  }
  SUBCASE("of several, at the beginning") {
    chain.erase(chain.begin(), chain.begin() + 3);
    CHECK(problems_of(chain) == std::vector<std::string>{"entries 1 to 3 are missing"});
  }
  SUBCASE("a deletion with what follows renumbered") {
    chain.erase(chain.begin() + 6);
    for (std::size_t i = 6; i < chain.size(); ++i) --chain[i].number;
    CHECK(problems_of(chain).front().starts_with("entry 7 is not what was recorded"));
  }
  SUBCASE("a repetition") {
    chain.insert(chain.begin() + 7, chain[6]);
    CHECK(problems_of(chain) == std::vector<std::string>{"entry 7 is there twice"});
  }
  SUBCASE("two lines in another order") {
    std::swap(chain[4], chain[5]);
    CHECK(problems_of(chain) ==
          std::vector<std::string>{"entry 5 is missing",
                                   "entry 5 comes after entry 6: it was moved or repeated"});
  }
  SUBCASE("two that changed places, with their numbers") {
    std::swap(chain[4], chain[11]);
    std::swap(chain[4].number, chain[11].number);
    CHECK(problems_of(chain).front() == "entries 5 and 12 have changed places");
  }
  SUBCASE("a time that no store writes") {
    chain[6].at += Duration{1};
    CHECK(problems_of(chain).size() == 1);
  }
  CHECK(problems_of(whole).empty());
}

TEST_CASE("what only a checkpoint or the kept head can tell") {
  auto chain = audit_chain(20);
  const auto checkpoints = std::vector{checkpoint_at(chain, 8), checkpoint_at(chain, 15)};
  const AuditHead kept{20, chain.back().hash};
  SUBCASE("the end was cut off, up to before a checkpoint") {
    chain.resize(12);
    CHECK(problems_of(chain).empty());
    CHECK(
        problems_of(chain, checkpoints) ==
        std::vector<std::string>{"the chain ends at entry 12, and a checkpoint signed at "
                                 "1970-01-01T00:00:05.000Z says 15: entries 13 to 15 are cut off"});
  }
  SUBCASE("the end was cut off, and the store has counted on") {
    chain.resize(19);
    CHECK(problems_of(chain, {}, kept) ==
          std::vector<std::string>{
              "the chain ends at entry 19, and the store has counted to 20: entry 20 is cut off"});
  }
  SUBCASE("everything was taken away") {
    chain.clear();
    CHECK(problems_of(chain, checkpoints).front().starts_with("the chain is empty, and"));
  }
  SUBCASE("an entry was added from outside") {
    chain.push_back(linked({.action = "forged"}, kept));
    CHECK(problems_of(chain, {}, kept) ==
          std::vector<std::string>{"the chain ends at entry 21, and the store has counted to 20: "
                                   "entry 21 is added from outside"});
  }
  SUBCASE("an entry was replaced, and everything after it linked anew") {
    chain[9].actor = "somebody else";
    relink(chain, 9);
    CHECK(problems_of(chain).empty());
    CHECK(problems_of(chain, checkpoints) ==
          std::vector<std::string>{"entry 15 is not the one that was signed at "
                                   "1970-01-01T00:00:05.000Z: the chain was written anew from an "
                                   "earlier entry on"});
    CHECK(problems_of(chain, {}, kept) ==
          std::vector<std::string>{"entry 20 is not the newest one that the store has written"});
  }
  SUBCASE("the kept head is gone") {
    CHECK(problems_of(chain, {}, AuditHead{}) ==
          std::vector<std::string>{"what the store keeps of the end of the chain is gone"});
  }
}

TEST_CASE("problems are bounded, their number is not; what cannot be read is one") {
  AuditVerifier verifier;
  for (std::uint64_t number = 1; number <= 500; ++number) verifier.unreadable(number, "damaged");
  CHECK(verifier.problems().size() == AuditVerifier::kProblemsMax);
  CHECK(verifier.problems_total() == 500);
  auto chain = audit_chain(5);
  AuditVerifier one;
  for (const AuditEntry& entry : chain)
    entry.number == 3 ? one.unreadable(3, "damaged") : one.next(entry);
  CHECK(one.problems_total() == 1);
  CHECK(one.problems().front().number == 3);
}

}  // namespace
}  // namespace weir::wire
