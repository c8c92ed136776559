// SPDX-License-Identifier: Apache-2.0
#include "app/audit_files.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/bytes.h"
#include "wire/audit_lines.h"
#include "wire/signing.h"

namespace weir::app {
namespace {

Error refused(std::string_view path, std::string what) {
  return Error{Code::audit_key_refused, fmt::format("{}: {}", path, what),
               "put the right files back; or move all audit-* files of the folder away, to begin "
               "with a new key"};
}

std::string last_fault() { return std::strerror(errno); }

// Closes on every way out.
class File {
 public:
  File(const std::string& path, int flags, mode_t mode = 0)
      : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  explicit operator bool() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

  bool write_synced(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return ::fsync(descriptor_) == 0;
  }

 private:
  int descriptor_;
};

bool sync_entry(const std::string& folder) {
  const File file(folder, O_RDONLY | O_DIRECTORY);
  return file && ::fsync(file.descriptor()) == 0;
}

// Under another name first: a crash leaves no half of a key. The folder's lock keeps others away
// from a name that was free a moment ago.
Result<> make_file(const std::string& folder, std::string_view name, std::string_view content,
                   mode_t mode) {
  const std::string path = folder + std::string(name);
  const std::string unfinished = path + ".new";
  ::unlink(unfinished.c_str());
  const File file(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  const bool made = file && file.write_synced(content) &&
                    ::rename(unfinished.c_str(), path.c_str()) == 0 && sync_entry(folder);
  if (!made) return refused(path, "cannot be made: " + last_fault());
  return {};
}

Result<std::string> make_key(const std::string& folder) {
  std::string seed(wire::kSigningSeedBytes, '\0');
  if (::getrandom(seed.data(), seed.size(), 0) != static_cast<ssize_t>(seed.size()))
    return refused(folder, "no random bytes: " + last_fault());
  WEIR_CHECK(make_file(folder, kAuditKeyFile, to_hex(seed) + "\n", S_IRUSR | S_IWUSR));
  return seed;
}

Result<std::string> read_key(const std::string& path) {
  const File file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat facts{};
  if (!file || ::fstat(file.descriptor(), &facts) != 0)
    return refused(path, "cannot be read: " + last_fault());
  if (!S_ISREG(facts.st_mode)) return refused(path, "is no file");
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error{Code::audit_key_refused, fmt::format("{}: others may read or write it", path),
                 fmt::format("chmod 600 {}", path)};
  }
  char text[2 * wire::kSigningSeedBytes + 2];
  const ssize_t size = ::read(file.descriptor(), text, sizeof text);
  std::string_view digits(text, size < 0 ? 0 : static_cast<std::size_t>(size));
  if (digits.ends_with('\n')) digits.remove_suffix(1);
  const auto seed = from_hex(digits);
  if (!seed || seed->size() != wire::kSigningSeedBytes) return refused(path, "is no key");
  return *seed;
}

std::optional<AuditCheckpoint> checkpoint_in(std::string_view line) {
  const auto document = wire::parse_json(line);
  if (!document.ok()) return std::nullopt;
  const auto told = document->root().find("signed");  // as the log has it
  auto read = wire::audit_checkpoint_of(told ? *told : document->root());
  if (!read.ok()) return std::nullopt;
  return std::move(*read);
}

}  // namespace

Result<SigningKeys> audit_keys(const std::string& folder) {
  const std::string key = folder + std::string(kAuditKeyFile);
  const std::string half = folder + std::string(kAuditPublicKeyFile);
  std::error_code ignored;
  const bool known = std::filesystem::exists(std::filesystem::symlink_status(key, ignored));
  const bool told = std::filesystem::exists(half, ignored);
  if (!known && told) return refused(key, "is gone, and its public half is there");
  SigningKeys keys;
  WEIR_TRY(keys.seed, known ? read_key(key) : make_key(folder));
  keys.public_key = to_hex(wire::public_key_of(keys.seed));
  if (keys.public_key.empty()) return refused(key, "this build of OpenSSL has no Ed25519");
  if (!told) {  // the process ended between the two
    WEIR_CHECK(make_file(folder, kAuditPublicKeyFile, keys.public_key + "\n", 0644));
    return keys;
  }
  WEIR_TRY(const std::string public_key, read_public_key(half));
  if (public_key != keys.public_key) return refused(half, "is the half of another key");
  return keys;
}

Result<std::string> read_whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (file) content << file.rdbuf();
  if (!file || content.fail() || file.bad())
    return Error{Code::audit_unreadable, fmt::format("{} is empty or cannot be read", path),
                 "put it back from a backup; Weir never leaves it empty"};
  return std::move(content).str();
}

Result<std::string> read_public_key(const std::string& path) {
  WEIR_TRY(std::string digits, read_whole_file(path));
  if (digits.ends_with('\n')) digits.pop_back();
  const auto key = from_hex(digits);
  if (!key || key->size() != wire::kPublicKeyBytes)
    return Error{Code::audit_unreadable, fmt::format("{} is no public key", path),
                 "it is the file audit-signing.pub of the data folder"};
  return digits;
}

CheckpointLines checkpoints_in(std::string_view lines) {
  CheckpointLines read;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    if (auto checkpoint = checkpoint_in(line)) {
      read.checkpoints.push_back(*std::move(checkpoint));
    } else {
      ++read.others;
    }
  }
  return read;
}

Result<CheckpointLines> read_checkpoints(const std::string& path) {
  WEIR_TRY(const std::string lines, read_whole_file(path));
  return checkpoints_in(lines);
}

Result<> append_checkpoint(const std::string& folder, const AuditCheckpoint& checkpoint) {
  const std::string path = folder + std::string(kAuditCheckpointsFile);
  const File file(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0644);
  const auto failed = [&] {
    return Error{Code::store_failed, fmt::format("{}: {}", path, last_fault()),
                 "the next checkpoint tries again"};
  };
  const off_t size = file ? ::lseek(file.descriptor(), 0, SEEK_END) : -1;
  if (size < 0) return failed();
  char last = '\n';
  if (size > 0 && ::pread(file.descriptor(), &last, 1, size - 1) != 1) return failed();
  const std::string line = (last == '\n' ? "" : "\n") + wire::to_line(checkpoint) + "\n";
  if (!file.write_synced(line)) return failed();
  if (size == 0 && !sync_entry(folder)) return failed();
  return {};
}

}  // namespace weir::app
