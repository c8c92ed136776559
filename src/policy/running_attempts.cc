// SPDX-License-Identifier: Apache-2.0
#include "policy/running_attempts.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "wire/digest.h"

namespace weir::policy {

std::string RunningAttempts::begin(RunningAttempt attempt) {
  std::string token = wire::sha256_hex(fmt::format("{}:{}", ++count_, secret_)).substr(0, 32);
  attempts_.emplace(wire::sha256_hex(token), std::make_shared<RunningAttempt>(std::move(attempt)));
  return token;
}

std::shared_ptr<RunningAttempt> RunningAttempts::find(std::string_view token) const {
  const auto found = attempts_.find(wire::sha256_hex(token));
  return found == attempts_.end() ? nullptr : found->second;
}

EffectReport RunningAttempts::end(std::string_view token) {
  const auto found = attempts_.find(wire::sha256_hex(token));
  WEIR_ASSERT(found != attempts_.end());
  const std::shared_ptr<RunningAttempt> attempt = std::move(found->second);
  attempts_.erase(found);
  attempt->ended = true;
  return attempt->report;
}

}  // namespace weir::policy
