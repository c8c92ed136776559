// SPDX-License-Identifier: Apache-2.0
// The HTTP face of the effect gateway: any method on /effects/{dependency}/{path}. It belongs to
// handlers, who show the Weir-Token of their delivery, and not to the API's routes. What Weir says
// itself is an RFC 9457 problem; `Weir-Effect` says what became of the effect either way.
#pragma once

#include <optional>
#include <string_view>

#include "async/task.h"
#include "effects/gateway.h"
#include "net/http_message.h"

namespace weir::api {

bool is_effect_call(std::string_view path);

// Before the body has come: what is said to whoever shows no token of a running attempt.
std::optional<net::HttpResponse> screen_effect(const policy::RunningAttempts& running,
                                               const net::HttpRequest& request);

// What a request asks of the gateway. Errors: not_found, invalid_argument (dot segments, a key or a
// name that is too long or not printable), effect_token_unknown without a token,
// method_not_allowed for CONNECT and TRACE.
Result<effects::EffectRequest> read_effect_request(net::HttpRequest request);

async::Task<net::HttpResponse> call_effect(effects::Gateway& gateway, net::HttpRequest request);

}  // namespace weir::api
