// SPDX-License-Identifier: Apache-2.0
// The dependency that handlers pay through the effect gateway: it outlives every crash and keeps a
// list of what it really executed. Three of them, by event: one honours idempotency keys, one does
// not, and one does not but can be asked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "effects/gateway.h"
#include "journal.h"
#include "model/outcome.h"
#include "payment.h"

namespace weir::crash {

using engine_test::kMishaps;
using engine_test::Mishap;
inline constexpr std::uint32_t kPayments = 3 * kMishaps;  // events, from 1 on
// How the first call of an event ends; every later one is executed and answered.
Mishap mishap_of(std::uint32_t event);
std::string bank_of(std::uint32_t event);  // "keys", "held", "asked"

effects::EffectRequest payment_of(std::uint32_t event, std::string_view token);
Outcome serve(Journal& journal, const effects::Send& send);
// The handler was told that the payment of this event happened.
void note_heard(Journal& journal, std::uint32_t event);

// nullptr: nobody called under the key that the bank was given.
const Payment* find_payment(const Journal& journal, std::string_view sent_key);

}  // namespace weir::crash
