// SPDX-License-Identifier: Apache-2.0
#include "config/diff.h"

#include <algorithm>

#include <fmt/format.h>

namespace weir::config {
namespace {

template <class Spec>
void compare(std::string& out, std::string_view kind, const std::vector<Spec>& before,
             const std::vector<Spec>& after) {
  for (const Spec& spec : before) {
    const auto same = std::ranges::find(after, spec.name, &Spec::name);
    if (same == after.end()) {
      out += fmt::format("{} {} removed\n", kind, spec.name);
    } else if (!(*same == spec)) {
      out += fmt::format("{} {} changed\n", kind, spec.name);
    }
  }
  for (const Spec& spec : after) {
    if (std::ranges::find(before, spec.name, &Spec::name) == before.end()) {
      out += fmt::format("{} {} added\n", kind, spec.name);
    }
  }
}

}  // namespace

std::string diff(const Config& before, const Config& after) {
  std::string out;
  const bool moved = before.listen_host != after.listen_host ||
                     before.listen_port != after.listen_port ||
                     before.listen_tls.certificate.empty() != after.listen_tls.certificate.empty();
  if (moved) out += "listen changed (takes effect at the next start)\n";
  if (!moved && !(before.listen_tls == after.listen_tls)) out += "listen.tls changed\n";
  if (before.access.open != after.access.open)
    out += "access.open changed (takes effect at the next start)\n";
  if (before.access.certificates != after.access.certificates)
    out += "access.certificates changed\n";
  if (!(before.approvals == after.approvals)) out += "approvals changed\n";
  if (before.data != after.data) out += "data changed (takes effect at the next start)\n";
  if (before.limits.disk_free_min_bytes != after.limits.disk_free_min_bytes)
    out += "limits.diskFreeMin changed (takes effect at the next start)\n";
  LimitsSpec served = after.limits;
  served.disk_free_min_bytes = before.limits.disk_free_min_bytes;
  if (!(before.limits == served)) out += "limits changed\n";
  if (!(before.quarantine == after.quarantine)) out += "quarantine changed\n";
  if (!(before.redaction == after.redaction)) out += "redaction changed\n";
  if (!(before.egress == after.egress)) out += "egress changed\n";
  if (!(before.encryption == after.encryption)) out += "encryption changed\n";
  compare(out, "stream", before.streams, after.streams);
  compare(out, "dependency", before.dependencies, after.dependencies);
  compare(out, "flow", before.flows, after.flows);
  compare(out, "failure mode", before.failure_modes, after.failure_modes);
  return out;
}

}  // namespace weir::config
