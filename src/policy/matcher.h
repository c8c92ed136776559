// SPDX-License-Identifier: Apache-2.0
// One alternative of an event pattern's field: a literal or one of EventBridge's content matchers.
// Compiled, immutable.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/json.h"

namespace weir::policy {

// A leaf of an event as matchers see it. Numbers keep their spelling.
struct Leaf {
  enum class Type : std::uint8_t { absent, null, boolean, number, string } type = Type::absent;
  std::string_view text;  // string: decoded; number and boolean: as spelled
};

struct Literal {
  Leaf::Type type;
  std::string text;
};
struct Prefix {
  std::string text;
  bool ignore_case = false;
};
struct Suffix {
  std::string text;
  bool ignore_case = false;
};
struct EqualsIgnoreCase {
  std::string text;
};
struct Wildcard {
  std::vector<std::string> parts;
};  // the texts between the stars
struct Numeric {
  std::optional<double> above, below, equal;  // above and below may be inclusive
  bool above_inclusive = false, below_inclusive = false;
};
struct Exists {
  bool wanted = true;
};
struct Cidr {
  std::array<std::uint8_t, 16> address{};
  int bits = 0;
  bool v6 = false;
};
struct AnythingBut;

using Matcher = std::variant<Literal, Prefix, Suffix, EqualsIgnoreCase, Wildcard, Numeric, Exists,
                             Cidr, AnythingBut>;

// The field exists and none of these matches.
struct AnythingBut {
  std::vector<std::variant<Literal, Prefix, Suffix, EqualsIgnoreCase, Wildcard>> none_of;
};

bool matches(const Matcher& matcher, const Leaf& leaf);

// Two JSON numbers of exactly the same decimal value: 300, 300.0 and 3.0e2 are equal, as in
// event-ruler; 9007199254740992 and 9007199254740993 are not, though a double cannot tell them
// apart.
bool same_number(std::string_view a, std::string_view b);

}  // namespace weir::policy
