// SPDX-License-Identifier: Apache-2.0
#include "config/version.h"

#include <algorithm>

#include "wire/json.h"

namespace weir::config {
namespace {

std::string text_of(wire::Json object, std::string_view name) {
  const auto member = object.find(name);
  return member && member->is(wire::JsonType::string) ? std::string(member->string())
                                                      : std::string();
}

std::int64_t number_of(wire::Json object, std::string_view name) {
  const auto member = object.find(name);
  if (!member || !member->is(wire::JsonType::number)) return 0;
  return member->integer().value_or(0);
}

// What is below zero was not written here.
std::uint64_t count_of(wire::Json object, std::string_view name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(number_of(object, name), 0));
}

}  // namespace

std::string encode(const Version& version) {
  wire::JsonWriter json;
  json.begin_object().field("number", version.number).field("at", to_micros(version.at));
  json.field("actor", version.actor).field("reason", version.reason);
  json.field("rolledBackTo", version.rolled_back_to).key("files").begin_array();
  for (const SourceFile& file : version.files)
    json.begin_object().field("name", file.name).field("text", file.text).end_object();
  json.end_array().end_object();
  return std::move(json).take();
}

std::optional<Version> decode_version(std::string_view text) {
  const auto document = wire::parse_json(text);
  if (!document.ok() || !document->root().is(wire::JsonType::object)) return {};
  const wire::Json root = document->root();
  Version version{.number = count_of(root, "number"),
                  .at = from_micros(number_of(root, "at")),
                  .actor = text_of(root, "actor"),
                  .reason = text_of(root, "reason")};
  version.rolled_back_to = count_of(root, "rolledBackTo");
  const auto files = root.find("files");
  if (version.number == 0 || !files || !files->is(wire::JsonType::array)) return {};
  for (const wire::Json file : *files)
    version.files.push_back({text_of(file, "name"), text_of(file, "text")});
  return version;
}

}  // namespace weir::config
