// SPDX-License-Identifier: Apache-2.0
#include "app/token_source.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sys/stat.h>

#include <fmt/format.h>

#include "net/url.h"
#include "policy/egress.h"
#include "wire/token_text.h"

namespace weir::app {
namespace {

constexpr std::size_t kTokenMax = 256;

std::string trimmed(std::string text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  text.erase(text.find_last_not_of(kBlanks) + 1);
  text.erase(0, text.find_first_not_of(kBlanks));
  return text;
}

Result<std::string> whole(std::string text, const std::string& where) {
  text = trimmed(std::move(text));
  if (wire::read_token(text)) return text;
  return Error{Code::token_file_unusable, fmt::format("{} has no whole token", where),
               "a token goes from weir_ to its last character, on one line"};
}

}  // namespace

Result<std::string> read_token_file(const std::string& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) {
    return Error{Code::token_file_unusable,
                 fmt::format("the token file '{}': {}", path, std::strerror(errno)),
                 "check --token-file or WEIR_TOKEN_FILE"};
  }
  if ((about.st_mode & 0077) != 0) {
    return Error{Code::token_file_unusable,
                 fmt::format("the token file '{}' may be read by others", path),
                 fmt::format("chmod 600 {}", path)};
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(kTokenMax, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return whole(std::move(text), fmt::format("the token file '{}'", path));
}

Result<> check_way(std::string_view server) {
  const auto url = net::parse_url(std::string(server));
  if (!url.ok() || url->https || policy::is_loopback_host(url->host)) return {};
  return Error{Code::usage, fmt::format("a token would go to {} unencrypted", server),
               "use https:// and --ca-file, or unset WEIR_TOKEN and WEIR_TOKEN_FILE"};
}

Result<std::string> find_token(const std::string& token_file) {
  if (!token_file.empty()) return read_token_file(token_file);
  const char* token = std::getenv("WEIR_TOKEN");
  if (token != nullptr && *token != '\0') return whole(token, "WEIR_TOKEN");
  const char* file = std::getenv("WEIR_TOKEN_FILE");
  if (file != nullptr && *file != '\0') return read_token_file(file);
  return std::string();
}

}  // namespace weir::app
