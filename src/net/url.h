// SPDX-License-Identifier: Apache-2.0
// http and https URLs of dependencies and servers (RFC 3986, the part we need).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::net {

struct Url {
  bool https = false;
  std::string host;        // lower case, IPv6 without brackets
  std::uint16_t port = 0;  // 80 or 443 if the URL has none
  std::string path;        // as written: "" or starting with a slash
  std::string query;       // without '?'

  // "host:port" for the Host header: brackets for IPv6, no default port.
  std::string authority() const;
  // "[::1]:8600", always with the port.
  std::string address() const;
  bool operator==(const Url&) const = default;
};

// Refused with a reason: other schemes, user info, fragments, a bad port, blanks and control
// characters, and a host that wire/host_name.h does not take. Error: Code::invalid_argument.
Result<Url> parse_url(std::string_view text);

// The prefix of a dependency and the path of a flow: "/api" + "/sync" = "/api/sync"; one '/'
// between them.
std::string join_paths(std::string_view prefix, std::string_view path);

}  // namespace weir::net
