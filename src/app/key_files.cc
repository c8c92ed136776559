// SPDX-License-Identifier: Apache-2.0
#include "app/key_files.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace weir::app {
namespace {

constexpr std::size_t kKeyFileMax = 4096;

Error unusable(const std::string& path, std::string_view why, std::string hint = "") {
  return Error{Code::key_file_invalid, fmt::format("'{}' {}", path, why), std::move(hint)};
}

class OpenFile {
 public:
  explicit OpenFile(int handle) : handle_(handle) {}
  ~OpenFile() {
    if (handle_ >= 0) ::close(handle_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int handle() const { return handle_; }

 private:
  int handle_;
};

}  // namespace

Result<store::MasterKey> read_key_file(const std::string& path) {
  const OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.handle() < 0)
    return unusable(path, fmt::format("cannot be read: {}", std::strerror(errno)),
                    "check that it exists and belongs to the user that runs Weir");
  struct stat what{};
  if (::fstat(file.handle(), &what) != 0 || !S_ISREG(what.st_mode))
    return unusable(path, "is no file");
  if ((what.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return unusable(path,
                    fmt::format("may be used by others: its mode is {:04o}", what.st_mode & 07777),
                    fmt::format("chmod 600 {}", path));
  }
  std::string text(kKeyFileMax + 1, '\0');
  const ssize_t size = ::read(file.handle(), text.data(), text.size());
  if (size < 0 || static_cast<std::size_t>(size) > kKeyFileMax) {
    store::wipe(text);
    return unusable(path, "is no key file");
  }
  auto key = store::parse_master_key(
      std::string_view(text).substr(0, static_cast<std::size_t>(size)), path);
  store::wipe(text);
  return key;
}

Result<std::shared_ptr<const store::Keyring::Keys>> read_key_files(const EncryptionSpec& spec) {
  using Shared = std::shared_ptr<const store::Keyring::Keys>;
  if (spec.key_file.empty()) return Shared();
  store::Keyring::Keys keys;
  WEIR_TRY(store::MasterKey present, read_key_file(spec.key_file));
  keys.push_back(std::move(present));
  for (const std::string& path : spec.previous_key_files) {
    WEIR_TRY(store::MasterKey previous, read_key_file(path));
    keys.push_back(std::move(previous));
  }
  return Shared(std::make_shared<const store::Keyring::Keys>(std::move(keys)));
}

Result<std::string> create_key_file(const std::string& path) {
  const OpenFile file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.handle() < 0) {
    const int cause = errno;
    if (cause == EEXIST)
      return unusable(path, "exists", "a key file is never written over; choose another name");
    const std::string folder = std::filesystem::path(path).parent_path().string();
    return unusable(path, fmt::format("cannot be made: {}", std::strerror(cause)),
                    cause == ENOENT && !folder.empty() ? fmt::format("mkdir -p {}", folder) : "");
  }
  std::string text = store::make_key_file();
  const ssize_t written = ::write(file.handle(), text.data(), text.size());
  const bool whole = written == static_cast<ssize_t>(text.size()) && ::fsync(file.handle()) == 0;
  auto key = store::parse_master_key(text, path);
  store::wipe(text);
  if (whole && key.ok()) return key->id;
  ::unlink(path.c_str());
  return unusable(path, "cannot be written");
}

void protect_memory() {
  const rlimit none{0, 0};
  (void)::setrlimit(RLIMIT_CORE, &none);
  (void)::prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace weir::app
