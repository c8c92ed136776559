// SPDX-License-Identifier: Apache-2.0
// $or beside fields that share an object with it.
//
// Two fields of one pattern may not be satisfied by different elements of one array. Matching takes
// care of that object by object, so fields below one name have to stand in one nested pattern:
// {"data":{"items":{"a":[1]},"$or":[{"items":{"b":[2]}},{"c":[3]}]}} asks for one item that has
// both a and b. Such a pattern is multiplied out into alternatives; any other is left as it is.
#pragma once

#include "policy/filter_compile.h"

namespace weir::policy {

// How many patterns without $or the pattern stands for; at most 1 million, however many they are.
std::size_t combinations_of(const PatternObject& pattern);

// Multiplies out what has to be. False if that would make more than kJoinedFieldsMax fields.
inline constexpr std::size_t kJoinedFieldsMax = 20'000;
bool join_alternatives(PatternObject& pattern);

}  // namespace weir::policy
