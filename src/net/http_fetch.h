// SPDX-License-Identifier: Apache-2.0
// One request, one answer: the client of the command line and of a plan's checks. Redirects are
// answers like any other: nobody follows them.
#pragma once

#include <string>

#include "async/clock.h"
#include "async/task.h"
#include "base/result.h"
#include "net/http_message.h"
#include "net/stream.h"

namespace weir::net {

struct FetchRequest {
  std::string method = "GET";
  std::string url;
  HttpHeaders headers;  // without host and content-length
  std::string body;
  std::string ca_file;  // for https, besides the system's trust anchors
  Duration timeout = std::chrono::seconds(30);
  std::size_t answer_bytes_max = 64 * 1024 * 1024;
  EgressCheck egress;
};

// Any answer is a value, whatever its status. Errors: invalid_argument for a bad URL,
// egress_refused, server_unreachable (with a hint) when no complete answer came.
async::Task<Result<HttpResponse>> fetch(async::Executor executor, async::Clock& clock,
                                        FetchRequest request);

}  // namespace weir::net
