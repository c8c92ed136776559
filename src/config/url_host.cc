// SPDX-License-Identifier: Apache-2.0
#include "config/url_host.h"

#include <algorithm>
#include <charconv>

namespace weir::config {

HostText host_text(std::string_view authority) {
  HostText text;
  text.bracketed = authority.starts_with('[');
  const auto bracket = text.bracketed ? std::min(authority.find(']'), authority.size()) : 0;
  const auto colon = std::min(authority.find(':', bracket), authority.size());
  text.host = text.bracketed ? authority.substr(1, bracket - 1) : authority.substr(0, colon);
  // Without the closing bracket, or with text between it and the port.
  if (text.bracketed && bracket + 1 != colon) text.host = {};
  if (colon < authority.size()) {
    std::from_chars(authority.data() + colon + 1, authority.data() + authority.size(), text.port);
  }
  return text;
}

HostText host_of_url(std::string_view url) {
  const bool https = url.starts_with("https://");
  const auto start = url.find("://");
  if (start == url.npos) return {};
  const std::string_view rest = url.substr(start + 3);
  HostText text = host_text(rest.substr(0, rest.find('/')));
  if (text.port == 0) text.port = https ? 443 : 80;
  return text;
}

}  // namespace weir::config
