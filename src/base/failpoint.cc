// SPDX-License-Identifier: Apache-2.0
#include "base/failpoint.h"

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace weir {
namespace {

struct Point {
  std::string name;
  bool crash = false;
  std::uint64_t at = 0;  // 0 = every passage
  std::atomic<std::uint64_t> passed{0};
};

std::vector<std::unique_ptr<Point>>& points() {
  static std::vector<std::unique_ptr<Point>> all;
  return all;
}

Error bad(std::string_view part) {
  return Error{Code::invalid_argument,
               fmt::format("failpoint '{}' is not name=crash@N or name=fail@N", part), ""};
}

Result<std::unique_ptr<Point>> parse_point(std::string_view part) {
  const auto equals = part.find('=');
  const auto at = part.find('@');
  if (equals == part.npos || at == part.npos || at < equals || equals == 0) return bad(part);
  auto point = std::make_unique<Point>();
  point->name = part.substr(0, equals);
  const std::string_view action = part.substr(equals + 1, at - equals - 1);
  if (action != "crash" && action != "fail") return bad(part);
  point->crash = action == "crash";
  const std::string_view count = part.substr(at + 1);
  if (count == "*") return point;
  const char* end = count.data() + count.size();
  const auto parsed = std::from_chars(count.data(), end, point->at);
  if (parsed.ec != std::errc{} || parsed.ptr != end || point->at == 0) return bad(part);
  return point;
}

}  // namespace

Result<> configure_failpoints(std::string_view text) {
  std::vector<std::unique_ptr<Point>> parsed;
  while (!text.empty()) {
    const auto end = std::min(text.find(';'), text.size());
    WEIR_TRY(auto point, parse_point(text.substr(0, end)));
    parsed.push_back(std::move(point));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  points() = std::move(parsed);
  return {};
}

bool failpoint(std::string_view name) {
  for (const auto& point : points()) {
    if (point->name != name) continue;
    const std::uint64_t passage = point->passed.fetch_add(1) + 1;
    if (point->at != 0 && passage != point->at) continue;
    if (point->crash) _exit(137);
    return true;
  }
  return false;
}

}  // namespace weir
