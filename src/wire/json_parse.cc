// SPDX-License-Identifier: Apache-2.0
// One pass, recursive descent (the depth is bounded), a flat node table as result.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "wire/json.h"
#include "wire/utf8.h"

namespace weir::wire {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighs = 0x8080808080808080;

// The first byte of [at, end) that a string cannot simply contain: a quote, a backslash, a control
// character or the start of a character beyond ASCII. Eight bytes at a time; the tests are exact
// for the lowest byte they flag.
const char* skip_plain(const char* at, const char* end) {
  static_assert(std::endian::native == std::endian::little);
  while (end - at >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    const std::uint64_t quote = word ^ (kOnes * '"');
    const std::uint64_t backslash = word ^ (kOnes * '\\');
    const std::uint64_t found = (((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) |
                                 (word - kOnes * 0x20) | word) &
                                kHighs;
    if (found != 0) return at + std::countr_zero(found) / 8;
    at += 8;
  }
  while (at != end && *at != '"' && *at != '\\' && static_cast<std::uint8_t>(*at - 0x20) < 0x60)
    ++at;
  return at;
}

bool is_digit(char c) { return static_cast<std::uint8_t>(c - '0') < 10; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

class JsonParser {
 public:
  JsonParser(std::string_view text, const JsonLimits& limits)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), limits_(limits) {
    document_.text_ = text;
    limits_.depth = std::min(limits_.depth, kJsonDepthMax);
  }

  Result<JsonDocument> run() {
    if (document_.text_.size() > kJsonBytesMax)
      return Error{Code::malformed_json, "larger than 64 MiB", ""};
    document_.nodes_.reserve(std::min<std::size_t>(document_.text_.size() / 16 + 4, 4096));
    skip_space();
    if (!value(0) || !only_space_left()) {
      const TextPosition place = locate(document_.text_, static_cast<std::size_t>(at_ - begin_));
      return Error{Code::malformed_json,
                   fmt::format("line {}, column {}: {}", place.line, place.column, what_), ""};
    }
    return std::move(document_);
  }

 private:
  using Node = JsonDocument::Node;

  // Every parsing function leaves at_ behind what it read, or at the fault and returns false.
  bool fail(std::string_view what) {
    what_ = what;
    return false;
  }

  char peek() const { return at_ == end_ ? '\0' : *at_; }
  std::uint32_t offset(const char* at) const { return static_cast<std::uint32_t>(at - begin_); }

  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  bool only_space_left() {
    skip_space();
    return at_ == end_ || fail("text after the end of the document");
  }

  // Fields are written in place: built beside the table and copied into it, a node would be read
  // back before its narrower stores have left the processor, a stall for every value.
  std::uint32_t push(JsonType type, const char* from, bool is_key = false) {
    const auto index = static_cast<std::uint32_t>(document_.nodes_.size());
    Node& node = document_.nodes_.emplace_back();
    node.begin = offset(from);
    node.size = offset(at_) - offset(from);
    node.type = type;
    node.is_key = is_key;
    return index;
  }

  bool value(std::size_t depth) {
    if (++values_ > limits_.values) return fail("too many values in one document");
    switch (peek()) {
      case '{': return object(depth);
      case '[': return array(depth);
      case '"': return string(false);
      case 't': return literal("true", JsonType::boolean);
      case 'f': return literal("false", JsonType::boolean);
      case 'n': return literal("null", JsonType::null);
      default: return number();
    }
  }

  bool literal(std::string_view word, JsonType type) {
    const char* from = at_;
    if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word)) {
      at_ += word.size();
      push(type, from);
      return true;
    }
    return fail("expected a value");
  }

  bool digits() {
    if (!is_digit(peek())) return fail("expected a digit");
    while (is_digit(peek())) ++at_;
    return true;
  }

  bool number() {
    const char* from = at_;
    if (peek() == '-') ++at_;
    if (!is_digit(peek())) return fail(expected_value(from));
    if (peek() == '0') {
      ++at_;
      if (is_digit(peek())) return fail("a number may not start with a zero");
    }
    while (is_digit(peek())) ++at_;
    if (peek() == '.') {
      ++at_;
      if (!digits()) return false;
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!digits()) return false;
    }
    push(JsonType::number, from);
    return true;
  }

  std::string_view expected_value(const char* from) const {
    if (at_ != from) return "expected a digit";
    if (at_ == end_) return "the document ends where a value is expected";
    if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with("\xEF\xBB\xBF")) {
      return "a byte order mark is not allowed";
    }
    return "expected a value";
  }

  bool array(std::size_t depth) {
    if (depth >= limits_.depth) return fail("nested too deeply");
    const char* from = at_++;
    const std::uint32_t self = push(JsonType::array, from);
    std::uint32_t count = 0;
    skip_space();
    if (peek() == ']') return close(self, from, count);
    while (true) {
      if (!value(depth + 1)) return false;
      ++count;
      skip_space();
      if (peek() == ']') return close(self, from, count);
      if (peek() != ',') return fail("expected ',' or ']'");
      ++at_;
      skip_space();
    }
  }

  bool object(std::size_t depth) {
    if (depth >= limits_.depth) return fail("nested too deeply");
    const char* from = at_++;
    const std::uint32_t self = push(JsonType::object, from);
    std::uint32_t count = 0;
    skip_space();
    if (peek() == '}') return close(self, from, count);
    while (true) {
      if (peek() != '"') return fail("expected a name in double quotes");
      if (++count > limits_.keys) return fail("too many names in one object");
      if (!string(true)) return false;
      skip_space();
      if (peek() != ':') return fail("expected ':' after a name");
      ++at_;
      skip_space();
      if (!value(depth + 1)) return false;
      skip_space();
      if (peek() == '}') return close(self, from, count) && names_differ(self, count);
      if (peek() != ',') return fail("expected ',' or '}'");
      ++at_;
      skip_space();
    }
  }

  bool close(std::uint32_t self, const char* from, std::uint32_t count) {
    ++at_;
    Node& node = document_.nodes_[self];
    node.size = offset(at_) - offset(from);
    node.link = static_cast<std::uint32_t>(document_.nodes_.size());
    node.count = count;
    return true;
  }

  bool duplicate(std::uint32_t name) {
    at_ = begin_ + document_.nodes_[name].begin;
    return fail("this name stands twice in one object");
  }

  // Few names compare in pairs, more go through a small table, and many are sorted by hash: no
  // input makes this quadratic beyond kTabledNames.
  bool names_differ(std::uint32_t object, std::uint32_t count) {
    if (count <= kPairwiseNames) return few_names_differ(object);
    return count <= kTabledNames ? tabled_names_differ(object) : many_names_differ(object);
  }

  bool few_names_differ(std::uint32_t object) {
    std::array<std::string_view, kPairwiseNames> seen;
    std::size_t used = 0;
    const std::uint32_t last = document_.nodes_[object].link;
    for (std::uint32_t name = object + 1; name != last; name = document_.after(name + 1)) {
      const std::string_view text = document_.string(name);
      for (std::size_t i = 0; i < used; ++i) {
        if (seen[i] == text) return duplicate(name);
      }
      seen[used++] = text;
    }
    return true;
  }

  bool tabled_names_differ(std::uint32_t object) {
    constexpr std::size_t kSlots = 2 * kTabledNames;
    std::array<std::uint32_t, kSlots> slots{};  // node 0 is no name
    const std::uint32_t last = document_.nodes_[object].link;
    for (std::uint32_t name = object + 1; name != last; name = document_.after(name + 1)) {
      const std::string_view text = document_.string(name);
      std::size_t slot = XXH3_64bits(text.data(), text.size()) % kSlots;
      for (; slots[slot] != 0; slot = (slot + 1) % kSlots) {
        if (document_.string(slots[slot]) == text) return duplicate(name);
      }
      slots[slot] = name;
    }
    return true;
  }

  bool many_names_differ(std::uint32_t object) {
    struct Name {
      std::uint64_t hash;
      std::uint32_t node;
    };
    std::vector<Name> names;
    names.reserve(document_.nodes_[object].count);
    const std::uint32_t last = document_.nodes_[object].link;
    for (std::uint32_t name = object + 1; name != last; name = document_.after(name + 1)) {
      const std::string_view text = document_.string(name);
      names.push_back({XXH3_64bits(text.data(), text.size()), name});
    }
    std::sort(names.begin(), names.end(), [this](const Name& a, const Name& b) {
      if (a.hash != b.hash) return a.hash < b.hash;
      const int order = document_.string(a.node).compare(document_.string(b.node));
      return order != 0 ? order < 0 : a.node < b.node;
    });
    for (std::size_t i = 1; i < names.size(); ++i) {
      if (names[i - 1].hash == names[i].hash &&
          document_.string(names[i - 1].node) == document_.string(names[i].node)) {
        return duplicate(names[i].node);
      }
    }
    return true;
  }

  bool string(bool is_key) {
    const char* from = at_++;
    while (true) {
      at_ = skip_plain(at_, end_);
      if (at_ == end_) return fail("the document ends inside a string");
      if (*at_ == '"') break;
      if (*at_ == '\\') return escaped_string(from, is_key);
      if (!beyond_ascii()) return false;
    }
    ++at_;
    push(JsonType::string, from, is_key);
    return true;
  }

  bool beyond_ascii() {
    if (static_cast<std::uint8_t>(*at_) < 0x20) return fail("control character in a string");
    const Utf8Char next = first_utf8(at_, end_);
    if (next.size == 0) return fail("invalid UTF-8");
    at_ += next.size;
    return true;
  }

  // at_ is at the first backslash of the string that starts at `from`.
  bool escaped_string(const char* from, bool is_key) {
    std::vector<char>& out = document_.decoded_;
    const auto start = static_cast<std::uint32_t>(out.size());
    const char* run = from + 1;
    while (true) {
      if (at_ == end_) return fail("the document ends inside a string");
      if (*at_ == '"') break;
      if (*at_ == '\\') {
        out.insert(out.end(), run, at_);
        if (!escape()) return false;
        run = at_;
      } else if (!beyond_ascii()) {
        return false;
      }
      at_ = skip_plain(at_, end_);
    }
    out.insert(out.end(), run, at_);
    ++at_;
    Node& node = document_.nodes_[push(JsonType::string, from, is_key)];
    node.escaped = true;
    node.link = start;
    node.count = static_cast<std::uint32_t>(out.size()) - start;
    return true;
  }

  bool escape() {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    ++at_;
    if (peek() == 'u') return unicode_escape();
    const std::size_t found = at_ == end_ ? std::string_view::npos : kNames.find(*at_);
    if (found == std::string_view::npos) return fail("unknown escape");
    document_.decoded_.push_back(kValues[found]);
    ++at_;
    return true;
  }

  bool unicode_escape() {
    const char* from = at_ - 1;
    std::uint32_t unit = 0;
    if (!code_unit(unit)) return false;
    if (unit >= 0xD800 && unit < 0xDC00) {
      std::uint32_t low = 0;
      if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') return lone_surrogate(from);
      ++at_;
      if (!code_unit(low)) return false;
      if (low < 0xDC00 || low > 0xDFFF) return lone_surrogate(from);
      unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    } else if (unit >= 0xDC00 && unit < 0xE000) {
      return lone_surrogate(from);
    }
    append_utf8(document_.decoded_, static_cast<char32_t>(unit));
    return true;
  }

  bool lone_surrogate(const char* from) {
    at_ = from;
    return fail("half of a surrogate pair");
  }

  // at_ is at the 'u'.
  bool code_unit(std::uint32_t& unit) {
    ++at_;
    for (int i = 0; i < 4; ++i, ++at_) {
      const int digit = at_ == end_ ? -1 : hex_value(*at_);
      if (digit < 0) return fail("expected four hexadecimal digits");
      unit = unit << 4 | static_cast<std::uint32_t>(digit);
    }
    return true;
  }

  static constexpr std::size_t kPairwiseNames = 8;
  static constexpr std::size_t kTabledNames = 128;

  const char* begin_;
  const char* at_;
  const char* end_;
  JsonLimits limits_;
  JsonDocument document_;
  std::size_t values_ = 0;
  std::string_view what_;
};

Result<JsonDocument> parse_json(std::string_view text, const JsonLimits& limits) {
  return JsonParser(text, limits).run();
}

}  // namespace weir::wire
