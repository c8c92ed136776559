// SPDX-License-Identifier: Apache-2.0
#include "policy/filter_compile.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/filter_or.h"
#include "policy/ip_address.h"

namespace weir::policy {
namespace {

using wire::Json;
using wire::JsonType;

constexpr std::size_t kPatternBytesMax = 64 * 1024;
constexpr std::size_t kValuesMax = 2000;  // in one pattern, those of lists included
constexpr std::size_t kOrCombinationsMax = 1000;
constexpr std::size_t kWildcardStarsMax = 16;
constexpr double kNumberMax = 5.0e9;

const std::vector<std::string> kMatchers = {"prefix",   "suffix",       "equals-ignore-case",
                                            "wildcard", "anything-but", "numeric",
                                            "exists",   "cidr"};

class Compiler {
 public:
  explicit Compiler(std::string_view text) : text_(text) {}

  Result<PatternObject> event(const Json& value) {
    WEIR_CHECK(check_attributes(value));
    return object(value);
  }

 private:
  // At the top level only attributes and data can stand, and only data has fields of its own. Other
  // names could never match, whatever the event.
  Result<> check_attributes(const Json& value) const {
    if (!value.is(JsonType::object)) return {};  // object() refuses it
    for (const Json member : value) {
      const std::string_view name = member.key();
      if (name == "$or") {
        if (!is_or(member))
          return fault_at(member.key_offset(), "'$or' takes two or more patterns");
        for (const Json one : member) WEIR_CHECK(check_attributes(one));
        continue;
      }
      if (name == "data") continue;
      if (!is_attribute_name(name)) {
        return fault_at(
            member.key_offset(), fmt::format("'{}' is no attribute name", printable(name)),
            "attributes have only a-z and 0-9; fields of the payload stand in \"data\"");
      }
      if (member.is(JsonType::object)) {
        return fault_at(member.key_offset(), fmt::format("the attribute '{}' has no fields", name),
                        "its values must be in an array; fields of the payload stand in \"data\"");
      }
    }
    return {};
  }

  static bool is_attribute_name(std::string_view name) {
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !name.empty() && std::ranges::all_of(name, fits);
  }

  Result<PatternObject> object(const Json& value) {
    if (!value.is(JsonType::object)) return fault(value, "a pattern must be an object");
    if (value.size() == 0)
      return fault(value, "an empty object matches nothing in particular", "leave the field out");
    PatternObject result;
    for (const Json member : value) {
      if (member.key() == "$or" && is_or(member)) {
        WEIR_TRY(auto branches, alternatives(member));
        result.any_groups.push_back(std::move(branches));
        continue;
      }
      PatternField field{.name = std::string(member.key())};
      if (member.is(JsonType::object)) {
        WEIR_TRY(auto nested, object(member));
        field.nested = std::make_unique<PatternObject>(std::move(nested));
      } else {
        WEIR_TRY(field.any_of, values(member));
      }
      result.fields.push_back(std::move(field));
    }
    if (combinations_of(result) <= kOrCombinationsMax) return result;
    return fault(value, fmt::format("$or makes more than {} combinations", kOrCombinationsMax));
  }

  Error fault(const Json& at, std::string what, std::string hint = "") const {
    return fault_at(at.offset(), std::move(what), std::move(hint));
  }

  Error fault_at(std::size_t offset, std::string what, std::string hint = "") const {
    const wire::TextPosition place = wire::locate(text_, offset);
    return Error{Code::pattern_invalid,
                 fmt::format("line {}, column {}: {}", place.line, place.column, what),
                 std::move(hint)};
  }

  // Two or more objects; anything else under that name is an ordinary field.
  static bool is_or(const Json& value) {
    if (!value.is(JsonType::array) || value.size() < 2) return false;
    return std::all_of(value.begin(), value.end(), [](const Json& one) {
      return one.is(JsonType::object) &&
             std::ranges::none_of(kMatchers, [&](const std::string& name) {
               return one.size() == 1 && one.find(name).has_value();
             });
    });
  }

  Result<std::vector<PatternObject>> alternatives(const Json& value) {
    std::vector<PatternObject> branches;
    for (const Json one : value) {
      WEIR_TRY(auto branch, object(one));
      branches.push_back(std::move(branch));
    }
    return branches;
  }

  Result<std::vector<Matcher>> values(const Json& value) {
    if (!value.is(JsonType::array)) {
      return fault(value,
                   fmt::format("the values of '{}' must be in an array", printable(value.key())),
                   fmt::format("write [{}]", value.raw().substr(0, 40)));
    }
    if (value.size() == 0)
      return fault(value, fmt::format("'{}' has no values", printable(value.key())));
    std::vector<Matcher> all;
    for (const Json one : value) {
      WEIR_CHECK(count(one));
      WEIR_TRY(auto matcher, alternative(one));
      all.push_back(std::move(matcher));
    }
    return all;
  }

  Result<> count(const Json& value) {
    if (++values_ <= kValuesMax) return {};
    return fault(value, fmt::format("more than {} values in one pattern", kValuesMax));
  }

  Result<Matcher> alternative(const Json& value) {
    if (value.is(JsonType::array)) return fault(value, "a value may not be an array");
    if (!value.is(JsonType::object)) return Matcher(literal(value));
    if (value.size() != 1) return fault(value, "a matcher has exactly one name");
    const Json body = *value.begin();
    const std::string_view name = body.key();
    if (name == "prefix") return affix<Prefix>(body, name);
    if (name == "suffix") return affix<Suffix>(body, name);
    if (name == "equals-ignore-case") return text_matcher<EqualsIgnoreCase>(body, name);
    if (name == "wildcard") return wildcard_matcher(body);
    if (name == "anything-but") return anything_but(body);
    if (name == "numeric") return numeric(body);
    if (name == "cidr") return cidr(body);
    if (name == "exists") {
      if (!body.is(JsonType::boolean)) return fault(body, "'exists' takes true or false");
      return Matcher(Exists{body.boolean()});
    }
    return fault(value, fmt::format("unknown matcher '{}'", printable(name)),
                 did_you_mean(name, kMatchers));
  }

  static Literal literal(const Json& value) {
    switch (value.type()) {
      case JsonType::string: return {Leaf::Type::string, std::string(value.string())};
      case JsonType::number: return {Leaf::Type::number, std::string(value.raw())};
      case JsonType::boolean: return {Leaf::Type::boolean, std::string(value.raw())};
      default: return {Leaf::Type::null, {}};
    }
  }

  // `name` is the matcher's: elements of a list have no key of their own.
  Result<std::string> text_of(const Json& value, std::string_view name) {
    if (!value.is(JsonType::string)) return fault(value, fmt::format("'{}' takes a string", name));
    return std::string(value.string());
  }

  template <class T>
  Result<Matcher> text_matcher(const Json& value, std::string_view name) {
    WEIR_TRY(auto text, text_of(value, name));
    return Matcher(T{std::move(text)});
  }

  template <class T>
  Result<Matcher> affix(const Json& value, std::string_view name) {
    constexpr std::string_view kInner = "equals-ignore-case";
    if (!value.is(JsonType::object)) return text_matcher<T>(value, name);
    const auto inner = value.find(kInner);
    if (!inner || value.size() != 1) {
      return fault(value, fmt::format("'{}' takes a string or {{\"{}\": ...}}", name, kInner));
    }
    WEIR_TRY(auto text, text_of(*inner, kInner));
    return Matcher(T{std::move(text), true});
  }

  Result<Wildcard> wildcard(const Json& value) {
    WEIR_TRY(const std::string text, text_of(value, "wildcard"));
    Wildcard result{{""}};
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\') {
        if (i + 1 == text.size() || (text[i + 1] != '*' && text[i + 1] != '\\')) {
          return fault(value,
                       "in a wildcard a backslash may only stand before '*' and another backslash");
        }
        result.parts.back().push_back(text[++i]);
      } else if (text[i] != '*') {
        result.parts.back().push_back(text[i]);
      } else if (i + 1 < text.size() && text[i + 1] == '*') {
        return fault(value, "'**' is not allowed in a wildcard",
                     "one '*' matches any run of characters");
      } else {
        result.parts.emplace_back();
      }
    }
    if (result.parts.size() > kWildcardStarsMax + 1) {
      return fault(value, fmt::format("more than {} stars in one wildcard", kWildcardStarsMax));
    }
    return result;
  }

  Result<Matcher> wildcard_matcher(const Json& value) {
    WEIR_TRY(auto result, wildcard(value));
    return Matcher(std::move(result));
  }

  Result<> exclude(AnythingBut& but, const Json& value, std::string_view how) {
    if (how == "wildcard") {
      WEIR_TRY(auto one, wildcard(value));
      but.none_of.emplace_back(std::move(one));
      return {};
    }
    if (how == "prefix") {
      WEIR_TRY(auto one, affix<Prefix>(value, how));
      but.none_of.emplace_back(std::get<Prefix>(std::move(one)));
      return {};
    }
    if (how == "suffix") {
      WEIR_TRY(auto one, affix<Suffix>(value, how));
      but.none_of.emplace_back(std::get<Suffix>(std::move(one)));
      return {};
    }
    WEIR_TRY(auto text, text_of(value, how));
    but.none_of.emplace_back(EqualsIgnoreCase{std::move(text)});
    return {};
  }

  Result<Matcher> anything_but(const Json& value) {
    AnythingBut but;
    if (value.is(JsonType::object)) {
      const Json inner = value.size() == 1 ? *value.begin() : value;
      const std::string_view how = inner.key();
      const bool known = value.size() == 1 && (how == "prefix" || how == "suffix" ||
                                               how == "wildcard" || how == "equals-ignore-case");
      if (!known)
        return fault(value,
                     "'anything-but' takes values, prefix, suffix, wildcard or equals-ignore-case");
      if (!inner.is(JsonType::array)) {
        WEIR_CHECK(exclude(but, inner, how));
        return Matcher(std::move(but));
      }
      if (inner.size() == 0) return fault(inner, "'anything-but' has no values");
      for (const Json one : inner) {
        WEIR_CHECK(count(one));
        WEIR_CHECK(exclude(but, one, how));
      }
      return Matcher(std::move(but));
    }
    if (!value.is(JsonType::array)) {
      but.none_of.emplace_back(literal(value));
      return Matcher(std::move(but));
    }
    if (value.size() == 0) return fault(value, "'anything-but' has no values");
    const JsonType type = (*value.begin()).type();
    for (const Json one : value) {
      WEIR_CHECK(count(one));
      const bool scalar = one.is(JsonType::string) || one.is(JsonType::number);
      if (!scalar || !one.is(type))
        return fault(one, "an 'anything-but' list holds only strings or only numbers");
      but.none_of.emplace_back(literal(one));
    }
    return Matcher(std::move(but));
  }

  Result<Matcher> numeric(const Json& value) {
    const bool shape = value.is(JsonType::array) && (value.size() == 2 || value.size() == 4);
    if (!shape)
      return fault(value,
                   "'numeric' takes [operator, number] or [operator, number, operator, number]");
    Numeric result;
    for (auto one = value.begin(); one != value.end(); ++one) {
      const Json op = *one;
      WEIR_CHECK(bound(result, op, *++one, value.size() == 4));
    }
    const bool both = result.above && result.below;
    const bool point = result.above_inclusive && result.below_inclusive;  // [">=",5,"<=",5]
    if (both && (*result.above > *result.below || (*result.above == *result.below && !point))) {
      return fault(value, "this range is empty");
    }
    return Matcher(result);
  }

  Result<> bound(Numeric& range, const Json& op, const Json& number, bool two) const {
    const std::string_view sign = op.is(JsonType::string) ? op.string() : "";
    const bool lower = sign == ">" || sign == ">=";
    const bool upper = sign == "<" || sign == "<=";
    if (!lower && !upper && sign != "=") {
      return fault(op, "'numeric' needs an operator here", "use =, >, >=, < or <=");
    }
    if (!number.is(JsonType::number) || std::abs(number.number()) > kNumberMax) {
      return fault(number, "'numeric' needs a number between -5.0e9 and 5.0e9 here");
    }
    auto& place = sign == "=" ? range.equal : lower ? range.above : range.below;
    if (place || (two && sign == "="))
      return fault(op, "a range has one lower and one upper bound");
    place = number.number();
    if (lower) range.above_inclusive = sign == ">=";
    if (upper) range.below_inclusive = sign == "<=";
    return {};
  }

  Result<Matcher> cidr(const Json& value) {
    WEIR_TRY(const std::string text, text_of(value, "cidr"));
    const auto slash = text.find('/');
    const auto address = parse_ip(std::string_view(text).substr(0, slash));
    if (!address)
      return fault(value, fmt::format("'{}' is no IP address range", printable(text)),
                   "for example 10.0.0.0/24");
    const int most = address->v6 ? 128 : 32;
    int bits = most;
    if (slash != text.npos) {
      const char* end = text.data() + text.size();
      const auto parsed = std::from_chars(text.data() + slash + 1, end, bits);
      if (parsed.ec != std::errc{} || parsed.ptr != end || bits < 0 || bits > most) {
        return fault(value,
                     fmt::format("'{}' has no prefix length from 0 to {}", printable(text), most));
      }
    }
    return Matcher(Cidr{address->bytes, bits, address->v6});
  }

  std::string_view text_;
  std::size_t values_ = 0;
};

}  // namespace

Result<PatternObject> compile_pattern(std::string_view pattern_json) {
  if (pattern_json.size() > kPatternBytesMax) {
    return Error{
        Code::pattern_invalid,
        fmt::format("line 1, column 1: the pattern has more than {} bytes", kPatternBytesMax), ""};
  }
  auto document = wire::parse_json(pattern_json, {.depth = 32, .keys = 1000, .values = 20'000});
  if (!document.ok())
    return Error{Code::pattern_invalid, document.error().detail, document.error().hint};
  WEIR_TRY(auto pattern, Compiler(pattern_json).event(document->root()));
  if (join_alternatives(pattern)) return pattern;
  return Error{
      Code::pattern_invalid,
      fmt::format("line 1, column 1: $or beside fields of the same names makes more than {} fields",
                  kJoinedFieldsMax),
      "use several flows, or put the shared fields into the branches of $or"};
}

}  // namespace weir::policy
