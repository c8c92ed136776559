// SPDX-License-Identifier: Apache-2.0
// Reads typed fields out of a YAML map, remembers which were asked for, and reports everything that
// is wrong.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "config/load.h"
#include "config/problem.h"
#include "config/yaml_tree.h"

namespace weir::config {

// Where problems go, and what all readers share.
struct Report {
  const std::vector<SourceFile>& files;
  const SecretResolver& secrets;
  std::vector<Problem>& problems;

  void add(const std::string& file, const YamlNode& at, std::string message, std::string hint = "",
           Code code = Code::config_invalid);
};

// One map of the configuration. Every get_ takes a key at most once; finish() reports the keys
// nobody asked for.
class MapReader {
 public:
  // A node that is no map is a problem, and the reader then has no members. `what` names it: "flow
  // 'orders'".
  MapReader(Report& report, std::string file, const YamlNode& node, std::string what);

  const YamlNode* take(std::string_view key);  // nullptr if absent or null
  std::optional<MapReader> map(std::string_view key);
  void text(std::string_view key, std::string& into);
  void name(std::string_view key, std::string& into);  // a reference to a stream, dependency, ...
  void flag(std::string_view key, bool& into);
  void duration(std::string_view key, Duration& into, Duration least = Duration{0});
  void number(std::string_view key, double& into, double least, double most);
  template <class T>
  void count(std::string_view key, T& into, std::uint64_t least, std::uint64_t most);
  void bytes(std::string_view key, std::size_t& into, std::size_t least);
  void rate(std::string_view key, double& into);  // "300/s"
  void rates(std::string_view key, std::vector<double>& into, std::size_t most);
  void choice(std::string_view key, std::initializer_list<std::string_view> names, int& into);
  void strings(std::string_view key, std::vector<std::string>& into);  // one or a list
  // Header names and values with secrets resolved.
  // kept: the text is kept and shown to operators, so that credentials have to be references.
  void headers(std::string_view key, std::vector<std::pair<std::string, std::string>>& into,
               bool kept = true);
  bool required(std::string_view key);  // reports it if absent

  // Keys of later versions: a problem that says so instead of "unknown".
  void not_yet(std::initializer_list<std::string_view> keys);
  // Keys that belong somewhere else: a problem that says where.
  void wrong_side(std::initializer_list<std::string_view> keys, std::string_view where);
  void finish();

  void problem(std::string_view key, std::string message, std::string hint = "");
  const YamlNode& node() const { return *node_; }
  const std::string& file() const { return file_; }
  Report& report() { return *report_; }
  const std::string& what() const { return what_; }

 private:
  const YamlNode* scalar(std::string_view key);
  void read_rate(std::string_view key, const YamlNode& from, double& into);
  std::optional<std::string> resolve(const YamlNode& value);

  Report* report_;
  std::string file_;
  const YamlNode* node_;
  std::string what_;
  std::vector<std::string> asked_;
};

bool is_name(std::string_view text);  // [a-z0-9][a-z0-9-]{0,62}

template <class T>
void MapReader::count(std::string_view key, T& into, std::uint64_t least, std::uint64_t most) {
  double value = static_cast<double>(into);
  number(key, value, static_cast<double>(least), static_cast<double>(most));
  if (value != static_cast<double>(static_cast<std::uint64_t>(value))) {
    problem(key, "this must be a whole number");
    return;
  }
  into = static_cast<T>(value);
}

}  // namespace weir::config
