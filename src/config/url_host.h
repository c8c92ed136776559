// SPDX-License-Identifier: Apache-2.0
// The host and the port that a dependency's url names, for checks before anything connects.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::config {

struct HostText {
  std::string_view host;  // without brackets
  bool bracketed = false;
  std::uint16_t port = 0;  // 0: none is written
};

// Of "host", "host:port" or "[v6]:port"; total, whatever the text.
HostText host_text(std::string_view authority);
// The same of "scheme://authority/path", with the scheme's port if none is written.
HostText host_of_url(std::string_view url);

}  // namespace weir::config
