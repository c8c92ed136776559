// SPDX-License-Identifier: Apache-2.0
// What every page of a run has in common: its looks and its small script. Constants; the page's
// content security policy allows exactly these two texts by their hashes, and nothing from outside.
#pragma once

#include <string_view>

namespace weir::sim {

// CSS for light and dark, screen and paper.
std::string_view page_style();
// A cursor over all charts at once, by pointer or arrow keys, that says the values at its place.
// Without it the page is complete but for that.
std::string_view page_script();

}  // namespace weir::sim
