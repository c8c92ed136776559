// SPDX-License-Identifier: Apache-2.0
#include "recovery/history_json.h"

#include <chrono>

#include "recovery/references.h"

namespace weir::recovery {

using Millis = std::chrono::duration<double, std::milli>;

void write_history(wire::JsonWriter& json, const std::vector<AttemptRecord>& history) {
  json.key("history").begin_array();
  for (const AttemptRecord& line : history) {
    json.begin_object();
    if (line.number > 0) json.field("attempt", line.number);
    time_field(json, "at", line.at);
    if (line.number > 0) json.field("durationMs", Millis(line.took).count());
    if (line.status != 0) json.field("status", static_cast<unsigned>(line.status));
    if (line.fault != Fault::none) json.field("fault", to_text(line.fault));
    json.field("class", to_text(line.failure))
        .field("decision", to_text(line.decision))
        .field("note", line.note);
    if (line.replay) json.field("replay", to_text(line.replay));
    json.end_object();
  }
  json.end_array();
}

}  // namespace weir::recovery
