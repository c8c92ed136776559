// SPDX-License-Identifier: Apache-2.0
// Aligned columns for a terminal. Pure: texts in, text out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace weir::app {

enum class Fit : unsigned char {
  whole,  // never cut: ids, counts, states
  cut,    // may end in "…" when room is short
};

struct TableColumn {
  std::string title;
  Fit fit = Fit::whole;
  bool right = false;  // numbers stand under each other
  unsigned drop = 0;   // the highest goes first when room is short; 0 stays
};

struct TableStyle {
  std::size_t width = 0;  // of the terminal, in characters; 0 = no limit
  bool headers = true;
  bool color = false;
};

// A row has one cell per column, printable already. First the `cut` columns give room, down to 16
// characters, then whole columns go; a table that still does not fit is printed wide. Ends in a
// newline unless it is empty.
std::string render_table(const std::vector<TableColumn>& columns,
                         const std::vector<std::vector<std::string>>& rows,
                         const TableStyle& style);

// Characters, not bytes; wide and combining characters count as one.
std::size_t text_width(std::string_view text);
// The first characters of `text` with "…" as the last; all of it if it fits. width >= 1.
std::string cut_to(std::string_view text, std::size_t width);

}  // namespace weir::app
