// SPDX-License-Identifier: Apache-2.0
// The simulated disk is built with the precompiled header of tests, which needs doctest's symbols.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
