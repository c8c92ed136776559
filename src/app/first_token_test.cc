// SPDX-License-Identifier: Apache-2.0
#include "app/first_token.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <sys/stat.h>

#include <doctest/doctest.h>

#include "app/token_source.h"
#include "wire/token_text.h"

namespace weir::app {
namespace {

struct TokenFolder {
  TokenFolder() {
    path = (std::filesystem::temp_directory_path() / "weir_token_XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
  }
  ~TokenFolder() { std::filesystem::remove_all(path); }

  static mode_t mode_of(const std::string& file) {
    struct stat about{};
    REQUIRE(::stat(file.c_str(), &about) == 0);
    return about.st_mode & 07777;
  }
  std::string path;
};

std::string some_token() { return wire::write_token(TokenId{1}, random_secret()); }

}  // namespace

TEST_CASE("no two secrets are the same") {
  std::set<std::string> secrets;
  for (int i = 0; i < 1000; ++i) secrets.insert(random_secret());
  CHECK(secrets.size() == 1000);
  for (const std::string& one : secrets) CHECK(one.size() == wire::kTokenSecretBytes);
}

TEST_CASE("the file of a token is its owner's alone, whatever was there before") {
  const TokenFolder folder;
  const std::string text = some_token();
  const auto first = write_token_file(folder.path, text);
  REQUIRE(first.ok());
  CHECK(*first == folder.path + "/admin.token");
  CHECK(TokenFolder::mode_of(*first) == 0600);
  CHECK(*read_token_file(*first) == text);
  CHECK(::chmod(first->c_str(), 0644) == 0);
  const std::string again = some_token();
  CHECK(write_token_file(folder.path, again).ok());
  CHECK(TokenFolder::mode_of(*first) == 0600);
  CHECK(*read_token_file(*first) == again);
}

TEST_CASE("a link in its place is replaced, and what it leads to is left alone") {
  const TokenFolder folder;
  const std::string target = folder.path + "/elsewhere";
  std::ofstream(target) << "mine";
  std::filesystem::create_symlink(target, folder.path + "/admin.token");
  const auto written = write_token_file(folder.path, some_token());
  REQUIRE(written.ok());
  CHECK_FALSE(std::filesystem::is_symlink(*written));
  CHECK(std::filesystem::file_size(target) == 4);
}

TEST_CASE("a folder that is not there is an error") {
  CHECK(write_token_file("/nowhere/at/all", "x").error().code == Code::store_unreadable);
}

TEST_CASE("a token file is read only if it is safe and whole") {
  const TokenFolder folder;
  const std::string file = folder.path + "/t";
  const auto fault = [&](const std::string& text, mode_t mode) {
    std::ofstream(file) << text;
    REQUIRE(::chmod(file.c_str(), mode) == 0);
    const auto read = read_token_file(file);
    return read.ok() ? std::string() : read.error().detail;
  };
  const std::string text = some_token();
  CHECK(fault("  " + text + "\r\n", 0400) == "");
  REQUIRE(::chmod(file.c_str(), 0600) == 0);
  CHECK(fault(text, 0640).find("may be read by others") != std::string::npos);
  CHECK(fault(text, 0604).find("may be read by others") != std::string::npos);
  CHECK(fault("", 0600).find("no whole token") != std::string::npos);
  CHECK(fault(text.substr(1), 0600).find("no whole token") != std::string::npos);
  CHECK(fault(text + "\n" + text, 0600).find("no whole token") != std::string::npos);
  CHECK(read_token_file(folder.path + "/none").error().code == Code::token_file_unusable);
}

TEST_CASE("a token goes over https, or no further than this machine") {
  for (const char* safe : {"http://127.0.0.1:8600", "http://localhost", "http://[::1]:8600",
                           "https://weir.example.org", "https://10.0.0.1:8600"})
    CHECK(check_way(safe).ok());
  for (const char* bare : {"http://weir.example.org", "http://10.0.0.1:8600",
                           "http://localhost.example.org", "http://127.0.0.1.example.org"})
    CHECK(check_way(bare).error().code == Code::usage);
}

}  // namespace weir::app
