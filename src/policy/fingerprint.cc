// SPDX-License-Identifier: Apache-2.0
#include "policy/fingerprint.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/seeded_bug.h"
#include "policy/body_template.h"
#include "policy/classify.h"
#include "policy/evidence.h"
#include "wire/digest.h"

namespace weir::policy {
namespace {

constexpr std::size_t kTitleMax = 120;
constexpr std::size_t kHashDigits = 16;

struct Reason {
  std::string normalised;
  std::string title;
};

Reason reason_without_outcome(FailureClass failure, std::string_view rule) {
  return {fmt::format("rule {}", rule), fmt::format("{}: {}", weir::to_text(failure), rule)};
}

Reason reason_of_fault(Fault fault, std::string_view dependency) {
  const auto table = class_table(Protocol::transport);
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const auto& entry) { return entry.fault == fault; });
  const std::string_view what = row == table.end() ? "failed" : row->reason;
  return {fmt::format("fault {}", weir::to_text(fault)), fmt::format("{} {}", dependency, what)};
}

Reason reason_of_answer(const Outcome& outcome) {
  const Evidence evidence = evidence_of(outcome);
  if (!evidence.problem_type.empty()) {
    return {fmt::format("problem {}", evidence.problem_type),
            fmt::format("{} {}", outcome.status, evidence.problem_type)};
  }
  if (!evidence.problem_title.empty()) {
    const std::string title = body_template(evidence.problem_title);
    return {fmt::format("problem title {}", title), fmt::format("{} {}", outcome.status, title)};
  }
  if (evidence.thrown) {
    const auto& [type, frame] = *evidence.thrown;
    const std::string where = frame.empty() ? std::string() : " in " + frame;
    return {fmt::format("thrown {}{}", type, where),
            fmt::format("{} {}{}", outcome.status, type, where)};
  }
  const std::string text = body_template(outcome.body);
  return {fmt::format("status {} {}", outcome.status, text),
          fmt::format("{}{}{}", outcome.status, text.empty() ? "" : " ", text)};
}

Reason reason_of(std::string_view dependency, FailureClass failure, const Outcome* outcome,
                 std::string_view rule) {
  if (outcome == nullptr) return reason_without_outcome(failure, rule);
  if (outcome->fault != Fault::none) return reason_of_fault(outcome->fault, dependency);
  return reason_of_answer(*outcome);
}

// Not in the middle of a UTF-8 sequence.
std::string clipped(std::string text) {
  if (text.size() <= kTitleMax) return text;
  std::size_t size = kTitleMax;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  text.resize(size);
  return text + "…";
}

}  // namespace

Fingerprint fingerprint(std::string_view flow, std::string_view dependency, FailureClass failure,
                        const Outcome* outcome, std::string_view rule) {
  Reason reason = reason_of(dependency, failure, outcome, rule);
  // The lengths keep two different splits of one text apart.
  const std::string identity = fmt::format(
      "{}:{} {}:{} {} {}", flow.size(), flow, dependency.size(), dependency, weir::to_text(failure),
      WEIR_SEEDED_BUG("groups.by_title") ? reason.title : reason.normalised);
  return {wire::sha256_hex(identity).substr(0, kHashDigits), clipped(std::move(reason.title)),
          std::move(reason.normalised)};
}

}  // namespace weir::policy
