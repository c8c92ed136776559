// SPDX-License-Identifier: Apache-2.0
#include "policy/structured_fields.h"

namespace weir::policy {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alpha(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

bool is_key_char(char c) {
  return is_lower(c) || is_digit(c) || std::string_view("_-.*").find(c) != std::string_view::npos;
}

bool is_token_char(char c) {
  return is_alpha(c) || is_digit(c) ||
         std::string_view("!#$%&'*+-.^_`|~:/").find(c) != std::string_view::npos;
}

// Each function takes one element from the front, or fails.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool accept(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip(std::string_view which) {
    while (!rest_.empty() && which.find(rest_.front()) != std::string_view::npos)
      rest_.remove_prefix(1);
  }

  bool item(FieldItem& into) {
    if (!bare(into.value)) return false;
    while (accept(';')) {
      skip(" ");
      if (into.parameters == FieldItem::kParametersMax || !key(into.keys[into.parameters]))
        return false;
      if (accept('=') && !bare(into.values[into.parameters])) return false;
      ++into.parameters;
    }
    return true;
  }

 private:
  template <class Of>
  std::string_view take_while(Of of) {
    std::size_t length = 0;
    while (length < rest_.size() && of(rest_[length])) ++length;
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }

  bool key(std::string_view& into) {
    if (rest_.empty() || (!is_lower(rest_.front()) && rest_.front() != '*')) return false;
    into = take_while(is_key_char);
    return true;
  }

  bool bare(FieldValue& into) {
    if (rest_.empty()) return false;
    const char first = rest_.front();
    if (first == '"') return string(into);
    if (is_digit(first) || first == '-') return number(into);
    if (is_alpha(first) || first == '*') {
      into = {FieldValue::Kind::text, take_while(is_token_char), 0};
      return true;
    }
    return other();
  }

  bool string(FieldValue& into) {
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] < ' ' || rest_[i] > '~') return false;
      if (rest_[i] == '"') {
        into = {FieldValue::Kind::text, rest_.substr(1, i - 1), 0};
        rest_.remove_prefix(i + 1);
        return true;
      }
      if (rest_[i] != '\\') continue;
      ++i;
      if (i >= rest_.size() || (rest_[i] != '"' && rest_[i] != '\\')) return false;
    }
    return false;
  }

  // At most 15 digits, or 12 and 3 after the point: exact in a double.
  bool number(FieldValue& into) {
    const bool negative = accept('-');
    const std::string_view whole = take_while(is_digit);
    double value = 0;
    for (const char c : whole) value = value * 10 + (c - '0');
    bool good = !whole.empty() && whole.size() <= 15;
    if (accept('.')) {
      const std::string_view part = take_while(is_digit);
      good = good && whole.size() <= 12 && !part.empty() && part.size() <= 3;
      double scale = 1;
      for (const char c : part) value += (c - '0') * (scale /= 10);
    }
    into = {FieldValue::Kind::number, {}, negative ? -value : value};
    return good;
  }

  // Byte sequence, boolean, date, display string: passed over.
  bool other() {
    if (accept(':')) {
      take_while(
          [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '/' || c == '='; });
      return accept(':');
    }
    if (accept('?')) return accept('0') || accept('1');
    FieldValue ignored;
    if (accept('@')) return number(ignored);
    if (accept('%')) return !rest_.empty() && rest_.front() == '"' && string(ignored);
    return false;
  }

  std::string_view rest_;
};

}  // namespace

const FieldValue* FieldItem::find(std::string_view key) const {
  for (std::size_t i = parameters; i > 0; --i) {
    if (keys[i - 1] == key) return &values[i - 1];
  }
  return nullptr;
}

std::optional<double> FieldItem::number(std::string_view key) const {
  const FieldValue* found = find(key);
  if (found == nullptr || found->kind != FieldValue::Kind::number || found->number < 0) return {};
  return found->number;
}

bool parse_field_list(std::string_view text, FieldList& into) {
  into.count = 0;
  if (text.size() > kFieldMax) return false;
  Reader in(text);
  in.skip(" ");
  while (!in.at_end()) {
    if (into.count == FieldList::kItemsMax) return false;
    into.items[into.count].parameters = 0;
    if (!in.item(into.items[into.count++])) return false;
    in.skip(" \t");
    if (in.at_end()) return true;
    if (!in.accept(',')) return false;
    in.skip(" \t");
    if (in.at_end()) return false;  // a comma with nothing behind it
  }
  return true;
}

}  // namespace weir::policy
