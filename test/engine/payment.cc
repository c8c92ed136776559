// SPDX-License-Identifier: Apache-2.0
#include "payment.h"

#include <stdexcept>

namespace weir::engine_test {
namespace {

Outcome lost() {
  return {.fault = Fault::connectionClosed, .fault_detail = "closed without an answer"};
}

}  // namespace

Outcome pay(std::uint32_t& executed, bool knows_keys, Mishap mishap) {
  if (mishap == Mishap::notReached)
    return {.fault = Fault::refused, .phase = Phase::notSent, .fault_detail = "refused"};
  if (mishap == Mishap::throttled) return {.status = 429};
  if (mishap == Mishap::requestLost) return lost();
  if (!knows_keys || executed == 0) ++executed;
  if (mishap == Mishap::answered500) return {.status = 500};
  return mishap == Mishap::answerLost ? lost() : Outcome{.status = 201, .body = "paid"};
}

std::string key_in(std::string_view headers) {
  constexpr std::string_view kName = "Idempotency-Key: ";
  const auto at = headers.find(kName);
  if (at == headers.npos) throw std::runtime_error("a payment without a key");
  std::string_view key = headers.substr(at + kName.size());
  key = key.substr(0, key.find('\r'));
  if (key.starts_with('"')) key = key.substr(1, key.size() - 2);
  return std::string(key);
}

}  // namespace weir::engine_test
