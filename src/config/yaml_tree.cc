// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_tree.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "config/json_tree.h"
#include "wire/json.h"
#include "wire/utf8.h"

namespace weir::config {
namespace {

// The library counts columns in bytes; people count characters.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] == '\n') begins_.push_back(at + 1);
    }
  }

  int column(const YAML::Mark& mark) const {
    const auto line = static_cast<std::size_t>(std::max(0, mark.line));
    if (mark.is_null() || line >= begins_.size()) return mark.column + 1;
    const auto before = text_.substr(begins_[line], static_cast<std::size_t>(mark.column));
    return 1 + static_cast<int>(std::ranges::count_if(
                   before, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> begins_{0};
};

// Copies the library's tree; stops at the limits.
class Copier {
 public:
  Copier(const std::string& file, std::string_view text, std::vector<Problem>& problems,
         const YamlLimits& limits)
      : file_(file), lines_(text), problems_(problems), limits_(limits) {}

  YamlNode copy(const YAML::Node& from, std::size_t depth) {
    YamlNode to;
    to.line = from.Mark().line + 1;
    to.column = lines_.column(from.Mark());
    if (failed_) return to;
    const auto within = [&](const YAML::Node& outer) { return outer.is(from); };
    if (std::ranges::any_of(path_, within))
      return fail(to, "an alias refers to what it is part of");
    if (depth > limits_.depth)
      return fail(to, fmt::format("nested deeper than {} levels", limits_.depth));
    if (++nodes_ > limits_.nodes)
      return fail(to, fmt::format("more than {} values, aliases included", limits_.nodes));
    if (from.IsScalar()) {
      to.kind = YamlNode::Kind::scalar;
      to.text = from.Scalar();
      to.quoted = from.Tag() == "!" || from.Tag() == "tag:yaml.org,2002:str";
    }
    path_.push_back(from);
    if (from.IsSequence()) {
      to.kind = YamlNode::Kind::list;
      for (const auto& item : from) to.items.push_back(copy(item, depth + 1));
    } else if (from.IsMap()) {
      to.kind = YamlNode::Kind::map;
      for (const auto& member : from) add_member(to, member.first, member.second, depth);
    }
    path_.pop_back();
    return to;
  }

  // The tree ends somewhere in the middle.
  bool failed() const { return failed_; }

 private:
  void add_member(YamlNode& to, const YAML::Node& key, const YAML::Node& value, std::size_t depth) {
    YamlNode name = copy(key, depth + 1);
    if (failed_) return;
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
  const Lines lines_;
  std::vector<Problem>& problems_;
  const YamlLimits& limits_;
  std::size_t nodes_ = 0;
  std::vector<YAML::Node> path_;  // from the top to what is copied now
  bool failed_ = false;
};

// Looks at where documents start, nothing else.
class DocumentStarts : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { last = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  YAML::Mark last;
};

// What the library leaves over after one document is another one to it. Its own way to read all of
// them never ends at text that it cannot read, and Load ignores the rest.
std::optional<YAML::Mark> find_second_document(std::string_view text) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  DocumentStarts starts;
  if (!parser.HandleNextDocument(starts) || !parser.HandleNextDocument(starts)) return std::nullopt;
  return starts.last;
}

// Where a byte stands that begins no character; the library passes such bytes on.
std::optional<std::size_t> find_bad_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const wire::Utf8Char next = wire::first_utf8(text.substr(at));
    if (next.size == 0) return at;
    at += next.size;
  }
  return std::nullopt;
}

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
  if (const auto bad = find_bad_utf8(text)) {
    const wire::TextPosition at = wire::locate(text, *bad);
    problems.push_back({.place = {file, static_cast<int>(at.line), static_cast<int>(at.column)},
                        .message = "not valid UTF-8"});
    return nullptr;
  }
  if (auto tree = json_tree(text, limits)) return tree;
  try {
    const auto rest = find_second_document(text);
    if (rest) {
      // Text that looks like UTF-16 is longer for the parser than it is.
      const std::size_t at = std::min(static_cast<std::size_t>(rest->pos), text.size());
      const bool marked = text.substr(at).starts_with("---");
      problems.push_back({.place = {file, rest->line + 1, Lines(text).column(*rest)},
                          .message = marked ? "only one document per file"
                                            : "not valid YAML: this cannot stand here"});
      return nullptr;
    }
    Copier copier(file, text, problems, limits);
    auto tree = std::make_unique<YamlNode>(copier.copy(YAML::Load(std::string(text)), 0));
    return copier.failed() ? nullptr : std::move(tree);
  } catch (const YAML::Exception& failure) {
    problems.push_back({.place = {file, failure.mark.line + 1, Lines(text).column(failure.mark)},
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
