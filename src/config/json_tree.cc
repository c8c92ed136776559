// SPDX-License-Identifier: Apache-2.0
#include "config/json_tree.h"

#include "wire/json.h"

namespace weir::config {
namespace {

using wire::Json;
using wire::JsonType;

// No document is deeper than its limits say.
class TreeBuilder {
 public:
  explicit TreeBuilder(std::string_view text) : text_(text) {}

  YamlNode build(Json from) {
    YamlNode node = node_at(from.offset());
    switch (from.type()) {
      case JsonType::null: break;
      case JsonType::boolean:
      case JsonType::number:
        node.kind = YamlNode::Kind::scalar;
        node.text = from.raw();
        break;
      case JsonType::string:
        node.kind = YamlNode::Kind::scalar;
        node.text = from.string();
        node.quoted = true;
        break;
      case JsonType::array:
        node.kind = YamlNode::Kind::list;
        for (const Json item : from) node.items.push_back(build(item));
        break;
      case JsonType::object:
        node.kind = YamlNode::Kind::map;
        for (const Json member : from) {
          YamlNode name = node_at(member.key_offset());
          name.kind = YamlNode::Kind::scalar;
          name.text = member.key();
          name.quoted = true;
          node.members.push_back({std::move(name), build(member)});
        }
    }
    return node;
  }

 private:
  // Nodes are asked for in the order of the text, so that it is walked through once.
  YamlNode node_at(std::size_t offset) {
    const wire::TextPosition further = wire::locate(text_.substr(done_), offset - done_);
    if (further.line > 1) place_.column = 1;
    place_.line += further.line - 1;
    place_.column += further.column - 1;
    done_ = offset;
    return {.line = static_cast<int>(place_.line), .column = static_cast<int>(place_.column)};
  }

  std::string_view text_;
  std::size_t done_ = 0;  // bytes that place_ is past
  wire::TextPosition place_;
};

}  // namespace

std::unique_ptr<YamlNode> json_tree(std::string_view text, const YamlLimits& limits) {
  // To YAML a name is a node, too.
  const wire::JsonLimits json_limits{
      .depth = limits.depth, .keys = limits.nodes, .values = limits.nodes / 2};
  const auto document = wire::parse_json(text, json_limits);
  if (!document.ok()) return nullptr;
  return std::make_unique<YamlNode>(TreeBuilder(text).build(document->root()));
}

}  // namespace weir::config
