// SPDX-License-Identifier: Apache-2.0
// Delivered events as a selection: what a flow is run again for after its handler had a bug. They
// have no rows; the settlement history tells which they are.
#pragma once

#include <vector>

#include "async/task.h"
#include "model/config_model.h"
#include "policy/ordering_key.h"
#include "ports/store.h"
#include "recovery/live.h"
#include "recovery/selection.h"

namespace weir::recovery {

// Fills the range of a rewind. Errors: invalid_argument.
async::Task<Result<>> resolve_rewind(ports::Store& store, const Live& live,
                                     ResolvedSelection& into);

// The next delivered ones after `last`, in order, as rows in state done; those without a row have
// what a new one would have. `last` moves on; `end`: there are no more.
async::Task<Result<std::vector<Delivery>>> delivered_page(ports::Store& store,
                                                          const ResolvedSelection& selection,
                                                          DeliveryRef& last, bool& end);

// What is run again has left its line: of a flow with ordering keys one goes at a time.
bool goes_in_turn(const Live& live, const Selection& selection);

// Rows for those of `refs` that have none, made of their events; missing events are left out.
async::Task<Result<std::vector<Delivery>>> rows_of_events(ports::Store& store,
                                                          std::vector<DeliveryRef> refs,
                                                          const policy::KeyRule& keys);

}  // namespace weir::recovery
