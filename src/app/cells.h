// SPDX-License-Identifier: Apache-2.0
// From members of an answer to short texts: counts, ages, sizes. Pure; everything returned is
// printable.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/grouped.h"
#include "base/time.h"
#include "wire/json.h"

namespace weir::app {

enum class CellKind : unsigned char { text, count, age, bytes, share, list };

// "plan.rate.concurrency" from nested objects; nullopt if it is absent or null.
std::optional<wire::Json> member_at(wire::Json object, std::string_view path);
// The decoded string at `path`, or "".
std::string text_at(wire::Json object, std::string_view path);
// The same on one line, printable: for everything that is printed.
std::string shown_at(wire::Json object, std::string_view path);
// The whole number at `path`, or 0.
std::uint64_t count_at(wire::Json object, std::string_view path);
bool flag_at(wire::Json object, std::string_view path);

// "-" if it is absent. A value that does not fit the kind is shown as text.
std::string cell(wire::Json object, std::string_view path, CellKind kind, WallTime now);

std::string counted(std::uint64_t number, std::string_view noun);  // "1 event", "1,204 events"
std::string plural(std::string_view noun);                         // "delivery" -> "deliveries"
std::string ago(WallTime time, WallTime now);  // "just now", "3 min ago", "in 20 s"
std::string human_bytes(std::uint64_t bytes);  // "4.2 MiB"

}  // namespace weir::app
