// SPDX-License-Identifier: Apache-2.0
// `extends` among the policies of one file: a policy reads like its base with its own members put
// over it. Maps are merged member by member, everything else is replaced.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/reader.h"

namespace weir::config {

struct ExtendedPolicy {
  std::string name;
  std::string base;                    // "" = stands alone
  const YamlNode* node = nullptr;      // what it reads like, every value at its own place
  std::unique_ptr<YamlNode> merged{};  // owns `node` if it extends another
};

// Every base comes before what extends it. A base that is not among `policies` and a cycle are
// problems; what is in them stands alone. `policies` are the members of the section in this file.
std::vector<ExtendedPolicy> follow_extends(Report& report, const std::string& file,
                                           const std::vector<const YamlMember*>& policies);

}  // namespace weir::config
