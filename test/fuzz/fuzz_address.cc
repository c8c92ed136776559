// SPDX-License-Identifier: Apache-2.0
// URLs, hosts, addresses and blocks. Whoever checks a host and whoever connects to it must read
// the same, and addresses are read as the C library reads them.
#include <arpa/inet.h>
#include <cstring>
#include <string>

#include "base/assert.h"
#include "base/text.h"
#include "config/url_host.h"
#include "input.h"
#include "net/url.h"
#include "policy/address_block.h"
#include "policy/ip_address.h"
#include "wire/host_name.h"
#include "wire/uri.h"

namespace {

void check_url(std::string_view text) {
  const auto url = weir::net::parse_url(text);
  if (!url.ok()) return;
  const bool v6 = url->host.find(':') != std::string::npos;
  WEIR_ASSERT(weir::wire::host_fault(url->host, v6).empty());
  WEIR_ASSERT(url->port != 0);
  std::string again = url->https ? "https://" : "http://";
  again += url->authority() + url->path;
  if (!url->query.empty()) again += "?" + url->query;
  const auto reread = weir::net::parse_url(again);
  WEIR_ASSERT(reread.ok() && *reread == *url);
  // The configuration takes no query in a dependency's url.
  const auto checked = weir::config::host_of_url(
      std::string_view(again).substr(0, again.find('?')));
  WEIR_ASSERT(checked.host == url->host && checked.port == url->port && checked.bracketed == v6);
}

void check_ip(std::string_view text) {
  const auto ip = weir::policy::parse_ip(text);
  const std::string terminated(text);
  const bool terminates = text.find('\0') == text.npos;
  std::array<std::uint8_t, 16> expected{};
  const bool v4 = terminates && inet_pton(AF_INET, terminated.c_str(), expected.data()) == 1;
  const bool v6 = terminates && !v4 &&
                  inet_pton(AF_INET6, terminated.c_str(), expected.data()) == 1;
  WEIR_ASSERT(ip.has_value() == (v4 || v6));
  if (!ip) return;
  WEIR_ASSERT(ip->v6 == v6 && ip->bytes == expected);
}

void check_block(std::string_view text) {
  const auto block = weir::policy::parse_block(text);
  if (!block) return;
  WEIR_ASSERT(block->bits >= 0 && block->bits <= (block->address.v6 ? 128 : 32));
  WEIR_ASSERT(weir::policy::contains(*block, block->address));
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  check_url(text);
  check_url("http://" + std::string(text));
  check_ip(text);
  check_block(text);
  (void)weir::config::host_text(text);
  if (weir::wire::is_absolute_uri(text)) WEIR_ASSERT(weir::wire::is_uri_reference(text));
}
