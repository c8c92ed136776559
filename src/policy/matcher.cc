// SPDX-License-Identifier: Apache-2.0
#include "policy/matcher.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "policy/ip_address.h"

namespace weir::policy {
namespace {

bool is_string(const Leaf& leaf) { return leaf.type == Leaf::Type::string; }

std::optional<double> to_number(std::string_view text) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

bool match(const Literal& literal, const Leaf& leaf) {
  if (literal.type != leaf.type) return false;
  return literal.type == Leaf::Type::number ? same_number(literal.text, leaf.text) : literal.text == leaf.text;
}

bool match(const Prefix& prefix, const Leaf& leaf) {
  if (!is_string(leaf) || leaf.text.size() < prefix.text.size()) return false;
  const std::string_view head = leaf.text.substr(0, prefix.text.size());
  return prefix.ignore_case ? equals_ignore_case(head, prefix.text) : head == prefix.text;
}

bool match(const Suffix& suffix, const Leaf& leaf) {
  if (!is_string(leaf) || leaf.text.size() < suffix.text.size()) return false;
  const std::string_view tail = leaf.text.substr(leaf.text.size() - suffix.text.size());
  return suffix.ignore_case ? equals_ignore_case(tail, suffix.text) : tail == suffix.text;
}

bool match(const EqualsIgnoreCase& equals, const Leaf& leaf) {
  return is_string(leaf) && equals_ignore_case(equals.text, leaf.text);
}

// The first and last part are anchored; each part between takes its leftmost place. Linear in text times parts.
bool match(const Wildcard& wildcard, const Leaf& leaf) {
  if (!is_string(leaf)) return false;
  const auto& parts = wildcard.parts;
  std::string_view rest = leaf.text;
  if (parts.size() == 1) return rest == parts.front();
  if (!rest.starts_with(parts.front())) return false;
  rest.remove_prefix(parts.front().size());
  for (std::size_t i = 1; i + 1 < parts.size(); ++i) {
    const auto at = rest.find(parts[i]);
    if (at == rest.npos) return false;
    rest.remove_prefix(at + parts[i].size());
  }
  return rest.ends_with(parts.back());
}

bool match(const Numeric& numeric, const Leaf& leaf) {
  if (leaf.type != Leaf::Type::number) return false;
  const auto value = to_number(leaf.text);
  if (!value) return false;
  if (numeric.equal && *value != *numeric.equal) return false;
  if (numeric.above && !(numeric.above_inclusive ? *value >= *numeric.above : *value > *numeric.above)) return false;
  return !numeric.below || (numeric.below_inclusive ? *value <= *numeric.below : *value < *numeric.below);
}

bool match(const Exists& exists, const Leaf& leaf) { return exists.wanted == (leaf.type != Leaf::Type::absent); }

bool match(const Cidr& cidr, const Leaf& leaf) {
  if (!is_string(leaf)) return false;
  const auto address = parse_ip(leaf.text);
  if (!address || address->v6 != cidr.v6) return false;
  for (int bit = 0; bit < cidr.bits; ++bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if ((address->bytes[byte] & mask) != (cidr.address[byte] & mask)) return false;
  }
  return true;
}

bool match(const AnythingBut& but, const Leaf& leaf) {
  if (leaf.type == Leaf::Type::absent) return false;
  return std::ranges::none_of(but.none_of, [&](const auto& one) {
    return std::visit([&](const auto& matcher) { return match(matcher, leaf); }, one);
  });
}

}  // namespace

bool matches(const Matcher& matcher, const Leaf& leaf) {
  return std::visit([&](const auto& one) { return match(one, leaf); }, matcher);
}

bool same_number(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto left = to_number(a);
  const auto right = to_number(b);
  return left && right && *left == *right;
}

}  // namespace weir::policy
