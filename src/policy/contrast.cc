// SPDX-License-Identifier: Apache-2.0
#include "policy/contrast.h"

#include <algorithm>
#include <tuple>

#include "wire/json.h"

namespace weir::policy {
namespace {

constexpr double kShared = 0.95;  // of the failed ones: a handful may be exceptions
constexpr double kTelling = 0.1;  // less of a difference is chance
constexpr double kMissing = 0.05;

void add_field(std::vector<Field>& fields, std::string path, std::string_view value) {
  if (value.empty() || fields.size() >= kPathsMax) return;
  fields.push_back({std::move(path), std::string(value.substr(0, kValueMax))});
}

// The members of one level before what lies within them: a large one must not hide its neighbours.
void add_members(std::vector<Field>& fields, const std::string& path, wire::Json object,
                 std::size_t depth) {
  const auto path_to = [&path](wire::Json member) {
    return path + "." + std::string(member.key());
  };
  for (const wire::Json member : object) {
    if (fields.size() >= kPathsMax) return;
    if (member.is(wire::JsonType::object)) {
      fields.push_back({path_to(member), "", true});
    } else if (member.is(wire::JsonType::array)) {
      add_field(fields, path_to(member) + ".length", std::to_string(member.size()));
    } else {
      add_field(fields, path_to(member), member.raw());
    }
  }
  if (depth == kDepthMax) return;
  for (const wire::Json member : object) {
    if (member.is(wire::JsonType::object)) add_members(fields, path_to(member), member, depth + 1);
  }
}

void add_root(std::vector<Field>& fields, wire::Json root) {
  if (root.is(wire::JsonType::object)) return add_members(fields, "data", root, 1);
  if (root.is(wire::JsonType::array))
    return add_field(fields, "data.length", std::to_string(root.size()));
  add_field(fields, "data", root.raw());
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::vector<Field> fields_of(const Event& event) {
  std::vector<Field> fields;
  add_field(fields, "type", event.type);
  add_field(fields, "source", event.source);
  add_field(fields, "subject", event.subject);
  add_field(fields, "datacontenttype", event.datacontenttype);
  add_field(fields, "dataschema", event.dataschema);
  for (const Extension& extension : event.extensions) {
    // A trace is of one event.
    if (extension.name == "traceparent" || extension.name == "tracestate") continue;
    add_field(fields, std::string(extension.name), extension.value);
  }
  if (!event.data_is_json() || event.data.empty()) return fields;
  const auto data = wire::parse_json(event.data);
  if (data.ok()) add_root(fields, data->root());
  return fields;
}

void Contrast::add(const Event& event, std::uint64_t Counts::* side) {
  for (Field& field : fields_of(event)) {
    const auto path = paths_.find(field.path);
    if (path != paths_.end()) {
      ++(path->second.*side);
    } else if (paths_.size() < kFieldsMax) {
      ++(paths_[field.path].*side);
    }
    if (field.is_object) continue;
    auto key = std::pair(std::move(field.path), std::move(field.value));
    const auto known = values_.find(key);
    if (known != values_.end()) {
      ++(known->second.*side);
    } else if (values_.size() < kFieldsMax) {
      ++(values_[std::move(key)].*side);
    }
  }
}

std::vector<Trait> Contrast::traits(std::size_t most) const {
  std::vector<Trait> traits;
  if (failed_ < 2) return traits;
  const auto is_telling = [this](double difference) {
    return passed_ == 0 || difference >= kTelling;
  };
  for (const auto& [key, counts] : values_) {
    const double of_failed = share(counts.failed, failed_);
    const double of_passed = share(counts.passed, passed_);
    if (of_failed < kShared || !is_telling(of_failed - of_passed)) continue;
    traits.push_back({key.first, key.second, false, of_failed, of_passed});
  }
  for (const auto& [path, counts] : paths_) {
    const double of_failed = share(counts.failed, failed_);
    const double of_passed = share(counts.passed, passed_);
    if (of_failed > kMissing || passed_ == 0 || of_passed < kTelling) continue;
    // Paths come in order: what it lies within has been before it.
    const bool within = std::ranges::any_of(traits, [&path](const Trait& trait) {
      return trait.absent && path.starts_with(trait.path + ".");
    });
    if (within) continue;
    traits.push_back({path, "", true, 1 - of_failed, 1 - of_passed});
  }
  std::ranges::sort(traits, [](const Trait& a, const Trait& b) {
    const double of_a = a.of_failed - a.of_passed;
    const double of_b = b.of_failed - b.of_passed;
    return std::tie(of_b, a.path) < std::tie(of_a, b.path);
  });
  traits.resize(std::min(traits.size(), most));
  return traits;
}

}  // namespace weir::policy
