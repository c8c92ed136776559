// SPDX-License-Identifier: Apache-2.0
// The addresses of one host. Answers of the system's resolver are kept for a short time, failures
// for a shorter one; concurrent askers share one look-up. Every answer starts with the next address
// in turn.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/clock.h"
#include "async/task.h"
#include "model/outcome.h"
#include "net/stream.h"

namespace weir::net {

struct Addresses {
  std::vector<IpAddress> list;  // at most kAddressesMax, never empty without a fault
  Fault fault = Fault::none;    // dnsTemporary, dnsNotFound
  std::string detail;
};

inline constexpr std::size_t kAddressesMax = 8;
inline constexpr Duration kAddressesKept = std::chrono::seconds(10);
inline constexpr Duration kNoAddressKept = std::chrono::seconds(1);

// Used on one thread. A look-up that hangs in the C library holds nobody up: askers leave at their
// deadline, and the object may be destroyed meanwhile (not while somebody asks).
class HostAddresses {
 public:
  // A literal address is its own answer.
  HostAddresses(async::Executor executor, async::Clock& clock, std::string host,
                std::uint16_t port);
  ~HostAddresses();
  async::Task<Addresses> get(MonoTime deadline);
  // The kept answer was of no use: ask again next time.
  void forget();
  // Sends everybody who waits home with dnsTemporary.
  void cancel();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace weir::net
