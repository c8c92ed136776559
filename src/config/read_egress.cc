// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/sections.h"
#include "config/url_host.h"
#include "policy/egress.h"

namespace weir::config {
namespace {

constexpr std::size_t kBlocksMax = 256;  // per list: each is looked at for every new connection

void read_blocks(MapReader& map, std::string_view key, std::vector<std::string>& into) {
  map.strings(key, into);
  if (into.size() > kBlocksMax)
    map.problem(key, fmt::format("'{}' has more than {} blocks", key, kBlocksMax));
  for (const std::string& text : into) {
    if (policy::parse_block(text)) continue;
    map.problem(key, fmt::format("'{}' is no address block", printable(text)),
                "for example 10.0.0.0/8, 192.0.2.7 or fd00::/8, with zeros after the prefix");
  }
}

}  // namespace

EgressSpec read_egress(MapReader map) {
  EgressSpec egress;
  read_blocks(map, "allow", egress.allow);
  read_blocks(map, "deny", egress.deny);
  map.finish();
  return egress;
}

std::string egress_fault(const Config& config, bool listens, const DependencySpec& dependency) {
  const HostText at = host_of_url(dependency.url);
  const bool loopback = policy::is_loopback_host(at.host);
  const std::string address = equals_ignore_case(at.host, "localhost") ? "127.0.0.1"
                                                                       : std::string(at.host);
  if (!policy::parse_ip(address)) return {};  // a name is judged when it is connected to
  policy::Egress egress(config.egress);
  if (listens && config.listen_port != 0) egress.set_own({config.listen_host}, config.listen_port);
  return egress.refusal(address, at.port, loopback);
}

}  // namespace weir::config
