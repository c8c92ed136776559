// SPDX-License-Identifier: Apache-2.0
#include "app/output.h"

#include <algorithm>

#include "app/csv_text.h"
#include "app/json_text.h"
#include "base/text.h"

namespace weir::app {
namespace {

using wire::Json;
using wire::JsonType;

bool is_number(CellKind kind) {
  return kind == CellKind::count || kind == CellKind::share || kind == CellKind::bytes;
}

std::string name_line(Json item, std::string_view member) {
  const std::string name = cell(item, member, CellKind::text, {});
  return name + "\n";
}

TableStyle style_of(const Session& session) {
  return {.width = session.terminal().width,
          .headers = session.options().headers,
          .color = session.terminal().output_color};
}

}  // namespace

std::string list_table(Json items, const std::vector<Column>& columns, const TableStyle& style,
                       WallTime now) {
  std::vector<TableColumn> heads;
  for (const Column& column : columns) {
    heads.push_back({.title = column.title,
                     .fit = column.fit,
                     .right = is_number(column.kind),
                     .drop = column.drop});
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json item : items) {
    auto& row = rows.emplace_back();
    for (const Column& column : columns) row.push_back(cell(item, column.member, column.kind, now));
  }
  return render_table(heads, rows, style);
}

std::string fact_lines(Json object, const std::vector<Fact>& facts, WallTime now) {
  std::size_t width = 0;
  for (const Fact& fact : facts) width = std::max(width, text_width(fact.label));
  std::string out;
  for (const Fact& fact : facts) {
    const std::string value = cell(object, fact.member, fact.kind, now);
    if (value == "-" || value == "{}" || value == "[]") continue;
    out += fact.label + std::string(width - text_width(fact.label) + 2, ' ') + value + "\n";
  }
  return out;
}

std::string render_data(Format format, Json answer, std::string_view list_member,
                        std::string_view name_member, bool headers) {
  if (format == Format::json) return to_pretty_json(answer);
  if (format == Format::yaml) return to_yaml(answer);
  const auto render = [&](Json item) {
    return format == Format::jsonl ? to_json_line(item) : name_line(item, name_member);
  };
  if (list_member.empty()) return format == Format::csv ? to_csv(answer, headers) : render(answer);
  std::string out;
  const auto items = member_at(answer, list_member);
  if (!items || !items->is(JsonType::array)) return out;
  if (format == Format::csv) return to_csv(*items, headers);
  for (const Json item : *items) out += render(item);
  return out;
}

bool print_list(const Session& session, const Reply& reply, const ListView& view, WallTime now) {
  const auto items = member_at(reply.root(), view.member);
  const bool some = items && items->is(JsonType::array) && items->size() > 0;
  if (!session.is_table()) {
    session.print(render_data(session.options().format, reply.root(), view.member, view.name,
                              session.options().headers));
    return some;
  }
  if (some) {
    session.print(list_table(*items, view.columns, style_of(session), now));
  } else {
    session.note(view.nothing);
  }
  return some;
}

void print_one(const Session& session, Json object, std::string_view name_member,
               const std::vector<Fact>& facts, WallTime now) {
  if (session.is_table()) {
    session.print(fact_lines(object, facts, now));
  } else {
    session.print(
        render_data(session.options().format, object, "", name_member, session.options().headers));
  }
}

void print_section(const Session& session, Json object, std::string_view member,
                   const std::vector<Column>& columns, WallTime now) {
  const auto items = member_at(object, member);
  if (!session.is_table() || !items || items->size() == 0) return;
  session.print("\n" + list_table(*items, columns, style_of(session), now));
}

int print_made(const Session& session, const std::string& json, std::string_view name_member,
               const std::vector<Fact>& facts, WallTime now) {
  const auto document = wire::parse_json(json);
  if (!document.ok()) return session.fail(document.error());
  print_one(session, document->root(), name_member, facts, now);
  return kExitOk;
}

}  // namespace weir::app
