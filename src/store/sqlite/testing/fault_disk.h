// SPDX-License-Identifier: Apache-2.0
// A disk in memory that can lose what was not synced. Every file has the bytes that programs see
// (the page cache) and the bytes that survive a power cut; a sync copies the dirty sectors of one
// to the other. After a failed sync the dirty sectors count as clean but were never written: they
// stay visible and are lost at the next cut, unless somebody writes them again (Rebello et al.,
// ATC'20). Between two syncs the disk writes in any order: a cut leaves each dirty sector as it was
// before, as it is, or, if it was written several times, as it was in between.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "store/sqlite/space.h"

namespace weir::store::sqlite::testing {

enum class DiskResult : std::uint8_t { ok, failed, full };

// One operation as it was done, so that it can be done again on another disk.
struct DiskOperation {
  enum class Kind : std::uint8_t { create, remove, write, truncate, sync, sync_folder };
  Kind kind = Kind::create;
  std::string path;
  std::uint64_t at = 0;  // write: offset; truncate: the new size
  std::string bytes;     // write
};

class FaultDisk {
 public:
  static constexpr std::size_t kSector = 512;

  // --- plans; an operation is a write, truncation, sync, creation or deletion, counted from 1 ---
  // The power goes before operation k has its effect (a write may be torn); everything fails from
  // then on.
  void cut_at(std::uint64_t operation);
  // Operation k fails once, without effect.
  void fail_at(std::uint64_t operation);
  // The n-th sync from now on fails; sticky: all later ones too.
  void fail_sync(std::uint64_t number, bool sticky);
  // The n-th read from now on fails, once.
  void fail_read(std::uint64_t number);
  // Writes that would let the files grow beyond this fail for want of space.
  void set_capacity(std::uint64_t bytes);
  std::uint64_t operations() const;
  bool is_off() const;
  std::uint64_t used() const;
  bool holds_reserve() const;  // of space()

  // --- recording: from now on every operation that succeeds is added to `into`, in order ---
  void record(std::vector<DiskOperation>* into);
  DiskResult perform(const DiskOperation& operation);
  // The files of another disk, what is not synced included; plans end.
  void copy_files(const FaultDisk& other);

  // The process died and comes back: the page cache stays, plans end.
  void restart();
  // The power went and is back: what was not synced is there, or not, or in part, as the seed says.
  void power_cut(std::uint64_t seed);
  // A byte of a file flips at rest.
  void flip(const std::string& path, std::uint64_t offset);
  bool exists(const std::string& path) const;
  bool has_unsynced() const;
  std::uint64_t size_of(const std::string& path) const;

  // --- for the VFS ---
  struct File {
    std::string visible;
    std::string durable;
    // Sectors written since the last sync, each with what it was before its last write; empty if
    // that was the first.
    std::map<std::uint64_t, std::string> dirty;
    bool resized = false;  // the size changed since the last sync
    bool name_durable = false;
    bool deleted = false;  // gone for programs; its name may come back at a cut
  };
  DiskResult create(const std::string& path);
  DiskResult remove(const std::string& path, bool sync_folder);
  // Bytes of the file, shorter at its end.
  std::string_view read(const std::string& path, std::uint64_t offset, std::size_t size) const;
  // Counts down to fail_read().
  bool read_fails();
  DiskResult write(const std::string& path, std::uint64_t offset, std::string_view bytes);
  DiskResult truncate(const std::string& path, std::uint64_t size);
  DiskResult sync(const std::string& path, bool and_folder);
  DiskResult sync_folder();
  std::recursive_mutex& mutex() { return mutex_; }

  // A reserve on this disk, and its free space by capacity.
  std::shared_ptr<Space> space(std::uint64_t reserve_bytes);

 private:
  friend class DiskSpace;
  DiskResult begin_operation();
  void note(DiskOperation::Kind kind, const std::string& path, std::uint64_t at = 0,
            std::string_view bytes = {});
  void put(File& file, std::uint64_t offset, std::string_view bytes);
  static void mark(File& file, std::uint64_t sector);
  static void survive(File& file, Rng& rng, std::uint64_t keep_of_4);

  std::map<std::string, File> files_;
  std::vector<DiskOperation>* recorded_ = nullptr;
  std::uint64_t operations_ = 0;
  std::uint64_t cut_at_ = 0;
  std::uint64_t fail_at_ = 0;
  std::uint64_t fail_sync_in_ = 0;
  bool fail_sync_sticky_ = false;
  std::uint64_t fail_read_in_ = 0;
  bool off_ = false;
  std::uint64_t capacity_ = ~0ull;
  std::uint64_t reserved_ = 0;
  mutable std::recursive_mutex mutex_;
};

}  // namespace weir::store::sqlite::testing
