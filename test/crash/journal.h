// SPDX-License-Identifier: Apache-2.0
// What the outside saw: every call that reached the handler, every answer a client or an operator
// got. Plain bytes, so that it can lie in memory shared with a process that dies.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "base/time.h"

namespace weir::crash {

inline constexpr std::uint32_t kCallsMax = 4096;
inline constexpr std::uint32_t kEvents = 24;

enum class FlowName : std::uint8_t { orders, feed };

struct Call {
  FlowName flow = FlowName::orders;
  std::uint32_t event = 0;
  std::uint32_t attempt = 0;
  std::uint32_t replay = 0;  // 0 = none
  std::uint32_t life = 0;
  int status = 0;
  bool settled = false;  // of a replay: durably, as whoever waits for it was told
  bool late = false;     // it came although that had been told of an earlier one
  MonoTime at{};
  std::array<char, 32> key{};
};

// What the bank did under one key.
struct Payment {
  std::uint32_t event = 0;  // 0 = no entry
  std::uint32_t calls = 0;
  std::uint32_t executed = 0;
  bool heard = false;  // the handler was told that it happened
  std::array<char, 32> key{};
};
inline constexpr std::uint32_t kPaymentsMax = 64;

struct Journal {
  std::uint32_t count = 0;
  std::array<Call, kCallsMax> calls{};
  std::uint32_t life = 0;    // process lives so far
  std::uint32_t step = 0;    // of the script, acknowledged
  bool fixed = false;        // the handler was repaired
  int health = 200;          // what the service says of itself; 0 = it does not answer
  Duration wall_ahead{};     // the machine's wall clock was set by so much
  std::uint64_t sent = 0;    // by the replay that stands still
  std::uint32_t poison = 0;  // the event in flow orders whose call ends the process; 0 = none
  std::array<bool, kEvents + 1> acknowledged{};
  std::uint32_t refused = 0;  // publishes that were refused for want of space
  std::array<Payment, kPaymentsMax> payments{};
  MonoTime now{};  // the clock of the next life starts here
};
static_assert(std::is_trivially_copyable_v<Journal>);

}  // namespace weir::crash
