// SPDX-License-Identifier: Apache-2.0
// One client connection: connect, then one exchange after another. It knows no deadlines: whoever
// owns it stops it when one has passed.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "async/clock.h"
#include "async/task.h"
#include "model/outcome.h"
#include "net/http_parser.h"
#include "net/input_buffer.h"
#include "net/stream.h"

namespace weir::net {

enum class StopCause : std::uint8_t { none, deadline, connectDeadline, cancelled };

class ClientConnection {
 public:
  // The clock measures how long the peer was waited for.
  ClientConnection(std::unique_ptr<Stream> stream, const AnswerLimits& limits, async::Clock& clock);

  // Tries the addresses in turn, without those that the rules forbid. Fault::none, or the last
  // failure with Phase::notSent: egressRefused if nothing was tried.
  async::Task<Outcome> connect(std::vector<IpAddress> addresses, const EgressCheck& egress = {});
  // Sends head and body, which must live until then, and reads the answer. Never fails: faults are
  // in the Outcome. A request of which the kernel took nothing is sendFailed and notSent.
  async::Task<Outcome> exchange(std::string_view head, std::string_view body);
  // Ends the running operation; the connection cannot be used again.
  void stop(StopCause cause);
  // After an exchange: both sides are ready for another one.
  bool is_reusable() const { return reusable_; }
  // Right before another one: neither closed nor with anything to read.
  bool is_quiet() { return reusable_ && stream_->is_quiet(); }
  // What the peer said about how long it keeps idle connections.
  std::optional<Duration> keep_alive_timeout() const { return parser_.keep_alive_timeout(); }

 private:
  async::Task<> receive();
  Outcome result(const Transfer& sent);
  Outcome stopped_or(Fault fault, Phase phase, std::string detail) const;
  Outcome answered();

  std::unique_ptr<Stream> stream_;
  AnswerParser parser_;
  InputBuffer input_;
  async::Clock& clock_;
  StopCause stop_ = StopCause::none;
  std::string end_detail_;
  bool reusable_ = false;
};

}  // namespace weir::net
