// SPDX-License-Identifier: Apache-2.0
#include "recovery/hidden_question.h"

#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "policy/filter.h"
#include "recovery/shown.h"

namespace weir::recovery {
namespace {

bool guesses_key(const Live& live, const Selection& selection) {
  const auto stored = key_as_stored(live, selection);
  return stored.ok() && *stored != selection.key;  // an error refuses the whole selection
}

std::set<std::string> hidden_keys(const Live& live, const Selection& selection) {
  std::set<std::string> keys;
  for (const LiveFlow& flow : live.flows()) {
    const bool asked = selection.flow.empty() || selection.flow == flow.record.name;
    if (asked && flow.spec != nullptr && flow.spec->key_is_redacted)
      keys.insert(fmt::format("ordering key {}", flow.spec->ordering_key));
  }
  return keys;
}

// What is asked, as far as it can be named without what events hold.
std::string target_of(const Selection& selection) {
  if (!selection.group.empty()) return selection.group;
  return selection.flow.empty() ? "quarantine" : selection.flow;
}

}  // namespace

std::vector<std::string> hidden_places(const Live& live, const Selection& selection) {
  std::vector<std::string> places;
  // One that does not compile matches nothing, and is refused as such.
  if (!selection.where.empty() && policy::Filter::compile(selection.where).ok())
    places = live.redaction(std::nullopt)->places_asked(selection.where);
  if (guesses_key(live, selection)) {
    const auto keys = hidden_keys(live, selection);
    places.insert(places.end(), keys.begin(), keys.end());
  }
  return places;
}

async::Task<Result<>> note_question(ports::Store& store, async::Clock& clock, const Live& live,
                                    Selection selection, Question question) {
  const std::vector<std::string> places = hidden_places(live, selection);
  if (places.empty()) co_return Result<>{};
  const std::string asked = fmt::format("{}", fmt::join(places, ", "));
  if (question.reason.empty()) {
    co_return Error{
        Code::reason_required,
        fmt::format("it asks for what is redacted ({}): what matches would tell it", asked),
        "add --reason TEXT: the question is audited as event.reveal; or ask for something else"};
  }
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(
      ports::AddAudit{AuditEntry{.at = clock.wall(),
                                 .actor = std::move(question.actor),
                                 .action = "event.reveal",
                                 .target = target_of(selection),
                                 .reason = std::move(question.reason),
                                 .detail = fmt::format("{} asks about {}", question.by, asked)}});
  auto receipt = co_await store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  co_return Result<>{};
}

}  // namespace weir::recovery
