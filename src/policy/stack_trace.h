// SPDX-License-Identifier: Apache-2.0
// What was thrown, and where, if a body carries a stack trace: Python, Java and Kotlin, JavaScript,
// .NET, Go, Ruby, PHP and Rust. Also inside a JSON string.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::policy {

struct Thrown {
  std::string
      type;  // "KeyError", "java.lang.NullPointerException", "panic: index out of range [<n>]"
  std::string frame;  // "service.py:sync_ticket"; the innermost frame that is not of a library,
                      // without line number
  bool operator==(const Thrown&) const = default;
};

// nullopt without at least one stack frame and a type. Of a chain of causes, the last one printed
// that has frames. At most kOutcomeBodyMax bytes are read, in linear time.
std::optional<Thrown> find_thrown(std::string_view body);

}  // namespace weir::policy
