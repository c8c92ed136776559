// SPDX-License-Identifier: Apache-2.0
// Random JSON texts for properties: well-formed ones with every kind of value, spelling and blank,
// and damaged ones.
#pragma once

#include <string>

#include "base/rng.h"

namespace weir::wire::testing {

// Well-formed, names unique, nested at most `depth` deep.
std::string random_json(Rng& rng, int depth = 4);
// A JSON string with escapes, surrogate pairs and characters of every length.
std::string random_json_string(Rng& rng);
// The same text after a few random edits of its bytes. Most results are malformed, some are not.
std::string damaged(Rng& rng, std::string text);

}  // namespace weir::wire::testing
