// SPDX-License-Identifier: Apache-2.0
// A strict JSON reader (RFC 8259) over the caller's bytes, and a writer. The reader keeps the raw text of every value:
// payloads are passed on as they came, and numbers keep their spelling.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::wire {

struct JsonLimits {
  std::size_t depth = 64;
  std::size_t keys = 10'000;          // per object
  std::size_t values = 1'000'000;     // in the document
};

enum class JsonType : std::uint8_t { null, boolean, number, string, array, object };

class JsonDocument;

// A cheap handle to one value; valid while its JsonDocument and the source text live.
class Json {
 public:
  class Iterator;

  JsonType type() const;
  bool is(JsonType wanted) const { return type() == wanted; }
  std::string_view raw() const;                 // exact source text of the value
  bool boolean() const;                         // type boolean only
  double number() const;                        // type number only; raw() has its spelling
  std::optional<std::int64_t> integer() const;  // type number only: without fraction or exponent, and it fits
  std::string_view string() const;              // type string only, escapes decoded; lives as long as the document
  std::size_t size() const;                     // elements or members; 0 for scalars
  std::optional<Json> find(std::string_view key) const;  // type object only; nullopt if absent
  std::string_view key() const;                 // the decoded name, for a value met while iterating over an object
  // Over elements or members, in source order: for (Json item : array)
  Iterator begin() const;
  Iterator end() const;

 private:
  friend class JsonDocument;
  Json(const JsonDocument* document, std::uint32_t node) : document_(document), node_(node) {}
  const JsonDocument* document_;
  std::uint32_t node_;
};

// JsonDocument parse_json(text): owns the node table, views the text (which must outlive it).
// Refuses: bad UTF-8, duplicate keys, lone surrogates, leading zeros, trailing text, control characters, too deep.
// Error: Code::malformed_json with "line L, column C: what" in its detail.
Result<JsonDocument> parse_json(std::string_view text, const JsonLimits& limits = {});

// Appends JSON text. Commas are its business; the caller keeps begin and end in balance.
class JsonWriter {
 public:
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(std::int64_t number);
  JsonWriter& value(std::uint64_t number);
  JsonWriter& value(int number) { return value(static_cast<std::int64_t>(number)); }
  JsonWriter& value(unsigned number) { return value(static_cast<std::uint64_t>(number)); }
  JsonWriter& value(double number);             // shortest form that reads back; NaN and infinities become null
  JsonWriter& value(bool flag);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);       // already valid JSON
  template <class T>
  JsonWriter& field(std::string_view name, const T& content) { return key(name).value(content); }
  std::string take() && { return std::move(text_); }
  const std::string& text() const { return text_; }

 private:
  void separate();
  std::string text_;
  bool need_comma_ = false;
};

// Appends `text` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace weir::wire
