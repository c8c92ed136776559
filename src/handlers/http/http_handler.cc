// SPDX-License-Identifier: Apache-2.0
#include "handlers/http/http_handler.h"

#include "base/seeded_bug.h"
#include "wire/cloudevents.h"
#include "wire/trace_context.h"

namespace weir::handlers::http {
namespace {

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

class HttpHandler final : public ports::Handler {
 public:
  explicit HttpHandler(HttpHandlerOptions options) : options_(std::move(options)) {
    append_line(constant_, "User-Agent", options_.user_agent);
    for (const auto& [name, value] : options_.headers) append_line(constant_, name, value);
  }

  async::Task<Outcome> invoke(const ports::Invocation& call) override {
    const std::string headers = header_lines(call);
    co_return co_await options_.pool->call(net::HttpCall{.method = "POST",
                                                         .target = options_.target,
                                                         .headers = headers,
                                                         .body = call.event.data,
                                                         .deadline = call.deadline,
                                                         .burst = call.burst});
  }

 private:
  std::string header_lines(const ports::Invocation& call) const {
    std::string lines;
    lines.reserve(constant_.size() + 640);
    lines += constant_;
    wire::append_binary_headers(lines, call.event);
    append_line(lines, "traceparent", call.traceparent);
    if (!call.tracestate.empty()) append_line(lines, "tracestate", call.tracestate);
    // Baggage comes from a producer: only members that are well-formed are passed on.
    if (const Extension* carried = call.event.find_extension("baggage")) {
      const std::string baggage = wire::passable_baggage(carried->value);
      if (!baggage.empty()) append_line(lines, "baggage", baggage);
    }
    lines += "Idempotency-Key: \"";  // an sf-string, as the IETF draft has it
    lines += WEIR_SEEDED_BUG("handler.first_key_after_edit") ? call.first_key
                                                             : call.idempotency_key;
    lines += "\"\r\n";
    append_line(lines, "Weir-Flow", call.flow);
    append_line(lines, "Weir-Attempt", fmt::format_int(call.attempt).c_str());
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(call.timeout).count();
    append_line(lines, "Weir-Timeout-Ms", fmt::format_int(millis).c_str());
    if (!call.replay.empty()) append_line(lines, "Weir-Replay", call.replay);
    if (call.revision > 1) {
      append_line(lines, "Weir-Revision", fmt::format_int(call.revision).c_str());
      append_line(lines, "Weir-Edit-Of", call.first_key);
    }
    if (!call.token.empty()) append_line(lines, "Weir-Token", call.token);
    if (call.headers != nullptr) {
      for (const auto& [name, value] : *call.headers) append_line(lines, name, value);
    }
    return lines;
  }

  HttpHandlerOptions options_;
  std::string constant_;
};

}  // namespace

std::unique_ptr<ports::Handler> make_http_handler(HttpHandlerOptions options) {
  return std::make_unique<HttpHandler>(std::move(options));
}

}  // namespace weir::handlers::http
