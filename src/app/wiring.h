// SPDX-License-Identifier: Apache-2.0
// Where delivery, recovery and effects meet: what they ask of the running engine and tell it.
#pragma once

#include <memory>

#include "app/egress_gate.h"
#include "async/clock.h"
#include "delivery/engine.h"
#include "effects/wired.h"
#include "recovery/live.h"

namespace weir::app {

// The engine may be made later, but before anything is asked; it, the clock and the gate outlive
// the answer.
recovery::Live wire_recovery(async::Executor executor,
                             const std::unique_ptr<delivery::Engine>& engine, async::Clock& clock,
                             const EgressGate& egress);

// `send` makes one call of a dependency.
effects::Wired wire_effects(const std::unique_ptr<delivery::Engine>& engine,
                            std::function<async::Task<Outcome>(effects::Send)> send);

}  // namespace weir::app
