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
  Payment& payment = payment_under(journal, engine_test::key_in(send.headers), event);
  const bool first = payment.calls++ == 0;
  return engine_test::pay(payment.executed, bank_of(event) == "keys",
                          first ? mishap_of(event) : Mishap::none);
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
