// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_tree.h"

#include <charconv>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "wire/json.h"

namespace weir::config {
namespace {

// Copies the library's tree; stops at the limits.
class Copier {
 public:
  Copier(const std::string& file, std::vector<Problem>& problems, const YamlLimits& limits)
      : file_(file), problems_(problems), limits_(limits) {}

  YamlNode copy(const YAML::Node& from, std::size_t depth) {
    YamlNode to;
    to.line = from.Mark().line + 1;
    to.column = from.Mark().column + 1;
    if (failed_) return to;
    if (depth > limits_.depth)
      return fail(to, fmt::format("nested deeper than {} levels", limits_.depth));
    if (++nodes_ > limits_.nodes)
      return fail(to, fmt::format("more than {} values, aliases included", limits_.nodes));
    if (from.IsScalar()) {
      to.kind = YamlNode::Kind::scalar;
      to.text = from.Scalar();
      to.quoted = from.Tag() == "!";
    } else if (from.IsSequence()) {
      to.kind = YamlNode::Kind::list;
      for (const auto& item : from) to.items.push_back(copy(item, depth + 1));
    } else if (from.IsMap()) {
      to.kind = YamlNode::Kind::map;
      for (const auto& member : from) add_member(to, member.first, member.second, depth);
    }
    return to;
  }

 private:
  void add_member(YamlNode& to, const YAML::Node& key, const YAML::Node& value, std::size_t depth) {
    YamlNode name = copy(key, depth + 1);
    if (name.kind != YamlNode::Kind::scalar) {
      fail(name, "a key must be plain text");
      return;
    }
    if (const YamlNode* first = to.find(name.text)) {
      problems_.push_back({.place = {file_, name.line, name.column},
                           .message = fmt::format("'{}' is given twice, first in line {}",
                                                  name.text, first->line)});
      return;
    }
    YamlNode content = copy(value, depth + 1);
    if (content.line == 0)
      content.line = name.line, content.column = name.column;  // a null has no place of its own
    to.members.push_back({std::move(name), std::move(content)});
  }

  YamlNode fail(YamlNode at, std::string message) {
    failed_ = true;
    problems_.push_back({.place = {file_, at.line, at.column}, .message = std::move(message)});
    return at;
  }

  const std::string& file_;
  std::vector<Problem>& problems_;
  const YamlLimits& limits_;
  std::size_t nodes_ = 0;
  bool failed_ = false;
};

bool is_json_number(std::string_view text) {
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = !text.empty() && parsed.ec == std::errc{} &&
                     parsed.ptr == text.data() + text.size();
  return whole && wire::parse_json(text).ok();
}

void append_json(std::string& out, const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null: out += "null"; return;
    case YamlNode::Kind::scalar: {
      const bool plain = !node.quoted &&
                         (node.text == "true" || node.text == "false" || is_json_number(node.text));
      if (plain) {
        out += node.text;
      } else if (!node.quoted && (node.text == "null" || node.text == "~" || node.text.empty())) {
        out += "null";
      } else {
        wire::append_json_string(out, node.text);
      }
      return;
    }
    case YamlNode::Kind::list:
      out.push_back('[');
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        if (i > 0) out.push_back(',');
        append_json(out, node.items[i]);
      }
      out.push_back(']');
      return;
    case YamlNode::Kind::map:
      out.push_back('{');
      for (std::size_t i = 0; i < node.members.size(); ++i) {
        if (i > 0) out.push_back(',');
        wire::append_json_string(out, node.members[i].key.text);
        out.push_back(':');
        append_json(out, node.members[i].value);
      }
      out.push_back('}');
      return;
  }
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name.text == key) return &value;
  }
  return nullptr;
}

std::unique_ptr<YamlNode> parse_yaml(const std::string& file, std::string_view text,
                                     std::vector<Problem>& problems, const YamlLimits& limits) {
  if (text.size() > limits.bytes) {
    problems.push_back({.place = {file, 1, 1},
                        .message = fmt::format("the file has more than {} bytes", limits.bytes)});
    return nullptr;
  }
  try {
    std::istringstream stream{std::string(text)};
    const std::vector<YAML::Node> documents = YAML::LoadAll(stream);
    if (documents.size() > 1) {
      problems.push_back({.place = {file, documents[1].Mark().line + 1, 1},
                          .message = "only one document per file"});
      return nullptr;
    }
    const std::size_t before = problems.size();
    auto tree = std::make_unique<YamlNode>();
    if (!documents.empty()) *tree = Copier(file, problems, limits).copy(documents.front(), 0);
    return problems.size() == before ? std::move(tree) : nullptr;
  } catch (const YAML::Exception& failure) {
    problems.push_back({.place = {file, failure.mark.line + 1, failure.mark.column + 1},
                        .message = fmt::format("not valid YAML: {}", failure.msg)});
    return nullptr;
  }
}

std::string to_json(const YamlNode& node) {
  std::string out;
  append_json(out, node);
  return out;
}

}  // namespace weir::config
