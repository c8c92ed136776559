// SPDX-License-Identifier: Apache-2.0
// The rules of one policy, in a configuration that is right otherwise. A policy that extends it and
// adds nothing means the same, and so does one that is used by its own name.
#include "input.h"
#include "whole_config.h"

namespace {

std::string config_with(std::string_view rules, std::string_view used) {
  std::string text =
      "version: 1\nlisten: { http: 127.0.0.1:8600 }\ndata: ./d\nstreams: { s: { retention: 7d } }\n"
      "dependencies: { d: { url: http://127.0.0.1:9900, capacity: 300/s, policy: ";
  text.append(used).append(
      " } }\nflows: { f: { from: { stream: s }, to: { http: { dependency: d } },");
  text.append(" policy: ")
      .append(used)
      .append(" } }\npolicies:\n  heir: { extends: base }\n  base:\n");
  while (!rules.empty()) text.append("    ").append(weir::fuzz::take_line(rules)).append("\n");
  return text;
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  if (text.size() > 16 * 1024) return;
  const auto own = weir::fuzz::load_whole(config_with(text, "base"));
  const auto heir = weir::fuzz::load_whole(config_with(text, "heir"));
  if (own.config) WEIR_ASSERT(own.config == heir.config);
}
