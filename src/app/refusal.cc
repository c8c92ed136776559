// SPDX-License-Identifier: Apache-2.0
#include "app/refusal.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "app/cells.h"
#include "app/exit_codes.h"
#include "base/text.h"
#include "net/http_message.h"
#include "wire/json.h"

namespace weir::app {
namespace {

constexpr std::size_t kForeignBytes = 300;  // shown of an answer that is not Weir's

// Problems with a status other than 400 that the caller mends by calling differently.
bool is_usage(std::string_view code) {
  static constexpr std::array kCodes = {Code::usage, Code::pattern_invalid, Code::empty_selection,
                                        Code::reason_required, Code::plan_invalid};
  return std::ranges::any_of(kCodes, [&](Code usage) { return describe(usage).id == code; });
}

std::string render(std::string_view code, std::string_view detail, std::string_view hint,
                   bool color) {
  const std::string tag = code.empty() ? "error" : fmt::format("error[{}]", printable(code));
  std::string text = color ? fmt::format("\x1b[1;31m{}\x1b[0m: ", tag) : tag + ": ";
  text += printable_lines(detail) + "\n";
  if (!hint.empty()) text += fmt::format("hint: {}\n", printable_lines(hint));
  return text;
}

}  // namespace

std::string printable_lines(std::string_view text) {
  std::string out;
  for (;;) {
    const std::size_t end = text.find('\n');
    out += printable(text.substr(0, end));
    if (end == text.npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

int exit_of(int status, std::string_view code) {
  if (code == describe(Code::server_unreachable).id) return kExitUnreachable;
  if (is_usage(code)) return kExitUsage;
  switch (status) {
    case 400: return kExitUsage;
    case 401:
    case 403: return kExitNotAllowed;
    case 404: return kExitNotFound;
    case 409:
    case 412: return kExitConflict;
    default: return kExitFailed;
  }
}

Refusal to_refusal(const Error& error, bool color) {
  const CodeRow& row = describe(error.code);
  return {render(row.id, error.detail, error.hint, color), exit_of(row.http, row.id)};
}

Refusal to_refusal(int status, std::string_view body, bool color) {
  const auto document = wire::parse_json(body);
  if (document.ok() && document->root().is(wire::JsonType::object)) {
    const wire::Json root = document->root();
    const std::string code = text_at(root, "code");
    const std::string detail = text_at(root, "detail");
    const std::string title = text_at(root, "title");
    if (!detail.empty() || !title.empty()) {
      return {render(code, detail.empty() ? title : detail, text_at(root, "hint"), color),
              exit_of(status, code)};
    }
  }
  const std::string what = fmt::format("the server answered {} {}: {}", status,
                                       net::reason_phrase(status), body.substr(0, kForeignBytes));
  return {render("", what, "is this a Weir? check --server", color), exit_of(status, "")};
}

}  // namespace weir::app
