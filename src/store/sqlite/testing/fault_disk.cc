// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/testing/fault_disk.h"

#include <algorithm>

#include "base/assert.h"

namespace weir::store::sqlite::testing {

// The reserve counts as used space, like the file that it stands for.
class DiskSpace final : public Space {
 public:
  DiskSpace(FaultDisk& disk, std::uint64_t reserve_bytes)
      : disk_(disk), reserve_bytes_(reserve_bytes) {}
  std::uint64_t free_bytes() override {
    const std::lock_guard lock(disk_.mutex_);
    const std::uint64_t used = disk_.used();
    return used >= disk_.capacity_ ? 0 : disk_.capacity_ - used;
  }
  bool hold_reserve() override {
    const std::lock_guard lock(disk_.mutex_);
    if (disk_.reserved_ == 0 && free_bytes() >= reserve_bytes_) disk_.reserved_ = reserve_bytes_;
    return has_reserve();
  }
  void release_reserve() override {
    const std::lock_guard lock(disk_.mutex_);
    disk_.reserved_ = 0;
  }
  bool has_reserve() const override {
    const std::lock_guard lock(disk_.mutex_);
    return disk_.reserved_ > 0;
  }

 private:
  FaultDisk& disk_;
  std::uint64_t reserve_bytes_;
};

std::shared_ptr<Space> FaultDisk::space(std::uint64_t reserve_bytes) {
  return std::make_shared<DiskSpace>(*this, reserve_bytes);
}

void FaultDisk::cut_at(std::uint64_t operation) {
  const std::lock_guard lock(mutex_);
  cut_at_ = operation;
}

void FaultDisk::fail_at(std::uint64_t operation) {
  const std::lock_guard lock(mutex_);
  fail_at_ = operation;
}

void FaultDisk::set_capacity(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

std::uint64_t FaultDisk::operations() const {
  const std::lock_guard lock(mutex_);
  return operations_;
}

bool FaultDisk::is_off() const {
  const std::lock_guard lock(mutex_);
  return off_;
}

void FaultDisk::fail_sync(std::uint64_t number, bool sticky) {
  const std::lock_guard lock(mutex_);
  fail_sync_in_ = number;
  fail_sync_sticky_ = sticky;
}

void FaultDisk::fail_read(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  fail_read_in_ = number;
}

bool FaultDisk::read_fails() {
  const std::lock_guard lock(mutex_);
  return fail_read_in_ > 0 && --fail_read_in_ == 0;
}

bool FaultDisk::holds_reserve() const {
  const std::lock_guard lock(mutex_);
  return reserved_ > 0;
}

std::uint64_t FaultDisk::used() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = reserved_;
  for (const auto& [path, file] : files_) bytes += file.deleted ? 0 : file.visible.size();
  return bytes;
}

void FaultDisk::restart() {
  const std::lock_guard lock(mutex_);
  cut_at_ = fail_at_ = fail_sync_in_ = fail_read_in_ = operations_ = 0;
  fail_sync_sticky_ = off_ = false;
}

void FaultDisk::record(std::vector<DiskOperation>* into) {
  const std::lock_guard lock(mutex_);
  recorded_ = into;
}

void FaultDisk::note(DiskOperation::Kind kind, const std::string& path, std::uint64_t at,
                     std::string_view bytes) {
  if (recorded_ != nullptr) recorded_->push_back({kind, path, at, std::string(bytes)});
}

DiskResult FaultDisk::perform(const DiskOperation& operation) {
  using Kind = DiskOperation::Kind;
  switch (operation.kind) {
    case Kind::create: return create(operation.path);
    case Kind::remove: return remove(operation.path, false);
    case Kind::write: return write(operation.path, operation.at, operation.bytes);
    case Kind::truncate: return truncate(operation.path, operation.at);
    case Kind::sync: return sync(operation.path, false);
    case Kind::sync_folder: return sync_folder();
  }
  return DiskResult::failed;
}

void FaultDisk::copy_files(const FaultDisk& other) {
  const std::scoped_lock lock(mutex_, other.mutex_);
  files_ = other.files_;
  restart();
}

DiskResult FaultDisk::begin_operation() {
  if (off_) return DiskResult::failed;
  ++operations_;
  if (operations_ == cut_at_) {
    off_ = true;
    return DiskResult::failed;
  }
  return operations_ == fail_at_ ? DiskResult::failed : DiskResult::ok;
}

DiskResult FaultDisk::create(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (exists(path)) return DiskResult::ok;
  if (const DiskResult begun = begin_operation(); begun != DiskResult::ok) return begun;
  files_[path] = File{};
  note(DiskOperation::Kind::create, path);
  return DiskResult::ok;
}

DiskResult FaultDisk::remove(const std::string& path, bool sync_folder_too) {
  const std::lock_guard lock(mutex_);
  const auto file = files_.find(path);
  if (file == files_.end() || file->second.deleted) return DiskResult::ok;
  if (const DiskResult begun = begin_operation(); begun != DiskResult::ok) return begun;
  if (!file->second.name_durable) {
    files_.erase(file);
  } else {
    file->second.deleted = true;
  }
  note(DiskOperation::Kind::remove, path);
  return sync_folder_too ? sync_folder() : DiskResult::ok;
}

bool FaultDisk::exists(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto file = files_.find(path);
  return file != files_.end() && !file->second.deleted;
}

bool FaultDisk::has_unsynced() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(files_, [](const auto& entry) {
    const File& file = entry.second;
    return !file.dirty.empty() || file.resized || !file.name_durable || file.deleted;
  });
}

std::uint64_t FaultDisk::size_of(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto file = files_.find(path);
  return file == files_.end() ? 0 : file->second.visible.size();
}

std::string_view FaultDisk::read(const std::string& path, std::uint64_t offset,
                                 std::size_t size) const {
  const auto file = files_.find(path);
  if (file == files_.end() || offset >= file->second.visible.size()) return {};
  return std::string_view(file->second.visible).substr(offset, size);
}

void FaultDisk::mark(File& file, std::uint64_t sector) {
  const auto [place, first] = file.dirty.try_emplace(sector);
  const std::uint64_t at = sector * kSector;
  if (!first && at < file.visible.size()) place->second = file.visible.substr(at, kSector);
}

void FaultDisk::put(File& file, std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  const std::uint64_t before = file.visible.size();
  const std::uint64_t end = offset + bytes.size();
  // From the hole on, if there is one.
  const std::uint64_t first = std::min(before, offset) / kSector;
  for (std::uint64_t s = end > before ? first : offset / kSector; s <= (end - 1) / kSector; ++s)
    mark(file, s);
  if (end > before) {
    file.visible.resize(end);
    file.resized = true;
  }
  std::ranges::copy(bytes, file.visible.begin() + static_cast<std::ptrdiff_t>(offset));
}

DiskResult FaultDisk::write(const std::string& path, std::uint64_t offset, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  File& file = files_.at(path);
  const bool was_on = !off_;
  const DiskResult begun = begin_operation();
  if (begun != DiskResult::ok) {
    const bool torn = was_on && off_;
    // Half of it, up to a sector's edge: a sector is written as a whole or not at all.
    const std::uint64_t edge = (offset + bytes.size() / 2) / kSector * kSector;
    if (torn && edge > offset) put(file, offset, bytes.substr(0, edge - offset));
    return begun;
  }
  const std::uint64_t end = offset + bytes.size();
  const std::uint64_t growth = end > file.visible.size() ? end - file.visible.size() : 0;
  if (growth > 0 && used() + growth > capacity_) return DiskResult::full;
  put(file, offset, bytes);
  note(DiskOperation::Kind::write, path, offset, bytes);
  return DiskResult::ok;
}

DiskResult FaultDisk::truncate(const std::string& path, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (const DiskResult begun = begin_operation(); begun != DiskResult::ok) return begun;
  File& file = files_.at(path);
  file.visible.resize(size);
  file.resized = true;
  note(DiskOperation::Kind::truncate, path, size);
  return DiskResult::ok;
}

DiskResult FaultDisk::sync(const std::string& path, bool and_folder) {
  const std::lock_guard lock(mutex_);
  if (const DiskResult begun = begin_operation(); begun != DiskResult::ok) return begun;
  File& file = files_.at(path);
  if (fail_sync_in_ > 0 && --fail_sync_in_ == 0) {
    if (fail_sync_sticky_) fail_sync_in_ = 1;
    file.dirty.clear();
    file.resized = false;
    return DiskResult::failed;
  }
  if (file.resized) file.durable.resize(file.visible.size());
  for (const auto& [sector, earlier] : file.dirty) {
    const std::uint64_t at = sector * kSector;
    if (at >= file.visible.size()) continue;
    const std::size_t size = std::min<std::size_t>(kSector, file.visible.size() - at);
    if (file.durable.size() < at + size) file.durable.resize(at + size);
    file.visible.copy(file.durable.data() + at, size, at);
  }
  file.dirty.clear();
  file.resized = false;
  note(DiskOperation::Kind::sync, path);
  return and_folder ? sync_folder() : DiskResult::ok;
}

DiskResult FaultDisk::sync_folder() {
  const std::lock_guard lock(mutex_);
  if (const DiskResult begun = begin_operation(); begun != DiskResult::ok) return begun;
  std::erase_if(files_, [](const auto& entry) { return entry.second.deleted; });
  for (auto& [path, file] : files_) file.name_durable = true;
  note(DiskOperation::Kind::sync_folder, "");
  return DiskResult::ok;
}

// Each dirty sector is written with odds of keep_of_4 in 4, a fourth of these not with what was
// written last; the size is the old or the new one.
void FaultDisk::survive(File& file, Rng& rng, std::uint64_t keep_of_4) {
  const bool new_size = rng.below(4) < keep_of_4;
  if (file.resized && new_size) file.durable.resize(file.visible.size());
  for (const auto& [sector, earlier] : file.dirty) {
    const std::uint64_t at = sector * kSector;
    if (rng.below(4) >= keep_of_4 || at >= file.visible.size() || at >= file.durable.size())
      continue;
    const bool last = earlier.empty() || keep_of_4 == 4 || rng.below(4) > 0;
    const std::string_view written = last ? std::string_view(file.visible).substr(at, kSector)
                                          : std::string_view(earlier);
    written.copy(file.durable.data() + at, file.durable.size() - at);
  }
  file.visible = file.durable;
  file.dirty.clear();
  file.resized = file.deleted = false;
  file.name_durable = true;
}

void FaultDisk::power_cut(std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  Rng rng(seed);
  const std::uint64_t keep_of_4 = seed % 5;  // from nothing unsynced to everything
  std::erase_if(files_, [&](const auto& entry) {
    const bool lost_name = !entry.second.name_durable && rng.below(4) >= keep_of_4;
    const bool deletion_made_it = entry.second.deleted && rng.below(4) < keep_of_4;
    return lost_name || deletion_made_it;
  });
  for (auto& [path, file] : files_) survive(file, rng, keep_of_4);
  restart();
}

void FaultDisk::flip(const std::string& path, std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  File& file = files_.at(path);
  for (std::string* bytes : {&file.visible, &file.durable}) {
    if (offset < bytes->size()) (*bytes)[offset] = static_cast<char>((*bytes)[offset] ^ 0x10);
  }
}

}  // namespace weir::store::sqlite::testing
