// SPDX-License-Identifier: Apache-2.0
// Lets coroutines that begin together go on together: what each of them prepares is done before the
// first one goes on. On one thread.
#pragma once

#include <vector>

#include <boost/asio/any_completion_handler.hpp>

#include "async/task.h"

namespace weir::async {

class Burst {
 public:
  Burst() = default;
  Burst(const Burst&) = delete;
  Burst& operator=(const Burst&) = delete;

  void open() { open_ = true; }
  // Resumes whoever waits, in the order of arrival, inside this call.
  void close();
  // Returns when the burst is closed: at once if none is open.
  Task<> over();

 private:
  std::vector<boost::asio::any_completion_handler<void()>> waiting_;
  bool open_ = false;
};

}  // namespace weir::async
