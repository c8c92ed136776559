// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/space.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace weir::store::sqlite {
namespace {

class FolderSpace final : public Space {
 public:
  FolderSpace(std::string folder, std::uint64_t reserve_bytes)
      : folder_(std::move(folder)), path_(folder_ + "/reserve"), reserve_bytes_(reserve_bytes) {}

  std::uint64_t free_bytes() override {
    struct statvfs disk{};
    if (statvfs(folder_.c_str(), &disk) != 0) return 0;
    return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  }

  bool hold_reserve() override {
    if (held_) return true;
    const int descriptor = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return false;
    held_ = posix_fallocate(descriptor, 0, static_cast<off_t>(reserve_bytes_)) == 0;
    close(descriptor);
    if (!held_) release_reserve();  // half a reserve would only be in the way
    return held_;
  }

  // Truncated, not removed: that `reserve` exists tells that there was a store here.
  void release_reserve() override {
    if (truncate(path_.c_str(), 0) == 0) held_ = false;
  }

  bool has_reserve() const override { return held_; }

 private:
  std::string folder_;
  std::string path_;
  std::uint64_t reserve_bytes_;
  bool held_ = false;
};

}  // namespace

std::unique_ptr<Space> folder_space(std::string folder, std::uint64_t reserve_bytes) {
  return std::make_unique<FolderSpace>(std::move(folder), reserve_bytes);
}

}  // namespace weir::store::sqlite
