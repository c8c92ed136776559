// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace weir::config {

// Whether it can be put into a request line as it is, and stays below the url that it is added to:
// it starts with '/', has only characters that a URI has, no fragment, and no '.' or '..' as a
// segment, percent-encoded neither. A query may follow.
bool is_target_path(std::string_view text);

}  // namespace weir::config
