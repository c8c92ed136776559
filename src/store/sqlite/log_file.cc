// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/log_file.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/seeded_bug.h"
#include "store/sqlite/schema.h"

namespace weir::store::sqlite {
namespace {

constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kFrameHeaderBytes = 24;
// SQLite never writes more than a page at once, and its VFS cuts longer writes off at 128 KiB.
constexpr std::size_t kChunk = 64 * 1024;

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = (value << 8) | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}

struct Checksum {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  bool operator==(const Checksum&) const = default;
};

// The log's checksum over 8-byte groups (SQLite file format, 4.2), words in the byte order that the
// header names.
Checksum add(Checksum sum, std::string_view bytes, bool big) {
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    std::uint32_t words[2] = {big_endian(bytes, at), big_endian(bytes, at + 4)};
    if (!big) {
      for (std::uint32_t& word : words) word = __builtin_bswap32(word);
    }
    sum.a += words[0] + sum.b;
    sum.b += words[1] + sum.a;
  }
  return sum;
}

class Log {
 public:
  Log(std::string_view bytes, std::size_t page_bytes) : bytes_(bytes), page_(page_bytes) {
    big_ = (big_endian(bytes, 0) & 1) != 0;
    sound_ = (big_endian(bytes, 0) & ~1u) == 0x377f0682 && big_endian(bytes, 8) == page_bytes &&
             add({}, bytes.substr(0, 24), big_) == stored(bytes, 24);
    salts_ = bytes.substr(16, 8);
    if (sound_) return;
    big_ = std::endian::native ==
           std::endian::big;  // what its frames tell, without the header's word
    if (frames() > 0) salts_ = frame_at(0).substr(8, 8);
  }

  std::size_t frames() const {
    return (bytes_.size() - kHeaderBytes) / (kFrameHeaderBytes + page_);
  }
  bool header_is_sound() const { return sound_; }
  // Intact, continuing the frame (or header) before it, and of this log's generation.
  bool follows(std::size_t index) const {
    const std::string_view frame = frame_at(index);
    const Checksum before = index == 0 ? stored(bytes_, 24) : stored(frame_at(index - 1), 16);
    const Checksum sum = add(add(before, frame.substr(0, 8), big_), frame.substr(kFrameHeaderBytes),
                             big_);
    return frame.substr(8, 8) == salts_ && sum == stored(frame, 16);
  }
  bool commits(std::size_t index) const { return big_endian(frame_at(index), 4) != 0; }

 private:
  static Checksum stored(std::string_view bytes, std::size_t at) {
    return {big_endian(bytes, at), big_endian(bytes, at + 4)};
  }
  std::string_view frame_at(std::size_t index) const {
    return bytes_.substr(kHeaderBytes + index * (kFrameHeaderBytes + page_),
                         kFrameHeaderBytes + page_);
  }

  std::string_view bytes_;
  std::size_t page_;
  bool big_ = false;
  bool sound_ = false;
  std::string_view salts_;
};

// A file opened through a VFS.
class VfsFile {
 public:
  VfsFile(const std::string& database, const std::string& vfs)
      : vfs_(sqlite3_vfs_find(vfs.empty() ? nullptr : vfs.c_str())),
        name_(sqlite3_create_filename(database.c_str(), (database + "-journal").c_str(),
                                      (database + "-wal").c_str(), 0, nullptr)),
        memory_(vfs_ == nullptr
                    ? 0
                    : static_cast<std::size_t>(vfs_->szOsFile) / sizeof(std::max_align_t) + 1) {}
  ~VfsFile() {
    if (file()->pMethods != nullptr) file()->pMethods->xClose(file());
    sqlite3_free_filename(name_);
  }
  VfsFile(const VfsFile&) = delete;
  VfsFile& operator=(const VfsFile&) = delete;

  bool exists() {
    int there = 0;
    vfs_->xAccess(vfs_, path(), SQLITE_ACCESS_EXISTS, &there);
    return there != 0;
  }
  bool open() {
    int flags = SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE;
    return vfs_->xOpen(vfs_, path(), file(), flags, &flags) == SQLITE_OK;
  }
  bool read_all(std::string& bytes) {
    sqlite3_int64 size = 0;
    if (file()->pMethods->xFileSize(file(), &size) != SQLITE_OK) return false;
    bytes.resize(static_cast<std::size_t>(size));
    return each_chunk(bytes, [this](char* at, int count, sqlite3_int64 offset) {
      return file()->pMethods->xRead(file(), at, count, offset);
    });
  }
  bool write_all(std::string& bytes) {
    return each_chunk(bytes, [this](char* at, int count, sqlite3_int64 offset) {
      return file()->pMethods->xWrite(file(), at, count, offset);
    });
  }
  bool sync() { return file()->pMethods->xSync(file(), SQLITE_SYNC_NORMAL) == SQLITE_OK; }

 private:
  const char* path() const { return sqlite3_filename_wal(name_); }
  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.data()); }
  template <class Each>
  static bool each_chunk(std::string& bytes, Each each) {
    for (std::size_t at = 0; at < bytes.size(); at += kChunk) {
      const auto count = static_cast<int>(std::min(kChunk, bytes.size() - at));
      if (each(bytes.data() + at, count, static_cast<sqlite3_int64>(at)) != SQLITE_OK) return false;
    }
    return true;
  }

  sqlite3_vfs* vfs_;
  const char* name_;
  std::vector<std::max_align_t> memory_;
};

}  // namespace

std::optional<std::string> find_log_damage(std::string_view log, std::size_t page_bytes) {
  if (log.size() < kHeaderBytes) return std::nullopt;
  const Log frames(log, page_bytes);
  std::size_t good = 0;
  if (frames.header_is_sound()) {
    while (good < frames.frames() && frames.follows(good)) ++good;
  }
  std::size_t commits_behind = 0;
  for (std::size_t i = good + 1; i < frames.frames(); ++i)
    commits_behind += frames.follows(i) && frames.commits(i) ? 1 : 0;
  if (commits_behind < 2 || WEIR_SEEDED_BUG("store.damaged_log_accepted")) return std::nullopt;
  return fmt::format("frame {} of weir.db-wal is damaged, with {} intact commits behind it",
                     good + 1, commits_behind);
}

Result<> secure_log(const std::string& database, const std::string& vfs) {
  if (sqlite3_vfs_find(vfs.empty() ? nullptr : vfs.c_str()) == nullptr) {
    return Error{Code::store_unreadable, fmt::format("SQLite has no VFS '{}'", vfs), ""};
  }
  VfsFile file(database, vfs);
  if (!file.exists()) return {};
  std::string bytes;
  if (!file.open() || !file.read_all(bytes)) {
    return Error{Code::store_unreadable, fmt::format("{}-wal cannot be read", database),
                 "check its permissions"};
  }
  if (const auto damage = find_log_damage(bytes, kPageSize)) {
    return Error{Code::store_corrupt, *damage, "run `weir store check` and restore a backup"};
  }
  if (file.write_all(bytes) && file.sync()) return {};
  return Error{Code::store_failed, fmt::format("{}-wal cannot be written and synced", database),
               "check the disk"};
}

}  // namespace weir::store::sqlite
