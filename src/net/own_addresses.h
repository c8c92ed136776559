// SPDX-License-Identifier: Apache-2.0
// The addresses of this machine's interfaces.
#pragma once

#include <string>
#include <vector>

namespace weir::net {

// As they are now, IPv4 and IPv6, link-local ones with their zone. Empty if the kernel does not
// tell.
std::vector<std::string> addresses_of_this_machine();

}  // namespace weir::net
