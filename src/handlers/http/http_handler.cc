// SPDX-License-Identifier: Apache-2.0
#include "handlers/http/http_handler.h"

#include <algorithm>

#include "wire/cloudevents.h"

namespace weir::handlers::http {
namespace {

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

// Fit for a header as it is. Baggage comes from a producer; percent-encoding is its business (W3C
// Baggage).
bool is_printable_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
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
                                                         .deadline = call.deadline});
  }

 private:
  std::string header_lines(const ports::Invocation& call) const {
    std::string lines;
    lines.reserve(constant_.size() + 640);
    lines += constant_;
    wire::append_binary_headers(lines, call.event);
    append_line(lines, "traceparent", call.traceparent);
    if (!call.tracestate.empty()) append_line(lines, "tracestate", call.tracestate);
    const Extension* baggage = call.event.find_extension("baggage");
    if (baggage != nullptr && is_printable_ascii(baggage->value))
      append_line(lines, "baggage", baggage->value);
    lines += "Idempotency-Key: \"";  // an sf-string, as the IETF draft has it
    lines += call.idempotency_key;
    lines += "\"\r\n";
    append_line(lines, "Weir-Flow", call.flow);
    append_line(lines, "Weir-Attempt", fmt::format_int(call.attempt).c_str());
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(call.timeout).count();
    append_line(lines, "Weir-Timeout-Ms", fmt::format_int(millis).c_str());
    if (!call.replay.empty()) append_line(lines, "Weir-Replay", call.replay);
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
