// SPDX-License-Identifier: Apache-2.0
#include "app/group_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/cells.h"
#include "base/text.h"

namespace weir::app {
namespace {

using wire::Json;

double share_at(Json object, std::string_view name) {
  const auto member = object.find(name);
  return member && member->is(wire::JsonType::number) ? member->number() : 0;
}

// "  data.repository is \"octo/gone\": 100 % of these, 2 % of those that passed"
std::string trait_text(Json trait, bool compared) {
  const std::string field = shown_at(trait, "field");
  std::string text = flag_at(trait, "absent")
                         ? fmt::format("  no {}", field)
                         : fmt::format("  {} is {}", field, shown_at(trait, "value"));
  text += fmt::format(": {:.0f} % of these", 100 * share_at(trait, "ofFailed"));
  if (compared)
    text += fmt::format(", {:.0f} % of those that passed", 100 * share_at(trait, "ofPassed"));
  return text + "\n";
}

std::string traits_text(Json insight) {
  const auto traits = insight.find("inCommon");
  if (!traits || traits->size() == 0) return "";
  const std::uint64_t passed = count_at(insight, "comparedWith");
  std::string text = fmt::format("\nin common ({} looked into, {} that passed)\n",
                                 grouped(count_at(insight, "lookedInto")), grouped(passed));
  for (const Json trait : *traits) text += trait_text(trait, passed > 0);
  return text;
}

// One character per bucket, as high as its share of the largest.
std::string histogram_text(Json insight, WallTime now) {
  const auto buckets = insight.find("histogram");
  if (!buckets || buckets->size() == 0) return "";
  constexpr std::string_view kHeights = " .:-=+*#%@";
  std::uint64_t most = 1;
  for (const Json bucket : *buckets) most = std::max(most, count_at(bucket, "failed"));
  std::string bars;
  for (const Json bucket : *buckets) {
    const std::uint64_t failed = count_at(bucket, "failed");
    const std::uint64_t height = failed == 0 ? 0 : 1 + failed * (kHeights.size() - 2) / most;
    bars += kHeights[std::min<std::uint64_t>(height, kHeights.size() - 1)];
  }
  const auto first = parse_rfc3339(text_at(*buckets->begin(), "from"));
  const auto width = Duration{static_cast<std::int64_t>(share_at(insight, "bucketSeconds") * 1e6)};
  return fmt::format("\nover time   |{}|  from {}, {} each, at most {}\n", bars,
                     first ? ago(*first, now) : "?", to_text(width), grouped(most));
}

std::string changes_text(Json insight, WallTime now) {
  const auto changes = insight.find("changedBefore");
  if (!changes || changes->size() == 0) return "";
  std::string text = "\nchanged in the 30 minutes before the first one\n";
  for (const Json change : *changes) {
    const auto at = parse_rfc3339(text_at(change, "at"));
    const std::string reason = shown_at(change, "reason");
    text += fmt::format("  {:<16}{}{}{} ({})\n", at ? ago(*at, now) : "?", shown_at(change, "what"),
                        reason.empty() ? "" : ": ", reason, shown_at(change, "actor"));
  }
  return text;
}

}  // namespace

std::string insight_text(Json insight, WallTime now) {
  return traits_text(insight) + histogram_text(insight, now) + changes_text(insight, now);
}

}  // namespace weir::app
