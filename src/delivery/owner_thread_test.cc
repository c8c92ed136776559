// SPDX-License-Identifier: Apache-2.0
#include "delivery/owner_thread.h"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

namespace weir::delivery {
namespace {

// How a process ends that uses it here and then once more, there or here.
int status_after_use(bool on_another_thread) {
  const pid_t child = fork();
  if (child == 0) {
    for (const int number : {SIGTRAP, SIGILL, SIGABRT}) std::signal(number, SIG_DFL);
    OwnerThread owner;
    owner.check();
    if (on_another_thread) {
      std::thread([&owner] { owner.check(); }).join();
    } else {
      owner.check();
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST_CASE("the first thread may go on, any other one ends the process") {
  const int own = status_after_use(false);
  CHECK(WIFEXITED(own));
  CHECK(WEXITSTATUS(own) == 0);
  CHECK(WIFSIGNALED(status_after_use(true)));
}

}  // namespace
}  // namespace weir::delivery
