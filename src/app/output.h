// SPDX-License-Identifier: Apache-2.0
// One answer in the form that -o asks for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/cells.h"
#include "app/session.h"
#include "app/table.h"

namespace weir::app {

struct Column {
  std::string title;
  std::string member;  // path within an item
  CellKind kind = CellKind::text;
  unsigned drop = 0;  // as TableColumn::drop
  Fit fit = Fit::whole;
};

struct ListView {
  std::string member;  // the array of the answer
  std::string name;    // what -o name prints of an item
  std::vector<Column> columns;
  std::string nothing;  // said for an empty table, "no flows"
};

struct Fact {
  std::string label;
  std::string member;
  CellKind kind = CellKind::text;
};

// Pure, for the table form: `items` is an array of objects.
std::string list_table(wire::Json items, const std::vector<Column>& columns,
                       const TableStyle& style, WallTime now);
// "label  value" lines; absent members, empty texts and containers leave no line.
std::string fact_lines(wire::Json object, const std::vector<Fact>& facts, WallTime now);
// Any form but table: lists one item per line in jsonl, csv (`headers` above them) and name.
// `items` may be the object itself.
std::string render_data(Format format, wire::Json answer, std::string_view list_member,
                        std::string_view name_member, bool headers = true);

// True if there was at least one item.
bool print_list(const Session& session, const Reply& reply, const ListView& view, WallTime now);
void print_one(const Session& session, wire::Json object, std::string_view name_member,
               const std::vector<Fact>& facts, WallTime now);

// Below the facts, in table form: the objects in a member, if there are any.
void print_section(const Session& session, wire::Json object, std::string_view member,
                   const std::vector<Column>& columns, WallTime now);

// The same as print_one for an answer that was made here; `json` is an object. The result is the
// exit code.
int print_made(const Session& session, const std::string& json, std::string_view name_member,
               const std::vector<Fact>& facts, WallTime now);

}  // namespace weir::app
