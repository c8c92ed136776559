// SPDX-License-Identifier: Apache-2.0
// How long fdatasync takes on this disk, now: writes 8 KiB every --every-ms and syncs it, until
// --seconds are over or SIGTERM comes. Prints one line per sync, "WALL_SECONDS MICROS", so that any
// interval can be looked up later.
#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <string>
#include <thread>
#include <unistd.h>

#include "measure.h"
#include "options.h"

int main(int argc, char** argv) {
  using namespace weir::bench;
  const Options options(argc, argv, {{"folder", "."}, {"every-ms", "100"}, {"seconds", "5"}});
  const auto pause = std::chrono::milliseconds(options.number("every-ms", 0, 60'000));
  const std::int64_t end = monotonic_micros() + options.number("seconds", 1, 86'400) * 1'000'000;
  const std::string path = options.text("folder") + "/fdatasync.probe";
  const int file = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) fail(path);
  unlink(path.c_str());
  constexpr off_t kFileBytes =
      8 << 20;  // as long as the log of the store, and like it written in place
  const std::string page(8192, 'x');
  for (off_t at = 0; at < kFileBytes; at += static_cast<off_t>(page.size())) {
    if (pwrite(file, page.data(), page.size(), at) < 0) fail(path);
  }
  if (fsync(file) != 0) fail("fsync " + path);
  for (off_t at = 0; monotonic_micros() < end;
       at = (at + static_cast<off_t>(page.size())) % kFileBytes) {
    if (pwrite(file, page.data(), page.size(), at) < 0) fail(path);
    const std::int64_t began = monotonic_micros();
    if (fdatasync(file) != 0) fail("fdatasync " + path);
    std::printf("%.3f %lld\n", wall_seconds(), static_cast<long long>(monotonic_micros() - began));
    std::fflush(stdout);
    std::this_thread::sleep_for(pause);
  }
  return 0;
}
