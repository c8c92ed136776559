// SPDX-License-Identifier: Apache-2.0
// The command line of a bench program: `--name value` pairs. A mistake prints the known names and
// exits with 2.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace weir::bench {

class Options {
 public:
  // `defaults` lists every known name with the value it has when it is not given.
  Options(int argc, char** argv, std::map<std::string, std::string> defaults);

  const std::string& text(const std::string& name) const;
  // Exits with 2 unless the value is a whole number in [least, most].
  std::int64_t number(const std::string& name, std::int64_t least, std::int64_t most) const;

 private:
  [[noreturn]] void usage(const std::string& problem) const;

  std::string program_;
  std::map<std::string, std::string> values_;
};

// Prints "PROGRAM: what: strerror" and exits with 1: a bench program has nothing to go on with.
[[noreturn]] void fail(const std::string& what);

}  // namespace weir::bench
