// SPDX-License-Identifier: Apache-2.0
#include "app/first_token.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/random.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/assert.h"
#include "wire/token_text.h"

namespace weir::app {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  bool good() const { return number_ >= 0; }

 private:
  int number_;
};

Error cannot_write(const std::string& path) {
  return {Code::store_unreadable,
          fmt::format("the admin token cannot be written to '{}': {}", path, std::strerror(errno)),
          "the folder must be writable for Weir"};
}

Result<std::string> temporary_folder() {
  std::error_code failure;
  std::string name = (std::filesystem::temp_directory_path(failure) / "weir-XXXXXX").string();
  if (failure || ::mkdtemp(name.data()) == nullptr) return cannot_write(name);
  return name;
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::string random_secret() {
  std::string bytes(wire::kTokenSecretBytes, '\0');
  // Up to 256 bytes come whole; this waits only while the kernel has just started.
  WEIR_ASSERT(::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return bytes;
}

Result<std::string> write_token_file(const std::string& folder, const std::string& text) {
  std::error_code failure;
  const std::string path = (std::filesystem::absolute(folder, failure) / "admin.token").string();
  if (failure) return cannot_write(folder);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return cannot_write(path);
  {
    // O_EXCL: whatever has come to this name meanwhile is nothing of ours.
    const Descriptor file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.good() || !write_all(file.number(), text + "\n") || ::fsync(file.number()) != 0)
      return cannot_write(path);
  }
  const Descriptor parent(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.good() || ::fsync(parent.number()) != 0) return cannot_write(path);
  return path;
}

async::Task<Result<std::string>> make_first_token(api::Tokens& tokens, std::string folder,
                                                  WallTime now) {
  if (tokens.has_live_admin(now)) co_return std::string();
  if (folder.empty()) {
    auto made = temporary_folder();
    if (!made.ok()) co_return made.error();
    folder = *std::move(made);
  }
  api::NewToken made = tokens.prepare({.name = "first", .subject = "admin", .roles = {Role::admin}},
                                      random_secret(), now);
  auto path = write_token_file(folder, made.text);
  if (!path.ok()) co_return path.error();
  auto put = co_await tokens.put(
      std::move(made.token),
      {.at = now, .actor = "weir", .reason = "there was no token of an admin"});
  if (!put.ok()) co_return put.error();
  co_return *std::move(path);
}

}  // namespace weir::app
