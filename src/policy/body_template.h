// SPDX-License-Identifier: Apache-2.0
// The constant part of an error text: two texts made by one line of code have one template.
#pragma once

#include <string>
#include <string_view>

namespace weir::policy {

// Everything variable is replaced: <n> numbers, <id> uuids and other ids, <hex>, <str> quoted
// strings, <url>, <email>, <addr> IP and memory addresses, <time> timestamps. In a JSON text member
// names stay, and so do the values of members that say what happened (error, message, code, ...),
// each as a template of its own. White space is folded. Time is linear: at most kOutcomeBodyMax
// bytes are read and kTemplateMax written.
inline constexpr std::size_t kTemplateMax = 512;
std::string body_template(std::string_view text);

}  // namespace weir::policy
