// SPDX-License-Identifier: Apache-2.0
#include "app/egress_gate.h"

#include <algorithm>

#include "base/seeded_bug.h"
#include "net/own_addresses.h"

namespace weir::app {

EgressGate::EgressGate() : rules_(std::make_shared<Rules>()) {}

void EgressGate::apply(const Config& config) {
  rules_->egress = policy::Egress(config.egress);
  rules_->egress.set_own(rules_->own_hosts, rules_->own_port);
  rules_->dependencies.clear();
  for (const DependencySpec& dependency : config.dependencies) {
    const auto url = net::parse_url(dependency.url);
    if (url.ok()) rules_->dependencies.push_back(*url);
  }
}

void EgressGate::set_own(std::string host, std::uint16_t port) {
  const bool everywhere = host == "0.0.0.0" || host == "::";
  rules_->own_hosts = everywhere ? net::addresses_of_this_machine() : std::vector{std::move(host)};
  rules_->own_port = port;
  rules_->egress.set_own(rules_->own_hosts, port);
}

net::EgressCheck EgressGate::for_dependency(const net::Url& url) const {
  return [rules = rules_, listed = policy::is_loopback_host(url.host)](const net::IpAddress& to) {
    return rules->egress.refusal(to.text, to.port, listed);
  };
}

net::EgressCheck EgressGate::for_plan(const net::Url& url) const {
  return [rules = rules_, host = url.host, port = url.port](const net::IpAddress& to) {
    const bool listed = policy::is_loopback_host(host) &&
                        std::ranges::any_of(rules->dependencies, [&](const net::Url& known) {
                          return known.host == host &&
                                 (known.port == port ||
                                  WEIR_SEEDED_BUG("egress.any_port_of_a_host"));
                        });
    return rules->egress.refusal(to.text, to.port, listed);
  };
}

}  // namespace weir::app
