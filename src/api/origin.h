// SPDX-License-Identifier: Apache-2.0
// Open access is for this machine only; a browser on it still lets any web page send requests
// there, and would show a client certificate for any page, too. It names the page's site in Origin
// (RFC 6454, Fetch).
#pragma once

#include <string_view>

#include "base/result.h"

namespace weir::api {

// `origin` and `host` as the request has them, empty if it has none. Whatever is no browser sends
// no Origin and is let in; a page is, if it came from this very server under a name of this
// machine.
Result<> check_origin(std::string_view origin, std::string_view host);

}  // namespace weir::api
