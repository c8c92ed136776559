// SPDX-License-Identifier: Apache-2.0
// A strict JSON reader (RFC 8259) over the caller's bytes, and a writer. The reader keeps the raw
// text of every value: payloads are passed on as they came, and numbers keep their spelling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace weir::wire {

inline constexpr std::size_t kJsonBytesMax = std::size_t{64} << 20;  // of one document
inline constexpr std::size_t kJsonDepthMax = 1'000;                  // whatever the limits say

struct JsonLimits {
  std::size_t depth = 64;          // nested arrays and objects
  std::size_t keys = 10'000;       // per object
  std::size_t values = 1'000'000;  // in the document
};

enum class JsonType : std::uint8_t { null, boolean, number, string, array, object };

// A place in a text, for people: both count from 1, columns in characters.
struct TextPosition {
  std::size_t line = 1;
  std::size_t column = 1;
  bool operator==(const TextPosition&) const = default;
};
TextPosition locate(std::string_view text, std::size_t offset);

class JsonDocument;

// A cheap handle to one value; valid while its JsonDocument stays in place and the source text
// lives.
class Json {
 public:
  class Iterator;

  JsonType type() const;
  bool is(JsonType wanted) const { return type() == wanted; }
  std::string_view raw() const;  // exact source text of the value
  std::size_t offset() const;    // of raw() in the source text
  bool boolean() const;          // type boolean only
  double number() const;         // type number only; raw() has its spelling
  // Type number only: without fraction or exponent, and it fits.
  std::optional<std::int64_t> integer() const;
  // Type string only, escapes decoded; lives as long as the document, also when that is moved.
  std::string_view string() const;
  std::size_t size() const;  // elements or members; 0 for scalars
  // Type object only; nullopt if absent. Walks over the members.
  std::optional<Json> find(std::string_view key) const;
  // The decoded name of an object's member, and where it starts; empty and 0 for other values.
  std::string_view key() const;
  std::size_t key_offset() const;
  // Over elements or members, in source order: for (Json item : array)
  Iterator begin() const;
  Iterator end() const;

 private:
  friend class JsonDocument;
  Json(const JsonDocument* document, std::uint32_t node) : document_(document), node_(node) {}
  const JsonDocument* document_;
  std::uint32_t node_;
};

class Json::Iterator {
 public:
  using value_type = Json;
  using difference_type = std::ptrdiff_t;
  using iterator_category = std::input_iterator_tag;
  using pointer = const Json*;
  using reference = Json;

  Json operator*() const { return at_; }
  Iterator& operator++();
  Iterator operator++(int) {
    const Iterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Iterator& other) const { return at_.node_ == other.at_.node_; }

 private:
  friend class Json;
  Iterator(Json at, std::uint32_t stride) : at_(at), stride_(stride) {}
  Json at_;
  std::uint32_t stride_;  // name nodes in front of each value: 1 in objects, 0 in arrays
};

// Owns the node table and the decoded strings, views the source text.
class JsonDocument {
 public:
  Json root() const { return {this, 0}; }

 private:
  friend class Json;
  friend class JsonParser;
  // Values in source order; a member is its name's node followed by its value's. 16 bytes each.
  struct Node {
    std::uint32_t begin;  // raw text within the source
    std::uint32_t size;
    std::uint32_t link;  // containers: the node after their last; escaped strings: into decoded_
    JsonType type : 3;
    bool is_key : 1;
    bool escaped : 1;
    std::uint32_t count : 27;  // containers: elements or members; escaped strings: decoded bytes
  };
  static_assert(sizeof(Node) == 16 && kJsonBytesMax < (1u << 27));

  JsonDocument() = default;
  std::uint32_t after(std::uint32_t node) const {
    return nodes_[node].type >= JsonType::array ? nodes_[node].link : node + 1;
  }
  std::string_view raw(std::uint32_t node) const {
    return text_.substr(nodes_[node].begin, nodes_[node].size);
  }
  std::string_view string(std::uint32_t node) const {
    const Node& found = nodes_[node];
    if (found.escaped) return {decoded_.data() + found.link, found.count};
    return text_.substr(found.begin + 1, found.size - 2);
  }

  std::string_view text_;
  std::vector<Node> nodes_;
  std::vector<char> decoded_;
};

// The text must outlive the document.
// Refuses: bad UTF-8, duplicate names, lone surrogates, leading zeros, trailing text, control
// characters, too deep. Error: Code::malformed_json with "line L, column C: what" in its detail.
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
  JsonWriter& value(
      double number);  // shortest form that reads back; NaN and infinities become null
  JsonWriter& value(bool flag);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // already valid JSON
  template <class T>
  JsonWriter& field(std::string_view name, const T& content) {
    return key(name).value(content);
  }
  std::string take() && { return std::move(text_); }
  const std::string& text() const { return text_; }

 private:
  void separate();
  std::string text_;
  bool need_comma_ = false;
};

// RFC 3339. An absent time (epoch zero) is left out.
void time_field(JsonWriter& json, std::string_view name, WallTime time);

// Appends `text` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace weir::wire
