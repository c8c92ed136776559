// SPDX-License-Identifier: Apache-2.0
#include "api/origin.h"

#include <algorithm>

#include "base/text.h"

namespace weir::api {
namespace {

// Names that no foreign site can have, whatever it does to its DNS records.
bool is_this_machine(std::string_view host) {
  const std::string_view name = host.substr(0, host.rfind(':'));
  constexpr std::string_view kNames[] = {"localhost", "127.0.0.1", "[::1]"};
  return std::ranges::any_of(kNames, [&](std::string_view known) {
    return equals_ignore_case(host, known) || equals_ignore_case(name, known);
  });
}

}  // namespace

Result<> check_origin(std::string_view origin, std::string_view host) {
  if (origin.empty()) return {};
  const bool ours = equals_ignore_case(origin, fmt::format("http://{}", host));
  if (ours && is_this_machine(host)) return {};
  return Error{Code::invalid_argument,
               fmt::format("a page of '{}' may not call this server", printable(origin)),
               "send no Origin header from programs; open pages under the address Weir listens on"};
}

}  // namespace weir::api
