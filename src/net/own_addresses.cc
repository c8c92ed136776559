// SPDX-License-Identifier: Apache-2.0
#include "net/own_addresses.h"

#include <array>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace weir::net {

std::vector<std::string> addresses_of_this_machine() {
  std::vector<std::string> found;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return found;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    const int family = one->ifa_addr == nullptr ? AF_UNSPEC : one->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    const auto size = static_cast<socklen_t>(family == AF_INET ? sizeof(sockaddr_in)
                                                               : sizeof(sockaddr_in6));
    std::array<char, NI_MAXHOST> text{};
    const int failed = ::getnameinfo(one->ifa_addr, size, text.data(), text.size(), nullptr, 0,
                                     NI_NUMERICHOST);
    if (failed == 0) found.emplace_back(text.data());
  }
  ::freeifaddrs(list);
  return found;
}

}  // namespace weir::net
