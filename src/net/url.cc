// SPDX-License-Identifier: Apache-2.0
#include "net/url.h"

#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "wire/host_name.h"

namespace weir::net {
namespace {

constexpr std::size_t kUrlMax = 8192;

Error refused(std::string_view text, std::string_view why) {
  return Error{Code::invalid_argument,
               fmt::format("URL '{}': {}", printable(text.substr(0, 200)), why),
               "write it as http://host[:port][/path] or https://host[:port][/path]"};
}

// Splits "host", "host:port" or "[v6]:port".
Result<> parse_authority(std::string_view whole, std::string_view authority, Url& url) {
  std::string_view host = authority;
  std::string_view port;
  bool has_port = false;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos)
      return refused(whole, "missing ']' after the IPv6 address");
    host = authority.substr(1, close - 1);
    const std::string_view rest = authority.substr(close + 1);
    if (!rest.empty() && rest[0] != ':') return refused(whole, "unexpected text after ']'");
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else {
    const std::size_t colon = authority.find(':');
    has_port = colon != std::string_view::npos;
    if (has_port) {
      host = authority.substr(0, colon);
      port = authority.substr(colon + 1);
    }
  }
  const std::string_view fault = wire::host_fault(host, authority.starts_with('['));
  if (!fault.empty()) return refused(whole, fmt::format("the host {}", fault));
  url.host = to_lower(host);
  if (!has_port) return {};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (error != std::errc{} || end != port.data() + port.size() || url.port == 0) {
    return refused(whole, "the port must be a number from 1 to 65535");
  }
  return {};
}

}  // namespace

std::string Url::authority() const {
  const bool is_default = port == (https ? 443 : 80);
  if (!is_default) return address();
  return host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
}

std::string Url::address() const {
  if (host.find(':') == std::string::npos) return fmt::format("{}:{}", host, port);
  return fmt::format("[{}]:{}", host, port);
}

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kUrlMax) return refused(text, "longer than 8192 bytes");
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      return refused(text, "blanks, control and non-ASCII characters must be percent-encoded");
    }
  }
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return refused(text, "the scheme is missing");
  Url url;
  const std::string_view scheme = text.substr(0, scheme_end);
  if (!equals_ignore_case(scheme, "http") && !equals_ignore_case(scheme, "https")) {
    return refused(text, "only http and https are supported");
  }
  url.https = scheme.size() == 5;
  url.port = url.https ? 443 : 80;
  std::string_view rest = text.substr(scheme_end + 3);
  if (rest.find('#') != std::string_view::npos)
    return refused(text, "a fragment has no meaning here");
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, authority_end);
  if (authority.find('@') != std::string_view::npos) {
    return refused(text, "user and password belong into a header, as a secret");
  }
  WEIR_CHECK(parse_authority(text, authority, url));
  rest.remove_prefix(authority_end);
  const std::size_t question = std::min(rest.find('?'), rest.size());
  url.path = rest.substr(0, question);
  if (question < rest.size()) url.query = rest.substr(question + 1);
  return url;
}

std::string join_paths(std::string_view prefix, std::string_view path) {
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (path.starts_with('/') || path.starts_with('?')) {
    std::string joined{prefix};
    if (prefix.empty() && path.starts_with('?')) joined = "/";
    return joined.append(path);
  }
  if (path.empty()) return prefix.empty() ? "/" : std::string{prefix};
  return fmt::format("{}/{}", prefix, path);
}

}  // namespace weir::net
