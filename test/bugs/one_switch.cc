// SPDX-License-Identifier: Apache-2.0
// Says whether a seeded bug is switched on: built once with switches and once without.
#include "base/seeded_bug.h"

int main() { return WEIR_SEEDED_BUG("one.switch") ? 1 : 0; }
