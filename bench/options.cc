// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace weir::bench {

Options::Options(int argc, char** argv, std::map<std::string, std::string> defaults)
    : program_(argv[0]), values_(std::move(defaults)) {
  for (int i = 1; i < argc; i += 2) {
    const std::string given = argv[i];
    const auto found = values_.find(given.starts_with("--") ? given.substr(2) : given);
    if (!given.starts_with("--") || found == values_.end()) usage("unknown option " + given);
    if (i + 1 == argc) usage(given + " needs a value");
    found->second = argv[i + 1];
  }
}

const std::string& Options::text(const std::string& name) const { return values_.at(name); }

std::int64_t Options::number(const std::string& name, std::int64_t least, std::int64_t most) const {
  const std::string& text = values_.at(name);
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = code == std::errc() && end == text.data() + text.size();
  if (!whole || value < least || value > most) {
    usage("--" + name + " must be a whole number from " + std::to_string(least) + " to " +
          std::to_string(most));
  }
  return value;
}

void Options::usage(const std::string& problem) const {
  std::fprintf(stderr, "%s: %s\nusage: %s", program_.c_str(), problem.c_str(), program_.c_str());
  for (const auto& [name, value] : values_)
    std::fprintf(stderr, " [--%s %s]", name.c_str(), value.c_str());
  std::fputc('\n', stderr);
  std::exit(2);
}

void fail(const std::string& what) {
  const int error = errno;
  std::fprintf(stderr, "%s: %s\n", what.c_str(), error == 0 ? "failed" : std::strerror(error));
  std::exit(1);
}

}  // namespace weir::bench
