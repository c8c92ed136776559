// SPDX-License-Identifier: Apache-2.0
// What `weir policy explain` asks the rules, and what they say. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/config_model.h"
#include "policy/classify.h"

namespace weir::app {

struct PolicyFlags {
  std::string status;
  std::string fault;
  std::string phase;
  std::string grpc;
  std::string aws;
  std::string sqlstate;
  std::string body;
  std::vector<std::string> headers;  // "Name: value"
};

struct PolicyQuestion {
  policy::Protocol protocol = policy::Protocol::http;
  std::string code;  // of grpc, aws or sql
  Outcome outcome;
};

// Error: usage, with what was meant.
Result<PolicyQuestion> parse_question(const PolicyFlags& flags);

// With `flow`, which belongs to `config`, also what would be decided after a first attempt.
std::string explain_policy_json(const PolicyQuestion& question, const Config& config,
                                const FlowSpec* flow, WallTime now);

// Every row of the table: {"rows": [...]}.
std::string class_table_json();

}  // namespace weir::app
