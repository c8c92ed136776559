// SPDX-License-Identifier: Apache-2.0
#include "model/outcome.h"

#include <array>

#include "base/assert.h"

namespace weir {

const std::string* Outcome::header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (known == name) return &value;
  }
  return nullptr;
}

std::string_view to_text(Fault fault) {
  constexpr std::array<std::string_view, kFaultCount> kNames = {
      "none",           "dnsTemporary",   "dnsNotFound",      "refused",
      "unreachable",    "connectTimeout", "tlsHandshake",     "tlsVerify",
      "sendFailed",     "timeout",        "connectionClosed", "malformedAnswer",
      "answerTooLarge", "cancelled",      "egressRefused"};
  const auto index = static_cast<std::size_t>(fault);
  WEIR_ASSERT(index < kNames.size());
  return kNames[index];
}

std::string_view to_text(Phase phase) {
  constexpr std::array<std::string_view, 3> kNames = {"notSent", "sentUnseen", "maybeSeen"};
  const auto index = static_cast<std::size_t>(phase);
  WEIR_ASSERT(index < kNames.size());
  return kNames[index];
}

}  // namespace weir
