// SPDX-License-Identifier: Apache-2.0
// The host of a URL (RFC 3986 section 3.2.2): a name, an IPv4 address in four plain decimal parts,
// or an IPv6 address. The C library reads many more texts as IPv4 addresses ("127.1", "0x7f.1",
// "2130706433", "0177.0.0.1"); whoever checks a host and whoever connects to it must read the same,
// so none of these is a host here. The rule is that of WHATWG's URL standard: a host whose last
// label is a number is an IPv4 address or nothing.
#pragma once

#include <string_view>

namespace weir::wire {

// Why it is no host, for people ("is no plain IPv4 address; ..."); empty if it is one. `bracketed`:
// it stood in brackets, so it must be an IPv6 address, without zone.
std::string_view host_fault(std::string_view host, bool bracketed);

}  // namespace weir::wire
