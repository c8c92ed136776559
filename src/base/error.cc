// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <array>

#include <fmt/format.h>

#include "base/assert.h"

namespace weir {
namespace {

constexpr auto kRows = std::to_array<CodeRow>({
#define WEIR_ERROR(code, name, http, retryable, title) \
  CodeRow{Code::name, #code, #name, http, retryable, title},
#include "base/error_codes.def"
#undef WEIR_ERROR
});

}  // namespace

const CodeRow& describe(Code code) {
  const auto index = static_cast<std::size_t>(code);
  WEIR_ASSERT(index < kRows.size());
  return kRows[index];
}

std::pair<const CodeRow*, std::size_t> all_codes() { return {kRows.data(), kRows.size()}; }

std::string to_text(const Error& error) {
  const CodeRow& row = describe(error.code);
  std::string text = fmt::format("error[{}]: {}", row.id,
                                 error.detail.empty() ? row.title : error.detail);
  if (!error.hint.empty()) text += fmt::format("\nhint: {}", error.hint);
  return text;
}

}  // namespace weir
