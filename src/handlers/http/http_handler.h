// SPDX-License-Identifier: Apache-2.0
// The HTTP handler contract: POST, CloudEvents binary mode, the data bytes unchanged, and beside
// the ce-* headers traceparent, tracestate, baggage, Idempotency-Key, Weir-Flow, Weir-Attempt,
// Weir-Timeout-Ms, Weir-Replay, and Weir-Revision with Weir-Edit-Of for an edited event.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/http_client.h"
#include "ports/handler.h"

namespace weir::handlers::http {

struct HttpHandlerOptions {
  std::shared_ptr<net::HttpClientPool> pool;  // the dependency's
  std::string target;  // origin form: prefix of the dependency plus path of the flow
  // Configured headers; they never replace one of the contract (config refuses those names).
  std::vector<std::pair<std::string, std::string>> headers;
  std::string user_agent;  // "weir/0.1.0"
};

std::unique_ptr<ports::Handler> make_http_handler(HttpHandlerOptions options);

}  // namespace weir::handlers::http
