// SPDX-License-Identifier: Apache-2.0
// The one admin token that Weir makes by itself, when there is no other way in: at the first start,
// and at a start without any live admin token left.
#pragma once

#include <string>

#include "api/tokens.h"
#include "base/result.h"

namespace weir::app {

// 32 bytes of the kernel's random generator.
std::string random_secret();

// Writes the text to `folder`/admin.token, mode 0600, and syncs it; a file of that name is
// replaced. The result is the path.
Result<std::string> write_token_file(const std::string& folder, const std::string& text);

// Makes it if it is needed; the path of its file, "" if not. `folder` "" means a new one among the
// temporary files. The file comes first: killed in between, the next start finds no token in the
// store, and replaces a file that was never good for anything.
async::Task<Result<std::string>> make_first_token(api::Tokens& tokens, std::string folder,
                                                  WallTime now);

}  // namespace weir::app
