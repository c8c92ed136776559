// SPDX-License-Identifier: Apache-2.0
#include "policy/access.h"

#include <algorithm>

namespace weir::policy {
namespace {

constexpr std::size_t kSubjectMax = 64;

}  // namespace

bool is_subject(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == '@';
  };
  return !text.empty() && text.size() <= kSubjectMax && std::ranges::all_of(text, fits);
}

std::string_view to_text(Need need) {
  switch (need) {
    case Need::open: return "open";
    case Need::read: return "read";
    case Need::operate: return "operate";
    case Need::approve: return "approve";
    case Need::review: return "review";
    case Need::administer: return "administer";
    case Need::produce: return "produce";
    case Need::work: return "work";
  }
  return "administer";
}

RoleSet roles_for(Need need) {
  switch (need) {
    case Need::open: return {};
    case Need::read: return {Role::viewer, Role::operate, Role::approver, Role::admin};
    case Need::operate: return {Role::operate, Role::admin};
    case Need::approve: return {Role::approver, Role::admin};
    case Need::review: return {Role::operate, Role::approver, Role::admin};
    case Need::administer: return {Role::admin};
    case Need::produce: return {Role::producer, Role::admin};
    case Need::work: return {Role::worker, Role::admin};
  }
  return {};
}

bool may(RoleSet roles, Need need) { return need == Need::open || roles.meets(roles_for(need)); }

std::string_view to_text(Reach reach) {
  switch (reach) {
    case Reach::stream: return "its streams";
    case Reach::flow: return "its flows";
    case Reach::listing: return "its part of the list";
    case Reach::whole: return "no";
  }
  return "no";
}

}  // namespace weir::policy
