// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"

namespace weir::app {
namespace {

const ListView kAudit{.member = "entries",
                      .name = "number",
                      .columns = {{"#", "number", CellKind::count},
                                  {"AT", "at", CellKind::age},
                                  {"ACTOR", "actor"},
                                  {"ACTION", "action"},
                                  {"TARGET", "target", CellKind::text, 0, Fit::cut},
                                  {"REASON", "reason", CellKind::text, 1, Fit::cut},
                                  {"DETAIL", "detail", CellKind::text, 2, Fit::cut}},
                      .nothing = "Nobody has changed anything yet."};

struct Page {
  std::size_t limit = 50;
  std::uint64_t before = 0;
};

int list_audit(Session& session, const Page& page) {
  const Reply reply = session.get(
      "/v1/audit" + query_of({{"limit", std::to_string(page.limit)},
                              {"before", page.before == 0 ? "" : std::to_string(page.before)}}));
  if (!reply) return reply.exit;
  print_list(session, reply, kAudit, session.now());
  const auto entries = member_at(reply.root(), "entries");
  if (!entries || entries->size() < page.limit) return kExitOk;
  std::uint64_t last = 0;
  for (const wire::Json entry : *entries) last = count_at(entry, "number");
  session.next(fmt::format("weir audit list --before {}", last));
  return kExitOk;
}

}  // namespace

void add_audit_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* noun = root.add_subcommand("audit", "who changed what, and why");
  noun->require_subcommand(1);
  auto page = std::make_shared<Page>();
  CLI::App* command = noun->add_subcommand("list", "the newest entries first")->alias("ls");
  command->add_option("--limit", page->limit, "how many, up to 1000")
      ->check(CLI::Range(1, 1000))
      ->option_text("N");
  command->add_option("--before", page->before, "only entries before this number")
      ->option_text("NUMBER");
  command->callback([&chosen, page] {
    chosen.action = [page](Session& session) { return list_audit(session, *page); };
  });
}

}  // namespace weir::app
