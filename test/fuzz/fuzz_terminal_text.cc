// SPDX-License-Identifier: Apache-2.0
// Texts from outside, as a terminal and a spreadsheet get them: no control character but our own,
// no cell that is a formula, and JSON that a terminal may show is the same JSON.
#include <string>

#include "app/csv_text.h"
#include "app/json_text.h"
#include "app/terminal_text.h"
#include "base/assert.h"
#include "base/text.h"
#include "input.h"
#include "policy/json_diff.h"
#include "wire/visible_json.h"

namespace {

using namespace weir;

bool is_harmless(std::string_view text) {
  return is_valid_utf8(text) && std::ranges::all_of(text, [](unsigned char c) {
           return c == '\n' || (c >= ' ' && c != 0x7F);
         });
}

void check_plain(std::string_view text) {
  const std::string shown = app::terminal_text(text, false);
  WEIR_ASSERT(is_harmless(shown) && app::terminal_text(shown, false) == shown);
  const std::string colored = app::terminal_text(text, true);
  WEIR_ASSERT(app::terminal_text(colored, true) == colored);
}

// The first character of every cell in quotes.
void check_csv(wire::Json root) {
  const std::string csv = app::to_csv(root, true);
  WEIR_ASSERT(is_harmless(csv));
  bool quoted = false;
  for (std::size_t at = 0; at < csv.size(); ++at) {
    if (csv[at] != '"') continue;
    quoted = !quoted;
    const bool opens = quoted && (at == 0 || csv[at - 1] == ',' || csv[at - 1] == '\n');
    if (opens) WEIR_ASSERT(std::string_view("=+-@").find(csv.at(at + 1)) == std::string_view::npos);
  }
  WEIR_ASSERT(!quoted);
}

bool is_table(wire::Json root) {
  if (root.is(wire::JsonType::object)) return true;
  return root.is(wire::JsonType::array) &&
         std::all_of(root.begin(), root.end(),
                     [](wire::Json item) { return item.is(wire::JsonType::object); });
}

void check_same(const wire::JsonDocument& document, std::string_view text) {
  const auto again = wire::parse_json(text);
  WEIR_ASSERT(again.ok() && policy::same_json(document.root(), again->root()));
  WEIR_ASSERT(is_harmless(text));
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  if (text.size() > 16 * 1024) return;
  check_plain(text);
  const auto document = wire::parse_json(text);
  if (!document.ok()) return;
  check_same(*document, app::to_json_line(document->root()));
  check_same(*document, app::to_pretty_json(document->root()));
  const std::string visible = wire::visible_json(text);
  const auto again = wire::parse_json(visible);
  WEIR_ASSERT(again.ok() && policy::same_json(document->root(), again->root()));
  if (is_table(document->root())) check_csv(document->root());
}
