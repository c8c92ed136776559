// SPDX-License-Identifier: Apache-2.0
// What events that failed have in common and events that passed have not: attributes, extensions
// and members of JSON data, value by value. Pure; bounded in memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/event.h"

namespace weir::policy {

struct Trait {
  std::string path;      // "type", "data.repository.name"
  std::string value;     // JSON text of a scalar of the data, or an attribute; empty with `absent`
  bool absent = false;   // the failed ones have no such member
  double of_failed = 0;  // share, 0 to 1
  double of_passed = 0;
  bool operator==(const Trait&) const = default;
};

// Attributes and members of an event's data as paths and values: scalars and the length of lists,
// to kDepthMax levels, kPathsMax of them at most, values cut to kValueMax bytes.
struct Field {
  std::string path;
  std::string value;
  bool is_object = false;  // that there is one; without a value
};
inline constexpr std::size_t kDepthMax = 4;
inline constexpr std::size_t kPathsMax = 256;
inline constexpr std::size_t kValueMax = 128;
std::vector<Field> fields_of(const Event& event);

class Contrast {
 public:
  static constexpr std::size_t kFieldsMax = 20'000;  // different ones; later ones are not counted

  void add_failed(const Event& event) { add(event, &Counts::failed), ++failed_; }
  void add_passed(const Event& event) { add(event, &Counts::passed), ++passed_; }
  std::uint64_t failed() const { return failed_; }
  std::uint64_t passed() const { return passed_; }

  // What all of the failed ones share, or lack, the most telling first: how much rarer it is among
  // the passed ones. At most `most`. What all the passed ones share too tells nothing and is left
  // out, and so is what lies within something that they lack. Without any passed one everything
  // shared is told; a single failed one shares nothing.
  std::vector<Trait> traits(std::size_t most) const;

 private:
  struct Counts {
    std::uint64_t failed = 0;
    std::uint64_t passed = 0;
  };
  void add(const Event& event, std::uint64_t Counts::* side);

  std::map<std::pair<std::string, std::string>, Counts> values_;
  std::map<std::string, Counts> paths_;
  std::uint64_t failed_ = 0;
  std::uint64_t passed_ = 0;
};

}  // namespace weir::policy
