// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/lock_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace weir::store::sqlite {
namespace {

std::string owner_of(int descriptor) {
  char text[32] = {};
  const ssize_t size = pread(descriptor, text, sizeof text - 1, 0);
  std::string owner(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!owner.empty() && (owner.back() < '0' || owner.back() > '9')) owner.pop_back();
  return owner.empty() ? "another process" : "process " + owner;
}

}  // namespace

Result<LockFile> LockFile::take(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return Error{Code::store_unreadable, fmt::format("{}: {}", path, std::strerror(errno)),
                 "check the folder and its permissions"};
  }
  LockFile lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return Error{Code::store_in_use, fmt::format("{} is held by {}", path, owner_of(descriptor)),
                 "stop it, or use another data folder"};
  }
  const std::string owner = fmt::format("{}\n", getpid());
  const bool written = ftruncate(descriptor, 0) == 0 &&
                       pwrite(descriptor, owner.data(), owner.size(), 0) ==
                           static_cast<ssize_t>(owner.size());
  (void)written;  // on a full disk the lock holds all the same; only its owner stays unnamed
  return lock;
}

LockFile::LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

LockFile& LockFile::operator=(LockFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

LockFile::~LockFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace weir::store::sqlite
