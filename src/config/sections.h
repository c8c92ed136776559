// SPDX-License-Identifier: Apache-2.0
// One reader per section of the configuration. Each turns one named map into one spec and reports
// what is wrong.
#pragma once

#include <map>
#include <string>

#include "config/reader.h"
#include "model/config_model.h"

namespace weir::config {

// A policy as written: both sides' rules, and where it stands.
struct PolicySpec {
  FlowPolicy flow;
  DependencyPolicy dependency;
};

// What a name refers to, for messages about references.
struct Named {
  std::string file;
  YamlNode node;  // the value, for its place
};

StreamSpec read_stream(MapReader& map, const std::string& name);
PolicySpec read_policy(MapReader& map);
// The members of a policy that belong to the dependency's side.
DependencyPolicy read_guardrails(MapReader& map);
void read_mode(MapReader& map, Mode& into);
// `policy` and `stream` get the names referred to; they are looked up when everything is read.
DependencySpec read_dependency(MapReader& map, const std::string& name, std::string& policy);
FlowSpec read_flow(MapReader& map, const std::string& name, std::string& policy);
FailureModeSpec read_failure_mode(MapReader& map);
LimitsSpec read_limits(MapReader& map);
QuarantineSpec read_quarantine(MapReader map);
EncryptionSpec read_encryption(MapReader map);

}  // namespace weir::config
