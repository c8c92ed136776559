// SPDX-License-Identifier: Apache-2.0
#include "net/http_fetch.h"

#include <fmt/format.h>

#include "net/http_client.h"
#include "net/url.h"

namespace weir::net {
namespace {

Error unreachable(const Url& url, const Outcome& outcome) {
  const std::string what = fmt::format("{}: {}", url.address(), outcome.fault_detail);
  if (outcome.fault == Fault::egressRefused)
    return Error{Code::egress_refused, what, "the administrator can list it in `egress.allow`"};
  if (outcome.fault == Fault::refused) {
    return Error{Code::server_unreachable, what,
                 "is Weir running? start it with `weir serve`, or name it with --server"};
  }
  if (outcome.phase == Phase::notSent)
    return Error{Code::server_unreachable, what, "check the address in --server"};
  return Error{Code::server_unreachable, what,
               "the request may have been carried out; look before you repeat it"};
}

HttpResponse to_response(Outcome outcome) {
  HttpResponse response;
  response.status = outcome.status;
  response.body = std::move(outcome.body);
  for (auto& [name, value] : outcome.headers)
    response.headers.push_back({std::move(name), std::move(value)});
  return response;
}

HttpClientOptions one_call(const Url& url, const FetchRequest& request) {
  HttpClientOptions options;
  options.url = url;
  options.ca_file = request.ca_file;
  options.connections = 1;
  options.connect_timeout = std::min<Duration>(request.timeout, std::chrono::seconds(5));
  options.egress = request.egress;
  options.answer.body_bytes = request.answer_bytes_max;
  options.answer.kept_bytes = request.answer_bytes_max;
  options.answer.keep_success_body = true;
  return options;
}

}  // namespace

async::Task<Result<HttpResponse>> fetch(async::Executor executor, async::Clock& clock,
                                        FetchRequest request) {
  WEIR_CO_TRY(const Url url, parse_url(request.url));
  WEIR_CO_TRY(auto pool, HttpClientPool::open(executor, clock, one_call(url, request)));
  std::string target = url.path.empty() ? "/" : url.path;
  if (!url.query.empty()) target += "?" + url.query;
  std::string lines;
  for (const HttpHeader& header : request.headers)
    lines += fmt::format("{}: {}\r\n", header.name, header.value);
  lines += "Connection: close\r\n";
  HttpCall call;
  call.method = request.method;
  call.target = target;
  call.headers = lines;
  call.body = request.body;
  call.deadline = clock.mono() + request.timeout;
  Outcome outcome = co_await pool->call(call);
  co_await pool->close();
  if (outcome.fault != Fault::none) co_return unreachable(url, outcome);
  co_return to_response(std::move(outcome));
}

}  // namespace weir::net
