// SPDX-License-Identifier: Apache-2.0
// Where the command line finds its token: --token-file, then WEIR_TOKEN, then WEIR_TOKEN_FILE. A
// token is never an argument: arguments are in the process list and in shell histories.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::app {

// "" if there is none. token_file_unusable for a file that cannot be read, that others than its
// owner may read, or that has no token in it.
Result<std::string> find_token(const std::string& token_file);
Result<std::string> read_token_file(const std::string& path);
// A token goes over https, or no further than this machine. Error: usage.
Result<> check_way(std::string_view server);

}  // namespace weir::app
