// SPDX-License-Identifier: Apache-2.0
#include "policy/matcher.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <ranges>

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

// A JSON number, exactly: its significant digits without zeros at either end, and the power of ten
// of the last of them. Zero has no digits.
struct Decimal {
  std::string_view mantissa;  // from the first to the last significant digit, maybe with a point
  std::size_t digits = 0;
  std::int64_t exponent = 0;
  bool negative = false;
};

auto digits_of(const Decimal& number) {
  return number.mantissa | std::views::filter([](char c) { return c != '.'; });
}

Decimal decimal_of(std::string_view text) {
  Decimal result;
  result.negative = text.starts_with('-');
  if (result.negative) text.remove_prefix(1);
  const std::size_t e = std::min(text.find_first_of("eE"), text.size());
  const std::string_view mantissa = text.substr(0, e);
  const std::size_t first = mantissa.find_first_of("123456789");
  if (first == mantissa.npos) return result;
  const std::size_t last = mantissa.find_last_of("123456789");
  result.mantissa = mantissa.substr(first, last - first + 1);
  result.digits = result.mantissa.size() - (result.mantissa.contains('.') ? 1 : 0);

  // An exponent beyond these is no number that anybody means; such numbers only equal each other.
  constexpr std::int64_t kExponentMax = std::int64_t{1} << 40;
  std::string_view power = text.substr(std::min(e + 1, text.size()));
  if (power.starts_with('+')) power.remove_prefix(1);
  const auto parsed = std::from_chars(power.data(), power.data() + power.size(), result.exponent);
  const bool huge = parsed.ec == std::errc::result_out_of_range;
  if (huge) result.exponent = power.starts_with('-') ? -kExponentMax : kExponentMax;
  result.exponent = std::clamp(result.exponent, -kExponentMax, kExponentMax);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const auto distance = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(last);
  result.exponent += distance > 0 ? distance - 1 : distance;
  return result;
}

bool match(const Literal& literal, const Leaf& leaf) {
  if (literal.type != leaf.type) return false;
  return literal.type == Leaf::Type::number ? same_number(literal.text, leaf.text)
                                            : literal.text == leaf.text;
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

// Linear in the text for needles of bounded size and for long ones, unlike string_view::find.
std::size_t find_in(std::string_view text, std::string_view needle) {
  const void* found = memmem(text.data(), text.size(), needle.data(), needle.size());
  if (found == nullptr) return text.npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

// The first and last part are anchored; each part between takes its leftmost place.
bool match(const Wildcard& wildcard, const Leaf& leaf) {
  if (!is_string(leaf)) return false;
  const auto& parts = wildcard.parts;
  std::string_view rest = leaf.text;
  if (parts.size() == 1) return rest == parts.front();
  if (!rest.starts_with(parts.front())) return false;
  rest.remove_prefix(parts.front().size());
  for (std::size_t i = 1; i + 1 < parts.size(); ++i) {
    const auto at = find_in(rest, parts[i]);
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
  if (numeric.above &&
      !(numeric.above_inclusive ? *value >= *numeric.above : *value > *numeric.above))
    return false;
  return !numeric.below ||
         (numeric.below_inclusive ? *value <= *numeric.below : *value < *numeric.below);
}

bool match(const Exists& exists, const Leaf& leaf) {
  return exists.wanted == (leaf.type != Leaf::Type::absent);
}

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
  const Decimal left = decimal_of(a);
  const Decimal right = decimal_of(b);
  if (left.digits == 0 || right.digits == 0) return left.digits == right.digits;
  return left.negative == right.negative && left.digits == right.digits &&
         left.exponent == right.exponent && std::ranges::equal(digits_of(left), digits_of(right));
}

}  // namespace weir::policy
