// SPDX-License-Identifier: Apache-2.0
#include "policy/filter_or.h"

#include <algorithm>
#include <set>

namespace weir::policy {
namespace {

constexpr std::size_t kCountMax = 1'000'000;

PatternObject copy_of(const PatternObject& pattern);

PatternField copy_of(const PatternField& field) {
  PatternField copy{.name = field.name, .any_of = field.any_of};
  if (field.nested) copy.nested = std::make_unique<PatternObject>(copy_of(*field.nested));
  return copy;
}

PatternObject copy_of(const PatternObject& pattern) {
  PatternObject copy;
  for (const PatternField& field : pattern.fields) copy.fields.push_back(copy_of(field));
  for (const auto& branches : pattern.any_groups) {
    auto& group = copy.any_groups.emplace_back();
    for (const PatternObject& branch : branches) group.push_back(copy_of(branch));
  }
  return copy;
}

std::size_t fields_in(const PatternObject& pattern) {
  std::size_t count = pattern.fields.size();
  for (const PatternField& field : pattern.fields) {
    if (field.nested) count += fields_in(*field.nested);
  }
  for (const auto& branches : pattern.any_groups) {
    for (const PatternObject& branch : branches) count += fields_in(branch);
  }
  return count;
}

// The names below which the pattern looks, its alternatives included.
void collect_nested(const PatternObject& pattern, std::set<std::string>& names) {
  for (const PatternField& field : pattern.fields) {
    if (field.nested) names.insert(field.name);
  }
  for (const auto& branches : pattern.any_groups) {
    for (const PatternObject& branch : branches) collect_nested(branch, names);
  }
}

bool shares_names(const PatternObject& pattern) {
  std::set<std::string> seen;
  for (const PatternField& field : pattern.fields) {
    if (field.nested) seen.insert(field.name);
  }
  for (const auto& branches : pattern.any_groups) {
    std::set<std::string> names;
    for (const PatternObject& branch : branches) collect_nested(branch, names);
    for (const std::string& name : names) {
      if (!seen.insert(name).second) return true;
    }
  }
  return false;
}

class Joiner {
 public:
  bool join(PatternObject& pattern) {
    for (PatternField& field : pattern.fields) {
      if (field.nested && !join(*field.nested)) return false;
    }
    for (auto& branches : pattern.any_groups) {
      for (PatternObject& branch : branches) {
        if (!join(branch)) return false;
      }
    }
    if (!shares_names(pattern)) return true;
    std::vector<PatternObject> alternatives;
    if (!multiply(pattern, alternatives)) return false;
    pattern.fields.clear();
    pattern.any_groups.clear();
    pattern.any_groups.push_back(std::move(alternatives));
    return true;
  }

 private:
  // Appends the conjunctions that the pattern's own level stands for. What was merged below a name
  // may share names in turn.
  bool multiply(const PatternObject& pattern, std::vector<PatternObject>& into) {
    std::vector<PatternObject> made(1);
    for (const PatternField& field : pattern.fields) made[0].fields.push_back(copy_of(field));
    for (const auto& branches : pattern.any_groups) {
      std::vector<PatternObject> choices;
      for (const PatternObject& branch : branches) {
        if (!multiply(branch, choices)) return false;
      }
      if (!combine(made, choices)) return false;
    }
    for (PatternObject& alternative : made) {
      for (PatternField& field : alternative.fields) {
        if (field.nested && !join(*field.nested)) return false;
      }
      into.push_back(std::move(alternative));
    }
    return true;
  }

  bool combine(std::vector<PatternObject>& made, const std::vector<PatternObject>& choices) {
    std::vector<PatternObject> longer;
    for (const PatternObject& left : made) {
      for (const PatternObject& right : choices) {
        fields_ += fields_in(left) + fields_in(right);
        if (fields_ > kJoinedFieldsMax) return false;
        longer.push_back(merged(left, right));
      }
    }
    made = std::move(longer);
    return true;
  }

  static PatternObject merged(const PatternObject& left, const PatternObject& right) {
    PatternObject result = copy_of(left);
    PatternObject more = copy_of(right);
    for (PatternField& field : more.fields) {
      const auto same = std::ranges::find_if(result.fields, [&](const PatternField& one) {
        return one.nested && field.nested && one.name == field.name;
      });
      if (same == result.fields.end()) {
        result.fields.push_back(std::move(field));
      } else {
        *same->nested = merged(*same->nested, *field.nested);
      }
    }
    for (auto& group : more.any_groups) result.any_groups.push_back(std::move(group));
    return result;
  }

  std::size_t fields_ = 0;
};

}  // namespace

std::size_t combinations_of(const PatternObject& pattern) {
  std::size_t count = 1;
  for (const PatternField& field : pattern.fields) {
    if (field.nested) count = std::min(kCountMax, count * combinations_of(*field.nested));
  }
  for (const auto& branches : pattern.any_groups) {
    std::size_t sum = 0;
    for (const PatternObject& branch : branches) {
      sum = std::min(kCountMax, sum + combinations_of(branch));
    }
    count = std::min(kCountMax, count * sum);
  }
  return count;
}

bool join_alternatives(PatternObject& pattern) { return Joiner().join(pattern); }

}  // namespace weir::policy
