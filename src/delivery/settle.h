// SPDX-License-Identifier: Apache-2.0
// Turns a decision into what a commit writes and what happens after it. The one place where a
// delivery with a row changes state on the delivery side.
#pragma once

#include "delivery/attempt.h"
#include "delivery/candidate.h"
#include "delivery/delivery_parts.h"
#include "delivery/flow.h"
#include "model/decision.h"
#include "model/delivery.h"

namespace weir::delivery {

// Whether a delivery so decided is tried again later, rather than now or never.
bool waits(const Decision& decision, WallTime now);

// The row of a delivery that has none yet.
Delivery new_row(const Flow& flow, Position position, const Event& event, std::string key,
                 WallTime deadline);

// An event that was done at its first attempt: settlement and cursor, no row. `admitted` is when
// the guardrails let it go.
void settle_done(DeliveryParts& parts, Flow& flow, const Candidate& candidate, const Event& event,
                 const Attempted& attempted, MonoTime admitted);

// A held event that the filter does not match any more.
void settle_filtered(DeliveryParts& parts, Flow& flow, const Candidate& candidate);

// Everything else. `attempted` is nullptr if no attempt was made (expired, interrupted). `row`
// carries what is known of the delivery; its attempts already count this one. `again` is called,
// durably, when the row may be due again.
struct Settled {
  Delivery row;
  Decision decision;
  const Event& event;
  const Attempted* attempted = nullptr;
};
void settle_row(DeliveryParts& parts, Flow& flow, Settled settled, std::function<void()> again);

// `replayed` for what is replayed, which leaves the next commit to live traffic, unless it goes one
// by one: then there is nothing to share a commit with.
Settler::Urgency urgency_of(const Flow& flow, const Delivery& row, Settler::Urgency replayed);

}  // namespace weir::delivery
