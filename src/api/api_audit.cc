// SPDX-License-Identifier: Apache-2.0
#include "api/answers.h"
#include "api/api.h"
#include "wire/audit_chain.h"
#include "wire/audit_lines.h"

namespace weir::api {
namespace {

constexpr std::size_t kScanPage = 1000;
constexpr int kScanPages = 10;  // looked at for one page of what is asked for

struct AuditFilter {
  std::string actor;
  std::string action;  // "replay" is every "replay.x", too
  std::string target;
  std::optional<WallTime> since;

  bool any() const { return since || !(actor.empty() && action.empty() && target.empty()); }
  bool takes(const AuditEntry& entry) const {
    const bool acted = action.empty() || entry.action == action ||
                       entry.action.starts_with(action + ".");
    return acted && (actor.empty() || entry.actor == actor) &&
           (target.empty() || entry.target == target) && (!since || entry.at >= *since);
  }
};

struct AuditPage {
  std::vector<AuditEntry> entries;
  std::uint64_t next = 0;  // where the next page begins; 0 = there is none
};

// The newest first. Looks at a bounded number of entries: a page can be short and not the last.
async::Task<Result<AuditPage>> page_before(ports::RecoveryTable& table, AuditFilter filter,
                                           std::uint64_t before, std::size_t limit) {
  AuditPage page;
  for (int scanned = 0; scanned < kScanPages; ++scanned) {
    const std::size_t size = filter.any() ? kScanPage : limit + 1;
    auto entries = co_await table.audit(before, size);
    if (!entries.ok()) co_return entries.error();
    for (AuditEntry& entry : *entries) {
      if (page.entries.size() == limit) {
        page.next = before;
        co_return page;
      }
      before = entry.number;
      if (filter.takes(entry)) page.entries.push_back(std::move(entry));
    }
    if (entries->size() < size) co_return page;
  }
  page.next = before;
  co_return page;
}

// Numbers after + 1 to after + limit, in order: for walking the chain. Some may be missing.
async::Task<Result<AuditPage>> page_after(ports::RecoveryTable& table, std::uint64_t after,
                                          std::size_t limit) {
  auto entries = co_await table.audit(after + limit + 1, limit);
  if (!entries.ok()) co_return entries.error();
  std::erase_if(*entries, [&](const AuditEntry& entry) { return entry.number <= after; });
  std::ranges::reverse(*entries);
  co_return AuditPage{.entries = std::move(*entries)};
}

async::Task<Result<AuditHead>> kept_head(ports::FlowTable& table) {
  auto kept = co_await table.meta(std::string(ports::kAuditHeadMeta));
  if (!kept.ok()) co_return kept.error();
  co_return *kept ? wire::parse_audit_head(**kept).value_or(AuditHead{}) : AuditHead{};
}

}  // namespace

Api::Answer Api::audit(Call call) {
  auto limit = page_size(call.arg("limit"), 50, 1000);
  if (!limit.ok()) co_return net::problem_response(limit.error());
  auto before = page_size(call.arg("before"), INT64_MAX, INT64_MAX);
  if (!before.ok()) co_return net::problem_response(before.error());
  auto since = time_argument("since", call.arg("since"), parts_.clock.wall());
  if (!since.ok()) co_return net::problem_response(since.error());
  const AuditFilter filter{.actor = std::string(call.arg("actor")),
                           .action = std::string(call.arg("action")),
                           .target = std::string(call.arg("target")),
                           .since = *since};
  const bool walks = call.query.contains("after");
  if (walks && (filter.any() || call.query.contains("before"))) {
    co_return net::problem_response(
        Error{Code::invalid_argument, "'after' walks the whole chain: it goes with 'limit' only",
              "leave the others out"});
  }
  auto after = call.arg("after") == "0" ? Result<std::size_t>(0)
                                        : page_size(call.arg("after"), 1, INT64_MAX / 2);
  if (!after.ok()) co_return net::problem_response(after.error());
  // The head first: what is written between the two reads is then behind it.
  auto head = co_await kept_head(parts_.store.flows());
  if (!head.ok()) co_return net::problem_response(head.error());
  ports::RecoveryTable& table = parts_.store.recovery();
  Result<AuditPage> found{AuditPage{}};
  if (walks) {
    found = co_await page_after(table, *after, *limit);
  } else {
    found = co_await page_before(table, filter, *before, *limit);
  }
  if (!found.ok()) co_return net::problem_response(found.error());
  wire::JsonWriter json;
  json.begin_object().key("entries").begin_array();
  for (const AuditEntry& entry : found->entries) wire::write_audit(json, entry);
  json.end_array().key("head").begin_object();
  json.field("number", head->number).field("hash", head->hash).end_object();
  if (found->next != 0) json.field("next", found->next);
  json.end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::audit_checkpoints(Call) {
  const AuditSeals seals = parts_.audit_seals();
  wire::JsonWriter json;
  json.begin_object().field("publicKey", seals.public_key).key("checkpoints").begin_array();
  for (const AuditCheckpoint& checkpoint : seals.checkpoints)
    wire::write_checkpoint(json, checkpoint);
  json.end_array().end_object();
  co_return json_answer(std::move(json).take());
}

}  // namespace weir::api
