// SPDX-License-Identifier: Apache-2.0
// The egress rules of the configuration in force, as the question that every new connection asks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/config_model.h"
#include "net/stream.h"
#include "net/url.h"
#include "policy/egress.h"

namespace weir::app {

// Used on one thread. The checks that it hands out may outlive it and follow every apply().
class EgressGate {
 public:
  EgressGate();
  void apply(const Config& config);
  // Once it is known; stays over apply(). An unspecified host stands for every address that this
  // machine has now.
  void set_own(std::string host, std::uint16_t port);

  // For the calls to a dependency: its own line in the configuration lists a loopback address.
  net::EgressCheck for_dependency(const net::Url& url) const;
  // For a URL that came over the API: loopback only where a dependency has the same host and port.
  net::EgressCheck for_plan(const net::Url& url) const;

 private:
  struct Rules {
    policy::Egress egress;
    std::vector<net::Url> dependencies;
    std::vector<std::string> own_hosts;
    std::uint16_t own_port = 0;
  };
  std::shared_ptr<Rules> rules_;
};

}  // namespace weir::app
