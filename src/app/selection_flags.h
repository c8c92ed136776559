// SPDX-License-Identifier: Apache-2.0
// --group, --flow, --class, --since, --until, --where and ids: which quarantined deliveries a
// command means.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "wire/json.h"

namespace CLI {
class App;
}  // namespace CLI

namespace weir::app {

struct SelectionFlags {
  std::string group;
  std::string flow;
  std::string failure;
  std::string since;
  std::string until;
  std::string dependency;
  std::string status;
  std::string key;
  std::string type;
  std::string mark;
  std::string where;  // an event pattern in JSON; resolve_where() has replaced @FILE
  std::vector<std::string> ids;

  bool empty() const;
  // One event by its id and nothing else: no bulk.
  bool is_single() const;
};

// The ids are positional; `with_ids` is false for lists.
void add_selection_flags(CLI::App& command, SelectionFlags& flags, bool with_ids = true);
// Reads @FILE and checks that it is JSON. Errors: usage, malformed_json.
Result<> resolve_where(SelectionFlags& flags);
// The members of the API's selection, inside of an object.
void write_selection(wire::JsonWriter& json, const SelectionFlags& flags);
std::vector<std::pair<std::string_view, std::string>> selection_query(const SelectionFlags& flags);

}  // namespace weir::app
