// SPDX-License-Identifier: Apache-2.0
// The filter against a naive reading of the same language: every array of objects is first replaced
// by one of its objects, in all possible ways; without such arrays matching is plain recursion.
#include <set>

#include <fmt/format.h>

#include "base/rng.h"
#include "policy/filter.h"
#include "policy/testing/property.h"
#include "wire/json.h"

namespace weir::policy {
namespace {

using wire::Json;
using wire::JsonType;

// A payload after its arrays were decided: scalars by their raw text, and at most one object.
struct Tree {
  std::vector<std::string> leaves;
  std::map<std::string, Tree> members;
};

void flatten(const Json& value, std::vector<Json>& into) {
  if (!value.is(JsonType::array)) return into.push_back(value);
  for (const Json element : value) flatten(element, into);
}

std::vector<Tree> decisions(const Json& value);

std::vector<Tree> decisions_of_object(const Json& object) {
  std::vector<Tree> all(1);
  for (const Json member : object) {
    std::vector<Tree> longer;
    for (const Tree& tree : all) {
      for (Tree& choice : decisions(member)) {
        Tree next = tree;
        next.members.emplace(member.key(), std::move(choice));
        longer.push_back(std::move(next));
      }
    }
    all = std::move(longer);
  }
  return all;
}

std::vector<Tree> decisions(const Json& value) {
  std::vector<Json> elements;
  flatten(value, elements);
  std::vector<Tree> all;
  std::vector<std::string> leaves;
  for (const Json& element : elements) {
    if (!element.is(JsonType::object)) {
      leaves.emplace_back(element.raw());
      continue;
    }
    for (Tree& tree : decisions_of_object(element)) all.push_back(std::move(tree));
  }
  if (all.empty()) all.emplace_back();
  for (Tree& tree : all) tree.leaves = leaves;
  return all;
}

// The matchers that random_pattern() writes; `leaf` is empty for an absent field.
bool one_matches(const Json& matcher, const std::string& leaf) {
  if (!matcher.is(JsonType::object)) return matcher.raw() == leaf;
  const Json body = *matcher.begin();
  if (body.key() == "exists") return body.boolean() == !leaf.empty();
  if (leaf.empty()) return false;
  if (body.key() == "anything-but") return body.raw() != leaf;
  if (body.key() == "prefix") return leaf.starts_with("\"" + std::string(body.string()));
  const bool number = leaf.front() >= '0' && leaf.front() <= '9';
  const Json limit = *++body.begin();
  return number && std::stoi(leaf) > *limit.integer();  // {"numeric":[">",n]}
}

bool any_of_matches(const Json& values, const std::vector<std::string>& leaves) {
  const std::vector<std::string> absent = {""};
  for (const std::string& leaf : leaves.empty() ? absent : leaves) {
    for (const Json matcher : values) {
      if (one_matches(matcher, leaf)) return true;
    }
  }
  return false;
}

bool tree_matches(const Json& pattern, const Tree& tree) {
  for (const Json field : pattern) {
    if (field.key() == "$or") {
      const bool any = std::any_of(field.begin(), field.end(),
                                   [&](const Json& branch) { return tree_matches(branch, tree); });
      if (!any) return false;
      continue;
    }
    const auto found = tree.members.find(std::string(field.key()));
    const Tree member = found == tree.members.end() ? Tree{} : found->second;
    const bool good = field.is(JsonType::object) ? tree_matches(field, member)
                                                 : any_of_matches(field, member.leaves);
    if (!good) return false;
  }
  return true;
}

std::string scalar(Rng& rng) {
  constexpr std::array<std::string_view, 5> kScalars = {"1", "2", "\"x\"", "\"xy\"", "null"};
  return std::string(kScalars[rng.below(kScalars.size())]);
}

std::string random_matcher(Rng& rng) {
  switch (rng.below(8)) {
    case 0: return R"({"exists":true})";
    case 1: return R"({"exists":false})";
    case 2: return R"({"anything-but":"x"})";
    case 3: return R"({"prefix":"x"})";
    case 4: return R"({"numeric":[">",1]})";
    default: return scalar(rng);
  }
}

std::string random_pattern(Rng& rng, int depth, bool alternatives = true) {
  std::string text;
  for (const std::string_view name : {"a", "b"}) {
    if (rng.below(3) == 0 && !(name == "b" && text.empty())) continue;
    text += fmt::format("{}\"{}\":", text.empty() ? "" : ",", name);
    const bool nested = depth > 0 && rng.below(2) == 0;
    text += nested ? random_pattern(rng, depth - 1, alternatives)
                   : "[" + random_matcher(rng) + "," + random_matcher(rng) + "]";
  }
  for (std::uint64_t left = alternatives ? rng.below(3) : 0; left > 1; --left) {
    text += ",\"$or\":[" + random_pattern(rng, depth, false) + "," +
            random_pattern(rng, depth, rng.below(2) == 0) + "]";
  }
  return "{" + text + "}";
}

std::string random_object(Rng& rng, int depth);

std::string random_value(Rng& rng, int depth) {
  if (depth == 0) return scalar(rng);
  switch (rng.below(5)) {
    case 0: return scalar(rng);
    case 1: return random_object(rng, depth - 1);
    default: break;
  }
  std::string text;
  for (std::uint64_t left = rng.below(4); left > 0; --left) {
    text += (text.empty() ? "" : ",") +
            (rng.below(4) == 0 ? random_value(rng, depth - 1) : random_object(rng, depth - 1));
  }
  return "[" + text + "]";
}

std::string random_object(Rng& rng, int depth) {
  std::string text;
  for (const std::string_view name : {"a", "b"}) {
    if (rng.below(4) == 0) continue;
    text += fmt::format("{}\"{}\":{}", text.empty() ? "" : ",", name, random_value(rng, depth));
  }
  return "{" + text + "}";
}

TEST_CASE("the filter matches what the naive reading matches") {
  int matched = 0;
  int compared = 0;
  testing::holds("reference", [&](std::uint64_t seed) {
    Rng rng(seed);
    const std::string pattern = random_pattern(rng, static_cast<int>(rng.below(3)));
    const std::string data = random_object(rng, 2);
    RC_LOG() << pattern << "\n" << data;
    const auto filter = Filter::compile("{\"data\":" + pattern + "}");
    if (!filter.ok()) {  // only ever too large
      RC_ASSERT(filter.error().detail.contains(" makes more than "));
      return;
    }
    Event event;
    event.data = data;
    event.has_data = true;
    const auto pattern_document = wire::parse_json(pattern);
    const auto data_document = wire::parse_json(data);
    const std::vector<Tree> trees = decisions(data_document->root());
    const bool wanted = std::ranges::any_of(
        trees, [&](const Tree& tree) { return tree_matches(pattern_document->root(), tree); });
    RC_ASSERT(filter->matches(event) == wanted);
    matched += wanted ? 1 : 0;
    ++compared;
  });
  CHECK(matched > compared / 20);
  CHECK(matched < compared - compared / 20);
}

}  // namespace
}  // namespace weir::policy
