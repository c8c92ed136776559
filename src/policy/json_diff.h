// SPDX-License-Identifier: Apache-2.0
// Where two JSON documents differ, as it may be shown. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/redaction.h"
#include "wire/json.h"

namespace weir::policy {

struct Change {
  std::string pointer;  // RFC 6901, into the data; of an attribute its name, without a slash
  std::string before;   // JSON text with masks; "" = was not there
  std::string after;    // "" = is not there any more
  bool hidden = false;  // what changed is redacted, or has something redacted in it
  bool masks = false;   // a mask stands where a value should: nobody knows what is meant
  bool operator==(const Change&) const = default;
};

// Names have no order; numbers are equal if they are spelt alike.
bool same_json(wire::Json a, wire::Json b);

// In the order of `after`, what is gone last; a value that is new or gone is one change. Both are
// JSON texts. Errors: those of parse_json().
Result<std::vector<Change>> json_diff(std::string_view before, std::string_view after,
                                      const Redaction& redaction);

// `edited` with the values of `original` wherever one is hidden and its mask stands unchanged at
// its place; otherwise byte for byte. Something else in its place is taken only if `revealed`: also
// the value itself, so that nobody can try values out. Errors: edit_hidden, those of parse_json().
Result<std::string> unmasked(std::string_view original, std::string_view edited,
                             const Redaction& redaction, bool revealed);
// Of a place that is redacted and would change.
Error hidden_would_change(std::string_view pointer);

}  // namespace weir::policy
