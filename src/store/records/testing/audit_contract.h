// SPDX-License-Identifier: Apache-2.0
// What every store must keep to about the chain of its audit.
#pragma once

#include "ports/testing/store_bench.h"

namespace weir::store::testing {

void audit_contract(const ports::testing::StoreFactory& open);
// Of a store whose data outlives it.
void durable_audit_contract(const ports::testing::StoreFactory& open);

}  // namespace weir::store::testing
