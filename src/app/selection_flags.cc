// SPDX-License-Identifier: Apache-2.0
#include "app/selection_flags.h"

#include <fstream>
#include <iterator>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.h"

namespace weir::app {
namespace {

constexpr std::size_t kPatternMax = 64 * 1024;

}  // namespace

bool SelectionFlags::empty() const {
  return group.empty() && flow.empty() && failure.empty() && since.empty() && until.empty() &&
         where.empty() && ids.empty() && dependency.empty() && status.empty() && key.empty() &&
         type.empty() && mark.empty();
}

bool SelectionFlags::is_single() const { return ids.size() == 1; }

void add_selection_flags(CLI::App& command, SelectionFlags& flags, bool with_ids) {
  if (with_ids)
    command
        .add_option("EVENT", flags.ids,
                    "stream#seq, flow/stream#seq or an event's id; may be repeated")
        ->option_text(" ");
  command.add_option("--group", flags.group, "of this failure group")->option_text("GROUP");
  command.add_option("--flow", flags.flow, "of this flow")->option_text("FLOW");
  command.add_option("--class", flags.failure, "of this failure class, such as permanent")
      ->option_text("CLASS");
  command.add_option("--dependency", flags.dependency, "of this dependency")->option_text("NAME");
  command.add_option("--status", flags.status, "whose last attempt got this HTTP status")
      ->check(CLI::Range(100, 599))
      ->option_text("STATUS");
  command.add_option("--key", flags.key, "of this ordering key")->option_text("KEY");
  command.add_option("--type", flags.type, "of this event type")->option_text("TYPE");
  command.add_option("--mark", flags.mark, "archived, exhausted or inDoubt")->option_text("MARK");
  command.add_option("--since", flags.since, "in quarantine since a time, or an age: 15m")
      ->option_text("TIME");
  command.add_option("--until", flags.until, "in quarantine before a time, or an age: 5m")
      ->option_text("TIME");
  command.add_option("--where", flags.where, "events that fit this pattern")
      ->option_text("JSON|@FILE");
}

Result<> resolve_where(SelectionFlags& flags) {
  if (flags.where.starts_with('@')) {
    const std::string name = flags.where.substr(1);
    std::ifstream file(name, std::ios::binary);
    if (!file)
      return Error{Code::usage, fmt::format("'{}' cannot be read", printable(name)),
                   "--where @FILE reads a pattern from FILE"};
    std::string text(kPatternMax + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > kPatternMax) {
      return Error{Code::usage,
                   fmt::format("'{}' is larger than {} bytes", printable(name), kPatternMax), ""};
    }
    flags.where = std::move(text);
  }
  if (flags.where.empty()) return {};
  const auto document = wire::parse_json(flags.where);
  if (!document.ok()) {
    return Error{Code::malformed_json, fmt::format("--where: {}", document.error().detail),
                 R"(a pattern looks like '{"type":["order.created"]}')"};
  }
  return {};
}

void write_selection(wire::JsonWriter& json, const SelectionFlags& flags) {
  const std::pair<std::string_view, const std::string&> texts[] = {
      {"group", flags.group},   {"flow", flags.flow},
      {"class", flags.failure}, {"dependency", flags.dependency},
      {"key", flags.key},       {"type", flags.type},
      {"mark", flags.mark},     {"since", flags.since},
      {"until", flags.until}};
  for (const auto& [name, value] : texts) {
    if (!value.empty()) json.field(name, value);
  }
  if (!flags.status.empty()) json.key("status").raw(flags.status);  // digits, as checked
  if (!flags.where.empty()) json.key("where").raw(flags.where);
  if (flags.ids.empty()) return;
  json.key("ids").begin_array();
  for (const std::string& id : flags.ids) json.value(id);
  json.end_array();
}

std::vector<std::pair<std::string_view, std::string>> selection_query(const SelectionFlags& flags) {
  return {{"group", flags.group},   {"flow", flags.flow},     {"dependency", flags.dependency},
          {"class", flags.failure}, {"status", flags.status}, {"key", flags.key},
          {"type", flags.type},     {"mark", flags.mark},     {"since", flags.since},
          {"until", flags.until},   {"where", flags.where}};
}

}  // namespace weir::app
