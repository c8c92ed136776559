// SPDX-License-Identifier: Apache-2.0
// A library to preload into one process: every fdatasync and fsync takes four milliseconds longer,
// as on a slower disk.
#include <cerrno>
#include <chrono>
#include <dlfcn.h>
#include <thread>

namespace {

constexpr auto kSlower = std::chrono::milliseconds(4);

int slowly(const char* name, int file) {
  const auto real = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, name));
  const int result = real(file);
  const int error = errno;
  std::this_thread::sleep_for(kSlower);
  errno = error;
  return result;
}

}  // namespace

extern "C" int fdatasync(int file) { return slowly("fdatasync", file); }
extern "C" int fsync(int file) { return slowly("fsync", file); }
