// SPDX-License-Identifier: Apache-2.0
#include "app/cells.h"

#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace weir::app {
namespace {

using wire::Json;
using wire::JsonType;

std::string plain_cell(Json value) {
  switch (value.type()) {
    case JsonType::string: return value.string().empty() ? "-" : printable(value.string());
    case JsonType::boolean: return value.boolean() ? "yes" : "no";
    default: return printable(value.raw());
  }
}

std::optional<std::string> kind_cell(Json value, CellKind kind, WallTime now) {
  if (kind == CellKind::age) {
    if (!value.is(JsonType::string)) return std::nullopt;
    const auto time = parse_rfc3339(value.string());
    return time ? std::optional(ago(*time, now)) : std::nullopt;
  }
  if (kind == CellKind::list) {
    if (!value.is(JsonType::array)) return std::nullopt;
    std::string text;
    for (const Json one : value) text += (text.empty() ? "" : ", ") + plain_cell(one);
    return text.empty() ? "-" : text;
  }
  if (kind == CellKind::text || !value.is(JsonType::number)) return std::nullopt;
  if (kind == CellKind::share) return fmt::format("{:.4g}", value.number());
  const auto number = value.integer();
  if (!number || *number < 0) return std::nullopt;
  const auto size = static_cast<std::uint64_t>(*number);
  return kind == CellKind::bytes ? human_bytes(size) : grouped(size);
}

}  // namespace

std::optional<Json> member_at(Json object, std::string_view path) {
  for (;;) {
    const std::size_t dot = path.find('.');
    if (!object.is(JsonType::object)) return std::nullopt;
    const auto member = object.find(path.substr(0, dot));
    if (!member || member->is(JsonType::null)) return std::nullopt;
    if (dot == path.npos) return member;
    object = *member;
    path.remove_prefix(dot + 1);
  }
}

std::string text_at(Json object, std::string_view path) {
  const auto member = member_at(object, path);
  return member && member->is(JsonType::string) ? std::string(member->string()) : std::string();
}

std::string shown_at(Json object, std::string_view path) {
  return printable(text_at(object, path));
}

std::uint64_t count_at(Json object, std::string_view path) {
  const auto member = member_at(object, path);
  if (!member || !member->is(JsonType::number)) return 0;
  const auto number = member->integer();
  return number && *number > 0 ? static_cast<std::uint64_t>(*number) : 0;
}

bool flag_at(Json object, std::string_view path) {
  const auto member = member_at(object, path);
  return member && member->is(JsonType::boolean) && member->boolean();
}

std::string cell(Json object, std::string_view path, CellKind kind, WallTime now) {
  const auto member = member_at(object, path);
  if (!member) return "-";
  if (auto shown = kind_cell(*member, kind, now)) return *shown;
  return plain_cell(*member);
}

std::string plural(std::string_view noun) {
  if (noun.ends_with('y')) return std::string(noun.substr(0, noun.size() - 1)) + "ies";
  return std::string(noun) + "s";
}

std::string counted(std::uint64_t number, std::string_view noun) {
  return fmt::format("{} {}", grouped(number), number == 1 ? std::string(noun) : plural(noun));
}

std::string ago(WallTime time, WallTime now) {
  const bool future = time > now;
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(future ? time - now : now - time).count();
  if (seconds == 0) return "just now";
  std::string span = fmt::format("{} s", seconds);
  if (seconds >= 60) span = fmt::format("{} min", seconds / 60);
  if (seconds >= 3600) span = fmt::format("{} h", seconds / 3600);
  if (seconds >= 86'400) span = fmt::format("{} d", seconds / 86'400);
  return future ? "in " + span : span + " ago";
}

std::string human_bytes(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (size >= 1024 && unit + 1 < kUnits.size()) {
    size /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", size, kUnits[unit]);
}

}  // namespace weir::app
