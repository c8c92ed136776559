// SPDX-License-Identifier: Apache-2.0
#include "net/client_connection.h"

#include "base/assert.h"
#include "base/seeded_bug.h"

namespace weir::net {
namespace {

constexpr std::size_t kInputMax = 64 * 1024;

}  // namespace

ClientConnection::ClientConnection(std::unique_ptr<Stream> stream, const AnswerLimits& limits,
                                   async::Clock& clock)
    : stream_(std::move(stream)),
      parser_(limits),
      input_(std::max(kInputMax, 2 * limits.header_bytes)),
      clock_(clock) {}

void ClientConnection::stop(StopCause cause) {
  if (stop_ == StopCause::none) stop_ = cause;
  reusable_ = false;
  stream_->close();
}

Outcome ClientConnection::stopped_or(Fault fault, Phase phase, std::string detail) const {
  Outcome outcome;
  outcome.phase = phase;
  outcome.fault = fault;
  outcome.fault_detail = std::move(detail);
  if (stop_ == StopCause::none) return outcome;
  if (stop_ == StopCause::deadline) {
    outcome.fault = Fault::timeout;
    outcome.fault_detail = phase == Phase::notSent ? "no time left to send the request"
                                                   : "no complete answer in time";
  } else if (stop_ == StopCause::connectDeadline) {
    outcome.fault = Fault::connectTimeout;
    outcome.fault_detail = "no connection in time";
  } else {
    outcome.fault = Fault::cancelled;
    outcome.fault_detail = "cancelled";
  }
  return outcome;
}

async::Task<Outcome> ClientConnection::connect(std::vector<IpAddress> addresses,
                                               const EgressCheck& egress) {
  WEIR_ASSERT(!addresses.empty());
  ConnectResult last;
  for (const IpAddress& address : addresses) {
    const bool asks = egress && !WEIR_SEEDED_BUG("egress.by_name_only");
    const std::string why_not = asks ? egress(address) : std::string{};
    if (!why_not.empty()) {
      if (last.fault == Fault::none) last = {Fault::egressRefused, why_not};
      continue;
    }
    last = co_await stream_->connect(address);
    if (stop_ != StopCause::none) break;
    if (last.fault == Fault::none) {
      reusable_ = true;
      co_return Outcome{};
    }
    // What answered at this address is the peer: another address would not make its certificate
    // better.
    if (last.fault == Fault::tlsVerify || last.fault == Fault::tlsHandshake) break;
    stream_->close();
  }
  co_return stopped_or(last.fault, Phase::notSent, std::move(last.detail));
}

async::Task<Outcome> ClientConnection::exchange(std::string_view head, std::string_view body) {
  reusable_ = false;
  parser_.restart(head.starts_with("HEAD "));
  Transfer sent = stream_->write_now(head, body);
  if (sent.end == StreamEnd::none && sent.bytes < head.size() + body.size()) {
    const std::size_t of_head = std::min(sent.bytes, head.size());
    const Transfer rest = co_await stream_->write(head.substr(of_head),
                                                  body.substr(sent.bytes - of_head));
    sent = Transfer{sent.bytes + rest.bytes, rest.end, rest.error};
  }
  if (sent.end != StreamEnd::none && sent.bytes == 0) {
    co_return stopped_or(Fault::sendFailed, Phase::notSent, "send: " + sent.error);
  }
  const MonoTime sent_at = clock_.mono();
  if (stop_ == StopCause::none) co_await receive();
  Outcome outcome = result(sent);
  outcome.waited = clock_.mono() - sent_at;
  co_return outcome;
}

Outcome ClientConnection::result(const Transfer& sent) {
  if (parser_.state() == ParseState::done) return answered();
  if (sent.end != StreamEnd::none)
    return stopped_or(Fault::sendFailed, Phase::maybeSeen, "send: " + sent.error);
  if (parser_.state() == ParseState::failed)
    return stopped_or(parser_.fault(), Phase::maybeSeen, parser_.failure());
  return stopped_or(Fault::connectionClosed, Phase::maybeSeen,
                    "no complete answer: " + end_detail_);
}

// Reads until the parser has an answer, refuses one, or the peer ends the connection. A peer that
// answers without reading the whole request and closes (413) makes sending fail, but its answer can
// still be read.
async::Task<> ClientConnection::receive() {
  while (stop_ == StopCause::none) {
    const std::span<char> space = input_.space();
    if (space.empty()) break;
    const Transfer got = co_await stream_->read_some(space);
    if (got.end != StreamEnd::none) {
      // Without an orderly end (reset, TLS cut off) an answer delimited by the end of the
      // connection is not complete.
      if (got.end == StreamEnd::eof) parser_.finish();
      end_detail_ = got.error;
      co_return;
    }
    input_.commit(got.bytes);
    const std::size_t used = parser_.feed(input_.content());
    input_.consume(used);
    const ParseState state = parser_.state();
    if (state == ParseState::failed) co_return;
    if (state != ParseState::done) continue;
    if (!input_.empty() && !parser_.answer().body_left_out) parser_.refuse_surplus();
    reusable_ = parser_.keep_alive();
    co_return;
  }
}

Outcome ClientConnection::answered() {
  Answer& answer = parser_.answer();
  Outcome outcome;
  outcome.status = answer.status;
  outcome.headers = std::move(answer.headers);
  outcome.body = std::move(answer.body);
  outcome.body_left_out = answer.body_left_out;
  return outcome;
}

}  // namespace weir::net
