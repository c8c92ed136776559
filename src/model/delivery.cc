// SPDX-License-Identifier: Apache-2.0
#include "model/delivery.h"

#include <array>

#include "base/assert.h"
#include "base/bytes.h"

namespace weir {
namespace {

constexpr std::uint8_t kDeliveryVersion = 2;
constexpr std::array<std::string_view, 9> kDeliveryStates = {
    "ready", "inFlight", "waiting",  "held",     "quarantined",
    "done",  "filtered", "resolved", "discarded"};

void write_line(ByteWriter& out, const AttemptRecord& line) {
  out.varint(line.number);
  out.u64(static_cast<std::uint64_t>(to_micros(line.at)));
  out.varint(static_cast<std::uint64_t>(std::max<std::int64_t>(line.took.count(), 0)));
  out.varint(line.status);
  out.u8(static_cast<std::uint8_t>(line.fault));
  out.u8(static_cast<std::uint8_t>(line.failure));
  out.u8(static_cast<std::uint8_t>(line.decision));
  out.text(line.note);
  out.varint(line.replay.value);
}

bool read_line(ByteReader& in, AttemptRecord& line) {
  line.number = in.varint_as<std::uint32_t>();
  line.at = from_micros(static_cast<std::int64_t>(in.u64()));
  line.took = Duration{in.varint_as<std::int64_t>()};
  line.status = in.varint_as<std::uint16_t>();
  const std::uint8_t fault = in.u8();
  const std::uint8_t failure = in.u8();
  const std::uint8_t decision = in.u8();
  line.note = in.text();
  line.replay = ReplayId{in.varint_as<std::uint32_t>()};
  const bool known = fault < kFaultCount && failure < kFailureClassCount &&
                     decision <= static_cast<std::uint8_t>(DecisionKind::pauseFlow);
  if (!known || in.failed()) return false;
  line.fault = static_cast<Fault>(fault);
  line.failure = static_cast<FailureClass>(failure);
  line.decision = static_cast<DecisionKind>(decision);
  return true;
}

}  // namespace

std::string_view to_text(DeliveryState state) {
  const auto index = static_cast<std::size_t>(state);
  WEIR_ASSERT(index < kDeliveryStates.size());
  return kDeliveryStates[index];
}

std::optional<DeliveryState> parse_delivery_state(std::string_view text) {
  for (std::size_t i = 0; i < kDeliveryStates.size(); ++i) {
    if (kDeliveryStates[i] == text) return static_cast<DeliveryState>(i);
  }
  return std::nullopt;
}

void Delivery::add_history(AttemptRecord line) {
  if (history.size() == kHistoryMax) history.erase(history.begin() + 1);  // the first line stays
  history.push_back(std::move(line));
}

void write_terms(ByteWriter& out, const ReplayTerms& terms) {
  out.varint(terms.attempts);
  out.u8(terms.new_trace ? 1 : 0);
  out.varint(terms.strip.size());
  for (const std::string& name : terms.strip) out.text(name);
  out.varint(terms.headers.size());
  for (const auto& [name, value] : terms.headers) out.text(name), out.text(value);
}

bool read_terms(ByteReader& in, ReplayTerms& terms) {
  terms.attempts = in.varint_as<std::uint32_t>();
  terms.new_trace = in.u8() != 0;
  const std::uint64_t strip = in.varint();
  if (in.failed() || strip > kReplayHeadersMax) return false;
  terms.strip.resize(strip);
  for (std::string& name : terms.strip) name = in.text();
  const std::uint64_t headers = in.varint();
  if (in.failed() || headers > kReplayHeadersMax) return false;
  terms.headers.resize(headers);
  for (auto& [name, value] : terms.headers) {
    name = in.text();
    value = in.text();
  }
  return !in.failed();
}

std::string encode_delivery_details(const Delivery& delivery) {
  ByteWriter out;
  out.u8(kDeliveryVersion);
  for (const std::string* text : {&delivery.key, &delivery.event_id, &delivery.event_type,
                                  &delivery.reason, &delivery.failure_mode, &delivery.resolution}) {
    out.text(*text);
  }
  out.varint(delivery.history.size());
  for (const AttemptRecord& line : delivery.history) write_line(out, line);
  const bool has_terms = !(delivery.terms == ReplayTerms{});
  out.u8(has_terms ? 1 : 0);
  if (has_terms) write_terms(out, delivery.terms);
  return std::move(out).take();
}

Result<> decode_delivery_details(std::string_view blob, Delivery& into) {
  const Error damaged{Code::store_corrupt, "the details of a delivery are damaged",
                      "weir store check"};
  ByteReader in(blob);
  if (in.u8() != kDeliveryVersion) return damaged;
  for (std::string* text : {&into.key, &into.event_id, &into.event_type, &into.reason,
                            &into.failure_mode, &into.resolution}) {
    *text = in.text();
  }
  const std::uint64_t lines = in.varint();
  if (in.failed() || lines > kHistoryMax) return damaged;
  into.history.assign(lines, AttemptRecord{});
  for (AttemptRecord& line : into.history) {
    if (!read_line(in, line)) return damaged;
  }
  into.terms = {};
  if (in.u8() != 0 && !read_terms(in, into.terms)) return damaged;
  if (in.failed() || !in.at_end()) return damaged;
  return {};
}

}  // namespace weir
