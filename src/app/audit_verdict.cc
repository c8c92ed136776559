// SPDX-License-Identifier: Apache-2.0
#include "app/audit_verdict.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/cells.h"
#include "base/text.h"
#include "wire/audit_lines.h"
#include "wire/json.h"

namespace weir::app {
namespace {

std::string short_key(std::string_view key) { return std::string(key.substr(0, 16)); }

std::string checkpoint_text(const AuditVerdict& verdict) {
  if (!verdict.newest) {
    return "No signed checkpoint was there to compare with: had somebody cut off its end, or "
           "written "
           "it all anew, this would not show.\n";
  }
  std::string text = fmt::format(
      "{} agree with it, the newest signed at {} for entry {}, by key {}...\n",
      counted(verdict.checkpoints, "signed checkpoint"), to_rfc3339(verdict.newest->at),
      verdict.newest->head.number, short_key(verdict.public_key));
  if (verdict.checkpoints == 1)
    text.replace(0, std::string_view("1 signed checkpoint agree").size(),
                 "1 signed checkpoint agrees");
  const std::uint64_t signed_to = verdict.newest->head.number;
  if (verdict.head.number > signed_to) {
    text += fmt::format("What came after it is not signed yet: {}.\n",
                        counted(verdict.head.number - signed_to, "entry"));
  }
  if (!verdict.key_given)
    text += "That key came with it; --public-key FILE takes one that was kept elsewhere.\n";
  return text;
}

}  // namespace

ScreenedCheckpoints screened(const std::vector<AuditCheckpoint>& checkpoints,
                             const std::string& public_key, bool key_given) {
  ScreenedCheckpoints result{.public_key = public_key, .key_given = key_given};
  for (const AuditCheckpoint& one : checkpoints) {
    const std::uint64_t number = one.head.number;
    if (!wire::is_genuine(one)) {
      result.bad.push_back(
          {number, fmt::format("the checkpoint for entry {} is not what was signed", number)});
      continue;
    }
    if (result.public_key.empty()) result.public_key = one.key;
    if (one.key == result.public_key) {
      result.good.push_back(one);
    } else {
      result.bad.push_back({number, fmt::format("the checkpoint for entry {} is signed by another "
                                                "key, {}...",
                                                number, short_key(one.key))});
    }
  }
  std::ranges::sort(result.good, {}, [](const AuditCheckpoint& one) { return one.head.number; });
  return result;
}

AuditVerdict verdict_of(const wire::AuditVerifier& verifier, const ScreenedCheckpoints& screened) {
  AuditVerdict verdict{.entries = verifier.entries(),
                       .head = verifier.head(),
                       .checkpoints = verifier.checkpoints_met(),
                       .public_key = screened.public_key,
                       .key_given = screened.key_given,
                       .problems_total = verifier.problems_total() + screened.bad.size(),
                       .problems = verifier.problems()};
  if (!screened.good.empty()) verdict.newest = screened.good.back();
  const std::size_t room = wire::AuditVerifier::kProblemsMax - verdict.problems.size();
  const std::size_t taken = std::min(room, screened.bad.size());
  verdict.problems.insert(verdict.problems.end(), screened.bad.begin(),
                          screened.bad.begin() + static_cast<std::ptrdiff_t>(taken));
  return verdict;
}

std::string verdict_text(const AuditVerdict& verdict) {
  std::string text;
  for (const wire::AuditProblem& problem : verdict.problems) text += printable(problem.text) + "\n";
  if (!verdict.sound()) {
    return text + fmt::format("The audit is broken: {} in {}.\n",
                              counted(verdict.problems_total, "problem"),
                              counted(verdict.entries, "entry"));
  }
  text = fmt::format("The audit is whole: {}, each linked to the one before it.\n",
                     counted(verdict.entries, "entry"));
  return text + checkpoint_text(verdict);
}

std::string verdict_json(const AuditVerdict& verdict) {
  wire::JsonWriter json;
  json.begin_object().field("sound", verdict.sound()).field("entries", verdict.entries);
  json.key("head").begin_object().field("number", verdict.head.number);
  json.field("hash", verdict.head.hash).end_object();
  json.field("checkpoints", static_cast<std::uint64_t>(verdict.checkpoints));
  json.field("signedTo", verdict.newest ? verdict.newest->head.number : std::uint64_t{0});
  json.field("publicKey", verdict.public_key).field("keyGiven", verdict.key_given);
  json.field("problemsTotal", verdict.problems_total).key("problems").begin_array();
  for (const wire::AuditProblem& problem : verdict.problems) {
    json.begin_object().field("number", problem.number).field("text", problem.text).end_object();
  }
  json.end_array().end_object();
  return std::move(json).take();
}

}  // namespace weir::app
