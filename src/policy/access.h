// SPDX-License-Identifier: Apache-2.0
// Which roles may do what: one table, a row per kind of route. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/access.h"

namespace weir::policy {

// Who a token or a certificate belongs to, and what a token is called: letters, digits and . _ - @,
// at most 64. Nothing of it can end a quotation or look like another name.
bool is_subject(std::string_view text);

enum class Need : std::uint8_t {
  open,        // anybody, without a token: probes and the API's own description
  read,        // states, histories and numbers; no payload, and no question about one
  operate,     // pause, replay, settle quarantine, control breakers; payloads
  approve,     // say yes to what somebody else wants to do
  administer,  // configuration, tokens, forgetting a flow
  produce,     // publish events
  work,        // pull deliveries, call effects
};

std::string_view to_text(Need need);
// The roles that meet a need; for `open` nobody is asked.
RoleSet roles_for(Need need);
bool may(RoleSet roles, Need need);

// Which of a caller's limits to streams and flows a route can honour.
enum class Reach : std::uint8_t {
  stream,   // one stream, named in the path or the query: out of scope is as if it did not exist
  flow,     // one flow, likewise
  listing,  // leaves out what is out of scope
  whole,    // everything: not for callers who are limited
};

// What a limited caller can reach through it: "its streams", "no".
std::string_view to_text(Reach reach);

}  // namespace weir::policy
