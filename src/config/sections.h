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
IdempotencySpec read_idempotency(MapReader map);
// `where`: the pattern is YAML; its JSON text is compiled, and its problems are shown where it
// stands.
void read_where(MapReader& map, std::string& into);
// `policy` and `stream` get the names referred to; they are looked up when everything is read.
DependencySpec read_dependency(MapReader& map, const std::string& name, std::string& policy);
FlowSpec read_flow(MapReader& map, const std::string& name, std::string& policy);
FailureModeSpec read_failure_mode(MapReader& map);
LimitsSpec read_limits(MapReader& map);
QuarantineSpec read_quarantine(MapReader map);
// The streams that its rules name are looked up when everything is read.
RedactionSpec read_redaction(MapReader map);
EditSpec read_edit(MapReader map);
EgressSpec read_egress(MapReader map);
// Why nothing may connect to the address that the dependency's url spells out; empty if it may, or
// if the url has a name. `listens`: the configuration says where; the command line may say
// something else where it does not.
std::string egress_fault(const Config& config, bool listens, const DependencySpec& dependency);
AccessSpec read_access(MapReader map);
ApprovalsSpec read_approvals(MapReader map);
ListenTlsSpec read_listen_tls(MapReader map);
EncryptionSpec read_encryption(MapReader map);

}  // namespace weir::config
