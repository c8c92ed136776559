// SPDX-License-Identifier: Apache-2.0
#include "app/replay_watch.h"

#include <fmt/format.h>

#include "app/commands.h"
#include "app/output.h"
#include "app/progress.h"
#include "app/replay_text.h"

namespace weir::app {
namespace {

constexpr Duration kPollEvery = std::chrono::milliseconds(500);

void show_progress(Session& session, const ReplayProgress& progress, LineSchedule& schedule) {
  if (session.terminal().error_tty) {
    session.redraw(progress_block(progress, session.terminal().error_width - 1));
  } else if (schedule.due(progress, session.client().mono())) {
    session.note(progress_line(progress));
  }
}

int leave(Session& session, const std::string& id) {
  session.redraw("");
  session.note(fmt::format("The replay goes on. weir replay watch {}", id));
  return kExitInterrupted;
}

}  // namespace

void show_report(Session& session, wire::Json replay) {
  const ReplayProgress progress = read_progress(replay);
  if (session.is_table()) {
    session.print(report_text(replay, session.now()));
  } else {
    session.print(render_data(session.options().format, replay, "", "replay"));
  }
  const bool over = progress.is_over();
  if (progress.failed_again > 0)
    session.next(fmt::format("weir replay items {} --state failedAgain", progress.replay));
  if (progress.state == "planned" && !progress.waits)
    session.next(fmt::format("weir replay get {}", progress.replay));
  else if (progress.is_at_rest() && !over)
    session.next(fmt::format("weir replay resume {} --watch", progress.replay));
  if (!progress.is_at_rest()) session.next(fmt::format("weir replay watch {}", progress.replay));
  if (over && progress.failed_again == 0) session.next("weir group list");
}

int watch_replay(Session& session, const std::string& id) {
  session.client().catch_interrupt();
  LineSchedule schedule;
  for (;;) {
    const Reply reply = session.get(path_to("replays", id));
    if (!reply) {
      if (reply.exit == kExitUnreachable) leave(session, id);
      return reply.exit;
    }
    const ReplayProgress progress = read_progress(reply.root());
    if (progress.is_at_rest()) {
      session.redraw("");
      show_report(session, reply.root());
      return exit_of(progress);
    }
    if (session.client().interrupted()) return leave(session, id);
    show_progress(session, progress, schedule);
    session.client().pause(kPollEvery);
  }
}

}  // namespace weir::app
