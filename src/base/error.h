// SPDX-License-Identifier: Apache-2.0
// What Weir says when Weir itself could not do its work. A failing handler is an Outcome, never an
// Error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weir {

// Stable, published codes. docs/errors/<code>.md has the page of each.
enum class Code : std::uint16_t {
#define WEIR_ERROR(code, name, http, retryable, title) name,
#include "base/error_codes.def"
#undef WEIR_ERROR
};

struct CodeRow {
  Code code;
  std::string_view id;     // "WR1204"
  std::string_view name;   // "unknown_stream"
  int http;                // status the API answers with
  bool retryable;          // the same request may succeed later
  std::string_view title;  // one line, no details
};

const CodeRow& describe(Code code);
// Every code, in catalogue order.
std::pair<const CodeRow*, std::size_t> all_codes();

struct [[nodiscard]] Error {
  Code code;
  std::string detail;  // what happened and where: file:line:column, a name or an id
  std::string hint;    // what to do next; may be empty
};

// "error[WR1204]: unknown stream 'githb'", then "hint: ..." on its own line if there is one.
std::string to_text(const Error& error);

}  // namespace weir
