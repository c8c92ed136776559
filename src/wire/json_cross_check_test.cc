// SPDX-License-Identifier: Apache-2.0
// Another reader of the same language: Boost.JSON must accept and refuse the same documents.
#include <doctest/doctest.h>
#include <rapidcheck.h>

// Boost.JSON is header-only this way, and needed by nothing but this file.
#include <boost/json/src.hpp>

#include "wire/json.h"
#include "wire/testing/random_json.h"

namespace weir::wire {
namespace {

// Where the two differ on purpose: Boost keeps the last of two equal names, and bounds exponents.
enum class Verdict { accepted, refused, differs };

Verdict ours(std::string_view text, const Result<JsonDocument>& parsed) {
  if (parsed.ok()) return Verdict::accepted;
  const bool twice = parsed.error().detail.ends_with("stands twice in one object");
  return twice && !text.empty() ? Verdict::differs : Verdict::refused;
}

Verdict boosts(std::string_view text) {
  boost::json::error_code error;
  boost::json::parse_options options;
  options.max_depth = 64;
  boost::json::parse(text, error, {}, options);
  if (!error) return Verdict::accepted;
  return error == boost::json::error::exponent_overflow ? Verdict::differs : Verdict::refused;
}

bool same_tree(const Json& value, const boost::json::value& other) {
  switch (value.type()) {
    case JsonType::null: return other.is_null();
    case JsonType::boolean: return other.is_bool() && other.get_bool() == value.boolean();
    case JsonType::number:
      // Boost 1.81 rounds some long numbers to a neighbour.
      return other.is_number() &&
             value.number() == doctest::Approx(other.to_number<double>()).epsilon(1e-14);
    case JsonType::string: return other.is_string() && other.get_string() == value.string();
    case JsonType::array: {
      if (!other.is_array() || other.get_array().size() != value.size()) return false;
      std::size_t at = 0;
      for (const Json element : value) {
        if (!same_tree(element, other.get_array()[at++])) return false;
      }
      return true;
    }
    case JsonType::object:
      if (!other.is_object() || other.get_object().size() != value.size()) return false;
      for (const Json member : value) {
        const auto* found = other.get_object().if_contains(member.key());
        if (found == nullptr || !same_tree(member, *found)) return false;
      }
      return true;
  }
  return false;
}

void check_same_verdict(const std::string& text) {
  const auto parsed = parse_json(text);
  const Verdict left = ours(text, parsed);
  const Verdict right = boosts(text);
  if (left == Verdict::differs || right == Verdict::differs) return;
  RC_LOG() << text;
  RC_ASSERT(left == right);
}

TEST_CASE("Boost.JSON reads the same tree from well-formed documents") {
  CHECK(rc::check("tree", [](std::uint64_t seed) {
    Rng rng(seed);
    const std::string text = testing::random_json(rng);
    RC_LOG() << text;
    const auto parsed = parse_json(text);
    RC_ASSERT(parsed.ok());
    RC_ASSERT(same_tree(parsed->root(), boost::json::parse(text)));
  }));
}

TEST_CASE("Boost.JSON refuses the same damaged documents") {
  int refused = 0;
  int accepted = 0;
  CHECK(rc::check("verdict", [&](std::uint64_t seed) {
    Rng rng(seed);
    for (int i = 0; i < 100; ++i) {
      const std::string text = testing::damaged(rng, testing::random_json(rng, 3));
      check_same_verdict(text);
      ++(parse_json(text).ok() ? accepted : refused);
    }
  }));
  // Both sides of the question were asked often.
  CHECK(refused > 1000);
  CHECK(accepted > 500);
}

}  // namespace
}  // namespace weir::wire
