// SPDX-License-Identifier: Apache-2.0
// What people may change of a quarantined delivery.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/sections.h"
#include "policy/event_edit.h"
#include "policy/json_pointer.h"

namespace weir::config {
namespace {

constexpr std::size_t kEditNamesMax = 100;  // of each list

void check_locked(MapReader& map, const EditSpec& edit) {
  for (const std::string& text : edit.locked) {
    const auto pointer = policy::parse_pointer(text);
    if (!pointer.ok()) map.problem("locked", pointer.error().detail, pointer.error().hint);
  }
}

void check_attributes(MapReader& map, const EditSpec& edit) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto never = policy::never_edited();
  for (const std::string& name : edit.attributes) {
    if (name.empty() || !std::ranges::all_of(name, fits)) {
      map.problem("attributes", fmt::format("'{}' is no attribute name", printable(name)),
                  "attributes have only a-z and 0-9, for example subject; members of the data may "
                  "be changed unless they are locked");
    } else if (std::ranges::find(never, name) != never.end()) {
      map.problem("attributes", fmt::format("'{}' cannot be edited", name),
                  "it says which event this is, or Weir reckons with it");
    }
  }
}

}  // namespace

EditSpec read_edit(MapReader map) {
  EditSpec edit;
  map.flag("allow", edit.allowed);
  map.strings("locked", edit.locked);
  map.strings("attributes", edit.attributes);
  if (edit.locked.size() > kEditNamesMax || edit.attributes.size() > kEditNamesMax)
    map.problem("locked",
                fmt::format("at most {} pointers, and as many attributes", kEditNamesMax));
  check_locked(map, edit);
  check_attributes(map, edit);
  map.finish();
  return edit;
}

}  // namespace weir::config
