// SPDX-License-Identifier: Apache-2.0
// The shape of URIs (RFC 3986), as far as CloudEvents attributes need it.
#pragma once

#include <string_view>

namespace weir::wire {

// A URI or a relative reference: only characters of a URI, whole percent escapes, at most one '#',
// brackets only around a host, and no colon in the first segment unless a scheme ends there.
// Characters beyond ASCII pass (they make it an IRI, RFC 3987): producers send them, and nothing
// here resolves references. Empty text is a valid reference.
bool is_uri_reference(std::string_view text);

// The same, with a scheme. A fragment is allowed.
bool is_absolute_uri(std::string_view text);

}  // namespace weir::wire
