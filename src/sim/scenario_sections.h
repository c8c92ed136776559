// SPDX-License-Identifier: Apache-2.0
// One reader per section of a scenario. Each reports what is wrong and goes on.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/reader.h"
#include "config/sections.h"
#include "sim/read_scenario.h"

namespace weir::sim {

// The policies of a scenario by name, and the one for whoever names none.
struct Policies {
  std::map<std::string, config::PolicySpec> named;
  config::PolicySpec fallback;
  std::vector<std::unique_ptr<config::YamlNode>> merged;  // owns what extends another

  std::vector<std::string> names() const;
  // What `policy:` of this map says: a name, or the policy itself.
  config::PolicySpec chosen(config::MapReader& map) const;
};

// `policies:` and `policy:`.
Policies read_policies(config::MapReader& top);
// After a configuration was taken over, its dependencies are there already.
void read_dependencies(config::MapReader& top, const Policies& policies, Scenario& into);
ServerSpec read_server(config::MapReader map, double declared_capacity, const Scenario& names);
// Likewise its flows.
void read_load(config::MapReader& top, const Policies& policies, const Surroundings& around,
               Scenario& into);
void read_faults(config::MapReader& top, Scenario& into);
void read_expect(config::MapReader& top, Scenario& into);

// "20%" or 0.2.
void share(config::MapReader& map, std::string_view key, double& into, double most = 1);
std::optional<double> parse_share(std::string_view text);
// The place of the one with this name; a problem at `key` if there is none.
std::optional<std::size_t> find_named(config::MapReader& map, std::string_view key,
                                      std::string_view kind, const std::vector<std::string>& names);
std::vector<std::string> dependency_names(const Scenario& scenario);
std::vector<std::string> flow_names(const Scenario& scenario);

}  // namespace weir::sim
