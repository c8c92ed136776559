// SPDX-License-Identifier: Apache-2.0
// Whatever the JSON reader accepts can be walked, written again, and read back as the same
// document.

#include "base/assert.h"
#include "input.h"
#include "wire/json.h"

namespace {

using weir::wire::Json;
using weir::wire::JsonType;
using weir::wire::JsonWriter;

void rewrite(const Json& value, JsonWriter& out) {
  switch (value.type()) {
    case JsonType::null: out.null(); break;
    case JsonType::boolean: out.value(value.boolean()); break;
    case JsonType::number:
      (void)value.number();
      (void)value.integer();
      out.raw(value.raw());
      break;
    case JsonType::string: out.value(value.string()); break;
    case JsonType::array:
      out.begin_array();
      for (const Json element : value) rewrite(element, out);
      out.end_array();
      break;
    case JsonType::object:
      out.begin_object();
      for (const Json member : value) {
        WEIR_ASSERT(value.find(member.key()).has_value());
        rewrite(member, out.key(member.key()));
      }
      out.end_object();
      break;
  }
}

std::string rewritten(const weir::wire::JsonDocument& document) {
  JsonWriter out;
  rewrite(document.root(), out);
  return std::move(out).take();
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  const auto document = weir::wire::parse_json(text);
  if (!document.ok()) {
    WEIR_ASSERT(document.error().detail.starts_with("line "));
    return;
  }
  const std::string once = rewritten(*document);
  const auto again = weir::wire::parse_json(once);
  WEIR_ASSERT(again.ok());
  WEIR_ASSERT(rewritten(*again) == once);
}
