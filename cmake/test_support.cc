// SPDX-License-Identifier: Apache-2.0
// doctest for programs with a main of their own that link what tests use: its header leaves a few
// symbols open in every file that includes it.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
