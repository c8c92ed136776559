// SPDX-License-Identifier: Apache-2.0
// Callers of a dependency, directly or through the effect gateway: each posts one small request
// after another, every one an effect of its own. Prints one line of JSON.
#include <cstdio>

#include "measure.h"
#include "options.h"
#include "posters.h"

namespace weir::bench {
namespace {

constexpr std::string_view kPaymentBody = R"({"amount":1200,"currency":"EUR"})";

class Callers {
 public:
  explicit Callers(const Options& options)
      : left_(options.number("calls", 1, 100'000'000)),
        path_(options.text("path")),
        token_(options.text("token")),
        posters_(static_cast<std::uint16_t>(options.number("port", 1, 65535)),
                 static_cast<std::uint32_t>(options.number("connections", 1, 1024)),
                 [this](std::uint32_t connection, int status, std::string_view body) {
                   answered(connection, status, body);
                 }) {
    since_.resize(posters_.size());
    latencies_.reserve(static_cast<std::size_t>(left_));
  }

  void run() {
    const double wall = wall_seconds();
    const std::int64_t began = monotonic_micros();
    const std::int64_t calls = left_;
    for (std::uint32_t connection = 0; connection < posters_.size(); ++connection) call(connection);
    while (latencies_.count() < static_cast<std::size_t>(calls)) posters_.wait(-1);
    const double seconds = static_cast<double>(monotonic_micros() - began) / 1e6;
    std::printf(
        R"({"calls":%lld,"rate":%.0f,"p50_ms":%.3f,"p99_ms":%.3f,"began":%.3f,"ended":%.3f})"
        "\n",
        static_cast<long long>(calls), static_cast<double>(calls) / seconds,
        latencies_.millis_at(0.5), latencies_.millis_at(0.99), wall, wall_seconds());
  }

 private:
  void call(std::uint32_t connection) {
    if (left_ == 0) return;
    std::string head = "POST " + path_ + " HTTP/1.1\r\nHost: bench\r\n";
    head += "Content-Type: application/json\r\nWeir-Effect: payment-" + std::to_string(left_--);
    head += "\r\nWeir-Token: " + token_;
    head += "\r\nContent-Length: " + std::to_string(kPaymentBody.size()) + "\r\n\r\n";
    since_[connection] = monotonic_micros();
    posters_.post(connection, head, kPaymentBody);
  }

  void answered(std::uint32_t connection, int status, std::string_view body) {
    errno = 0;
    if (status != 200 && status != 204)
      fail("status " + std::to_string(status) + ": " + std::string(body.substr(0, 1000)));
    latencies_.add(monotonic_micros() - since_[connection]);
    call(connection);
  }

  std::int64_t left_;
  std::string path_;
  std::string token_;
  Posters posters_;
  std::vector<std::int64_t> since_;
  Durations latencies_;
};

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  const Options options(argc, argv,
                        {{"port", "18680"},
                         {"path", "/effects/receiver/payments"},
                         {"token", "-"},
                         {"connections", "32"},
                         {"calls", "50000"}});
  Callers(options).run();
  return 0;
}
