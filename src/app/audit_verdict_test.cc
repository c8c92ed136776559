// SPDX-License-Identifier: Apache-2.0
#include "app/audit_verdict.h"

#include <doctest/doctest.h>

#include "wire/audit_lines.h"

namespace weir::app {
namespace {

const std::string kSealSeed(32, 's');
const std::string kOtherSeed(32, 'o');

std::vector<AuditEntry> entries_of(int count) {
  std::vector<AuditEntry> entries;
  AuditHead head;
  for (int i = 0; i < count; ++i) {
    entries.push_back(wire::linked({.action = "marker"}, head));
    head = {entries.back().number, entries.back().hash};
  }
  return entries;
}

AuditVerdict judged(const std::vector<AuditEntry>& entries, const ScreenedCheckpoints& screened) {
  wire::AuditVerifier verifier({}, screened.good);
  for (const AuditEntry& entry : entries) verifier.next(entry);
  verifier.finish();
  return verdict_of(verifier, screened);
}

AuditCheckpoint signed_at(const std::vector<AuditEntry>& entries, std::uint64_t number,
                          const std::string& seed = kSealSeed) {
  return wire::sign_checkpoint(seed, {.head = {number, entries[number - 1].hash}});
}

TEST_CASE("a verdict says what was compared, and what was not") {
  const auto entries = entries_of(5);
  const std::string key = signed_at(entries, 1).key;
  CHECK(
      verdict_text(judged(entries, screened({}, "", false))) ==
      "The audit is whole: 5 entries, each linked to the one before it.\n"
      "No signed checkpoint was there to compare with: had somebody cut off its end, or written it "
      "all anew, this would not show.\n");
  const auto one = judged(entries, screened({signed_at(entries, 4)}, key, true));
  CHECK(verdict_text(one) ==
        "The audit is whole: 5 entries, each linked to the one before it.\n"
        "1 signed checkpoint agrees with it, the newest signed at 1970-01-01T00:00:00.000Z for "
        "entry 4, by key " +
            key.substr(0, 16) +
            "...\n"
            "What came after it is not signed yet: 1 entry.\n");
  const auto two = judged(entries,
                          screened({signed_at(entries, 5), signed_at(entries, 2)}, "", false));
  CHECK(verdict_text(two).contains("2 signed checkpoints agree with it"));
  CHECK(verdict_text(two).contains("That key came with it"));
  CHECK_FALSE(verdict_text(two).contains("not signed yet"));
  CHECK(two.sound());
}

TEST_CASE("checkpoints that cannot be believed are problems, and prove nothing") {
  const auto entries = entries_of(5);
  AuditCheckpoint bent = signed_at(entries, 3);
  bent.head.number = 4;
  const auto result = screened({bent, signed_at(entries, 2, kOtherSeed), signed_at(entries, 5)},
                               signed_at(entries, 1).key, true);
  CHECK(result.good.size() == 1);
  const auto verdict = judged(entries, result);
  CHECK_FALSE(verdict.sound());
  const std::string text = verdict_text(verdict);
  CHECK(text.contains("the checkpoint for entry 4 is not what was signed\n"));
  CHECK(text.contains("the checkpoint for entry 2 is signed by another key"));
  CHECK(text.ends_with("The audit is broken: 2 problems in 5 entries.\n"));
  CHECK(verdict_json(verdict).contains(R"("sound":false,"entries":5)"));
}

}  // namespace
}  // namespace weir::app
