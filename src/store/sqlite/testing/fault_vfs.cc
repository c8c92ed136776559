// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/testing/fault_vfs.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <new>
#include <vector>

#include <fmt/format.h>
#include <sqlite3.h>

#include "store/sqlite/vfs_sync.h"

namespace weir::store::sqlite::testing {
namespace {

constexpr int kLockSlots = SQLITE_SHM_NLOCK;
constexpr int kWriteMax = 0x1ffff;  // the Unix VFS writes no more at once

struct SharedMemory {
  std::vector<std::unique_ptr<char[]>> regions;
  std::array<int, kLockSlots> shared{};
  std::array<bool, kLockSlots> exclusive{};
  int users = 0;
};

// Locks of one path, among the connections of this process.
struct PathLocks {
  SharedMemory memory;
  int shared = 0;
  int reserved = 0;  // RESERVED, PENDING or EXCLUSIVE
};

}  // namespace

struct FaultVfs::Registration {
  sqlite3_vfs vfs{};
  FaultDisk* disk = nullptr;
  std::map<std::string, PathLocks> locks;
  Rng rng{1};
};

namespace {

using Shared = std::array<bool, kLockSlots>;

// What SQLite calls a file: one open descriptor.
struct Handle {
  sqlite3_file base;
  FaultDisk* disk;
  std::map<std::string, PathLocks>* locks;
  std::string* path;
  Shared* shm_shared;
  Shared* shm_exclusive;
  bool maps_memory;
  bool syncs_folder;
  int level;
};

Handle& of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }
PathLocks& locks_of(Handle& handle) { return (*handle.locks)[*handle.path]; }

int code_of(DiskResult result, int failure) {
  if (result == DiskResult::full) return SQLITE_FULL;
  return result == DiskResult::ok ? SQLITE_OK : failure;
}

int read(sqlite3_file* file, void* into, int size, sqlite3_int64 offset) {
  Handle& handle = of(file);
  const std::lock_guard lock(handle.disk->mutex());
  if (handle.disk->read_fails()) return SQLITE_IOERR_READ;
  const auto wanted = static_cast<std::size_t>(size);
  const std::string_view bytes = handle.disk->read(*handle.path, static_cast<std::uint64_t>(offset),
                                                   wanted);
  if (!bytes.empty()) std::memcpy(into, bytes.data(), bytes.size());
  if (bytes.size() == wanted) return SQLITE_OK;
  std::memset(static_cast<char*>(into) + bytes.size(), 0, wanted - bytes.size());
  return SQLITE_IOERR_SHORT_READ;
}

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  if (size > kWriteMax) return SQLITE_IOERR_WRITE;
  Handle& handle = of(file);
  const std::string_view view(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
  return code_of(handle.disk->write(*handle.path, static_cast<std::uint64_t>(offset), view),
                 SQLITE_IOERR_WRITE);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  Handle& handle = of(file);
  return code_of(handle.disk->truncate(*handle.path, static_cast<std::uint64_t>(size)),
                 SQLITE_IOERR_TRUNCATE);
}

// As the Unix VFS does it: a journal or log that was just made is synced together with its name.
int sync(sqlite3_file* file, int) {
  Handle& handle = of(file);
  const bool and_folder = std::exchange(handle.syncs_folder, false);
  return code_of(handle.disk->sync(*handle.path, and_folder), SQLITE_IOERR_FSYNC);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  Handle& handle = of(file);
  *size = static_cast<sqlite3_int64>(handle.disk->size_of(*handle.path));
  return SQLITE_OK;
}

int lock_file(sqlite3_file* file, int level) {
  Handle& handle = of(file);
  const std::lock_guard lock(handle.disk->mutex());
  PathLocks& locks = locks_of(handle);
  if (level <= handle.level) return SQLITE_OK;
  const bool writes = handle.level > SQLITE_LOCK_SHARED;
  if (level > SQLITE_LOCK_SHARED && !writes) {
    if (locks.reserved > 0) return SQLITE_BUSY;
    ++locks.reserved;
  }
  if (level == SQLITE_LOCK_SHARED) ++locks.shared;
  const bool alone = locks.shared <= 1;
  if (level == SQLITE_LOCK_EXCLUSIVE && !alone) {
    handle.level = SQLITE_LOCK_PENDING;
    return SQLITE_BUSY;
  }
  handle.level = level;
  return SQLITE_OK;
}

int unlock_file(sqlite3_file* file, int level) {
  Handle& handle = of(file);
  const std::lock_guard lock(handle.disk->mutex());
  PathLocks& locks = locks_of(handle);
  if (handle.level > SQLITE_LOCK_SHARED && level <= SQLITE_LOCK_SHARED) --locks.reserved;
  if (handle.level >= SQLITE_LOCK_SHARED && level == SQLITE_LOCK_NONE) --locks.shared;
  handle.level = level;
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* file, int* reserved) {
  Handle& handle = of(file);
  const std::lock_guard lock(handle.disk->mutex());
  *reserved = locks_of(handle).reserved > 0 ? 1 : 0;
  return SQLITE_OK;
}

int file_control(sqlite3_file* file, int operation, void* argument) {
  if (operation == SQLITE_FCNTL_MMAP_SIZE) {
    *static_cast<sqlite3_int64*>(argument) = 0;  // there is nothing to map
    return SQLITE_OK;
  }
  if (operation != kSyncFolderControl) return SQLITE_NOTFOUND;
  return code_of(of(file).disk->sync_folder(), SQLITE_IOERR_FSYNC);
}

int sector_size(sqlite3_file*) { return 4096; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int shm_map(sqlite3_file* file, int region, int size, int extend, void volatile** into) {
  Handle& handle = of(file);
  const std::lock_guard lock(handle.disk->mutex());
  SharedMemory& memory = locks_of(handle).memory;
  if (!handle.maps_memory) ++memory.users;
  handle.maps_memory = true;
  while (static_cast<int>(memory.regions.size()) <= region && extend != 0) {
    memory.regions.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
  }
  const bool there = region < static_cast<int>(memory.regions.size());
  *into = there ? memory.regions[static_cast<std::size_t>(region)].get() : nullptr;
  return SQLITE_OK;
}

bool may_take(const SharedMemory& memory, const Handle& handle, std::size_t slot, bool exclusive) {
  const int others = memory.shared[slot] - ((*handle.shm_shared)[slot] ? 1 : 0);
  const bool taken = memory.exclusive[slot] && !(*handle.shm_exclusive)[slot];
  return !taken && (!exclusive || others == 0);
}

void release(SharedMemory& memory, Handle& handle, std::size_t slot) {
  if (std::exchange((*handle.shm_shared)[slot], false)) --memory.shared[slot];
  if (std::exchange((*handle.shm_exclusive)[slot], false)) memory.exclusive[slot] = false;
}

int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  Handle& handle = of(file);
  const std::lock_guard lock(handle.disk->mutex());
  SharedMemory& memory = locks_of(handle).memory;
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  const auto first = static_cast<std::size_t>(offset);
  const std::size_t end = first + static_cast<std::size_t>(count);
  for (std::size_t slot = first; slot < end; ++slot) {
    if ((flags & SQLITE_SHM_LOCK) != 0 && !may_take(memory, handle, slot, exclusive))
      return SQLITE_BUSY;
  }
  for (std::size_t slot = first; slot < end; ++slot) {
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
      release(memory, handle, slot);
    } else if (exclusive) {
      memory.exclusive[slot] = (*handle.shm_exclusive)[slot] = true;
    } else if (!std::exchange((*handle.shm_shared)[slot], true)) {
      ++memory.shared[slot];
    }
  }
  return SQLITE_OK;
}

void shm_barrier(sqlite3_file*) { std::atomic_thread_fence(std::memory_order_seq_cst); }

int shm_unmap(sqlite3_file* file, int) {
  Handle& handle = of(file);
  const std::lock_guard lock(handle.disk->mutex());
  if (!handle.maps_memory) return SQLITE_OK;
  SharedMemory& memory = locks_of(handle).memory;
  for (std::size_t slot = 0; slot < kLockSlots; ++slot) release(memory, handle, slot);
  handle.maps_memory = false;
  if (--memory.users == 0) memory.regions.clear();
  return SQLITE_OK;
}

int close_file(sqlite3_file* file) {
  shm_unmap(file, 0);
  unlock_file(file, SQLITE_LOCK_NONE);
  Handle& handle = of(file);
  delete handle.path;
  delete handle.shm_shared;
  delete handle.shm_exclusive;
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read,
    .xWrite = write,
    .xTruncate = truncate,
    .xSync = sync,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

sqlite3_vfs* system_vfs() {
  static sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
  return vfs;
}

template <class Registration>
Registration& registration_of(sqlite3_vfs* vfs) {
  return *static_cast<Registration*>(vfs->pAppData);
}

template <class Registration>
int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  Registration& registration = registration_of<Registration>(vfs);
  file->pMethods = nullptr;
  const std::string path = name == nullptr ? "/temporary" : name;
  const bool there = registration.disk->exists(path);
  if (!there && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
  const DiskResult created = registration.disk->create(path);
  if (created != DiskResult::ok) return code_of(created, SQLITE_CANTOPEN);
  const bool log = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
  new (file) Handle{.base = {&kMethods},
                    .disk = registration.disk,
                    .locks = &registration.locks,
                    .path = new std::string(path),
                    .shm_shared = new Shared{},
                    .shm_exclusive = new Shared{},
                    .maps_memory = false,
                    .syncs_folder = log && !there,
                    .level = SQLITE_LOCK_NONE};
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

template <class Registration>
int delete_file(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  FaultDisk& disk = *registration_of<Registration>(vfs).disk;
  if (!disk.exists(name)) return SQLITE_IOERR_DELETE_NOENT;
  return code_of(disk.remove(name, sync_folder != 0), SQLITE_IOERR_DELETE);
}

template <class Registration>
int access_file(sqlite3_vfs* vfs, const char* name, int, int* result) {
  FaultDisk& disk = *registration_of<Registration>(vfs).disk;
  *result = disk.exists(name) && disk.size_of(name) > 0 ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int size, char* into) {
  sqlite3_snprintf(size, into, "%s", name);
  return SQLITE_OK;
}

template <class Registration>
int random_bytes(sqlite3_vfs* vfs, int size, char* into) {
  Rng& rng = registration_of<Registration>(vfs).rng;
  std::generate_n(into, size, [&] { return static_cast<char>(rng.below(256)); });
  return size;
}

// 2026-01-01T00:00:00Z as a Julian day; it stays that day.
int current_time(sqlite3_vfs*, double* days) {
  *days = 2461041.5;
  return SQLITE_OK;
}

int sleep_not(sqlite3_vfs*, int micros) { return micros; }

}  // namespace

FaultVfs::FaultVfs() : registration_(std::make_unique<Registration>()) {
  static std::atomic<int> number{0};
  name_ = fmt::format("weir-fault-{}", ++number);
  registration_->disk = &disk_;
  sqlite3_vfs& vfs = registration_->vfs;
  vfs = *system_vfs();
  vfs.iVersion = 1;
  vfs.szOsFile = sizeof(Handle);
  vfs.zName = name_.c_str();
  vfs.pAppData = registration_.get();
  vfs.pNext = nullptr;
  vfs.xOpen = open_file<Registration>;
  vfs.xDelete = delete_file<Registration>;
  vfs.xAccess = access_file<Registration>;
  vfs.xFullPathname = full_path;
  vfs.xRandomness = random_bytes<Registration>;
  vfs.xCurrentTime = current_time;
  vfs.xSleep = sleep_not;
  sqlite3_vfs_register(&vfs, 0);
}

void FaultVfs::seed(std::uint64_t seed) {
  registration_->rng = Rng(seed);
  sqlite3_vfs_register(&registration_->vfs, 1);
  sqlite3_randomness(0, nullptr);
}

FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(&registration_->vfs); }

}  // namespace weir::store::sqlite::testing
