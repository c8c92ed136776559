// SPDX-License-Identifier: Apache-2.0
#include "bank.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

namespace weir::crash {
namespace {

std::string_view key_text(const Payment& payment) {
  const std::string_view all(payment.key.data(), payment.key.size());
  return all.substr(0, all.find('\0'));
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

Payment& payment_under(Journal& journal, std::string_view key, std::uint32_t event) {
  for (Payment& payment : journal.payments) {
    if (payment.event != 0 && key_text(payment) == key) return payment;
    if (payment.event != 0) continue;
    payment.event = event;
    std::ranges::copy(key, payment.key.begin());
    return payment;
  }
  throw std::runtime_error("keys without end");
}

Outcome lost() {
  return {.fault = Fault::connectionClosed, .fault_detail = "closed without an answer"};
}

Outcome asked(const Journal& journal, std::string_view target) {
  const Payment* payment = find_payment(journal, target.substr(target.rfind('/') + 1));
  return {.status = payment != nullptr && payment->executed > 0 ? 200 : 404};
}

}  // namespace

Mishap mishap_of(std::uint32_t event) { return static_cast<Mishap>(event % kMishaps); }

std::string bank_of(std::uint32_t event) {
  constexpr std::string_view kBanks[] = {"keys", "held", "asked"};
  return std::string(kBanks[(event - 1) / kMishaps % 3]);
}

effects::EffectRequest payment_of(std::uint32_t event, std::string_view token) {
  return {.dependency = bank_of(event),
          .method = "POST",
          .target = "/payments",
          .headers = {},
          .body = fmt::format("{}", event),
          .token = std::string(token),
          // Every third handler has a key of its own.
          .caller_key = event % 3 == 0 ? fmt::format("payment-{}", event) : "",
          .step = {},
          .name = "pay"};
}

Outcome serve(Journal& journal, const effects::Send& send) {
  if (send.method == "GET") return asked(journal, send.target);
  const auto event = static_cast<std::uint32_t>(std::stoul(std::string(send.body)));
  Payment& payment = payment_under(journal, key_in(send.headers), event);
  const bool first = payment.calls++ == 0;
  const Mishap mishap = first ? mishap_of(event) : Mishap::none;
  if (mishap == Mishap::notReached)
    return {.fault = Fault::refused, .phase = Phase::notSent, .fault_detail = "refused"};
  if (mishap == Mishap::throttled) return {.status = 429};
  if (mishap == Mishap::requestLost) return lost();
  const bool knows_the_key = bank_of(event) == "keys" && payment.executed > 0;
  if (!knows_the_key) ++payment.executed;
  if (mishap == Mishap::answered500) return {.status = 500};
  return mishap == Mishap::answerLost ? lost() : Outcome{.status = 201, .body = "paid"};
}

void note_heard(Journal& journal, std::uint32_t event) {
  for (Payment& payment : journal.payments) {
    if (payment.event == event) payment.heard = true;
  }
}

const Payment* find_payment(const Journal& journal, std::string_view key) {
  const auto found = std::ranges::find_if(journal.payments, [&](const Payment& payment) {
    return payment.event != 0 && key_text(payment) == key;
  });
  return found == journal.payments.end() ? nullptr : &*found;
}

}  // namespace weir::crash
