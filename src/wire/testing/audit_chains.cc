// SPDX-License-Identifier: Apache-2.0
#include "wire/testing/audit_chains.h"

#include <array>

#include <fmt/format.h>

namespace weir::wire::testing {

std::vector<AuditEntry> audit_chain(std::size_t size) {
  constexpr std::array<const char*, 4> kActions = {"flow.pause", "replay.start", "marker",
                                                   "quarantine.discard"};
  constexpr std::array<const char*, 4> kReasons = {"", "it is \"down\"", "caf\xc3\xa9\n\tline\x1b",
                                                   "ticket 4711"};
  std::vector<AuditEntry> chain;
  AuditHead head;
  for (std::size_t i = 0; i < size; ++i) {
    const auto at = static_cast<std::int64_t>(1'700'000'000'000'000 + i * 1'234'567);
    chain.push_back(linked({.at = from_micros(at),
                            .actor = i % 3 == 0 ? "weir" : "local:ann",
                            .action = kActions[i % kActions.size()],
                            .target = fmt::format("t{}", i),
                            .reason = kReasons[(i / 4) % kReasons.size()],
                            .detail = std::string(i % 7, 'd')},
                           head));
    head = {chain.back().number, chain.back().hash};
  }
  return chain;
}

void relink(std::vector<AuditEntry>& chain, std::size_t first) {
  for (std::size_t i = first; i < chain.size(); ++i) {
    chain[i].hash = audit_hash(i == 0 ? kAuditGenesis : std::string_view(chain[i - 1].hash),
                               chain[i]);
  }
}

std::vector<std::string> problems_of(const std::vector<AuditEntry>& chain,
                                     std::vector<AuditCheckpoint> checkpoints,
                                     const std::optional<AuditHead>& kept) {
  AuditVerifier verifier({}, std::move(checkpoints));
  for (const AuditEntry& entry : chain) verifier.next(entry);
  verifier.finish(kept);
  std::vector<std::string> texts;
  for (const AuditProblem& problem : verifier.problems()) texts.push_back(problem.text);
  return texts;
}

}  // namespace weir::wire::testing
