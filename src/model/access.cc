// SPDX-License-Identifier: Apache-2.0
#include "model/access.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace weir {
namespace {

bool holds_name(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

std::string_view to_text(Role role) {
  switch (role) {
    case Role::viewer: return "viewer";
    case Role::operate: return "operator";
    case Role::approver: return "approver";
    case Role::admin: return "admin";
    case Role::producer: return "producer";
    case Role::worker: return "worker";
  }
  return "viewer";
}

std::optional<Role> parse_role(std::string_view text) {
  for (const Role role : kRoles) {
    if (to_text(role) == text) return role;
  }
  return std::nullopt;
}

const std::vector<std::string>& role_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Role role : kRoles) all.emplace_back(to_text(role));
    return all;
  }();
  return names;
}

std::string to_text(RoleSet roles) {
  std::string text;
  for (const Role role : kRoles) {
    if (roles.has(role)) text += fmt::format("{}{}", text.empty() ? "" : ", ", to_text(role));
  }
  return text;
}

bool Scope::has_stream(std::string_view name) const {
  return is_all() || holds_name(streams, name);
}
bool Scope::has_flow(std::string_view name) const { return is_all() || holds_name(flows, name); }

std::string to_text(const Scope& scope) {
  std::string text;
  const auto append = [&](std::string_view kind, const std::string& name) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", kind, name);
  };
  for (const std::string& name : scope.streams) append("stream", name);
  for (const std::string& name : scope.flows) append("flow", name);
  return text;
}

std::string to_text(TokenId id) { return fmt::format("t{}", id.value); }

std::optional<TokenId> parse_token_id(std::string_view text) {
  TokenId id;
  if (!text.starts_with('t') || text.size() > 11) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), id.value);
  if (error != std::errc{} || end != text.data() + text.size() || !id) return std::nullopt;
  return to_text(id) == text ? std::optional(id) : std::nullopt;  // t007 is no name of t7
}

}  // namespace weir
