// SPDX-License-Identifier: Apache-2.0
#include "policy/body_template.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "model/outcome.h"
#include "policy/http_date.h"

namespace weir::policy {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";
constexpr std::size_t kBracketsMax = 48;  // "[" IPv6 address with zone "]"
constexpr std::size_t kQuotedMax =
    512;                           // a longer "quoted string" is two unrelated quotation marks
constexpr std::size_t kIdMin = 8;  // a word with letters and digits of this length is an id

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
// Bytes of UTF-8 sequences count as letters, so that words of other languages stay whole.
bool is_word(char c) { return is_digit(c) || is_alpha(c) || static_cast<unsigned char>(c) >= 0x80; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }

template <class Test>
bool all(std::string_view text, Test test) {
  return !text.empty() && std::all_of(text.begin(), text.end(), test);
}

// 'd' stands for a digit, 'x' for a hex digit, everything else for itself.
bool fits(std::string_view text, std::string_view shape) {
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool good = shape[i] == 'd'   ? is_digit(text[i])
                      : shape[i] == 'x' ? is_hex(text[i])
                                        : text[i] == shape[i];
    if (!good) return false;
  }
  return true;
}

bool starts_like(std::string_view text, std::string_view shape) {
  return fits(text.substr(0, shape.size()), shape);
}

bool is_ipv4(std::string_view run) {
  int parts = 1;
  std::size_t digits = 0;
  for (const char c : run.substr(0, run.find_first_of(":/"))) {
    if (is_digit(c) && ++digits <= 3) continue;
    if (c != '.' || digits == 0) return false;
    ++parts;
    digits = 0;
  }
  return parts == 4 && digits > 0;
}

bool is_ipv6(std::string_view run) {
  if (run.starts_with('[')) run.remove_prefix(1);
  run = run.substr(0, run.find_first_of("]%"));
  const auto colons = std::count(run.begin(), run.end(), ':');
  const bool compressed = run.find("::") != std::string_view::npos;
  if (colons < 2 || (colons != 7 && !compressed)) return false;
  return std::all_of(run.begin(), run.end(),
                     [](char c) { return is_hex(c) || c == ':' || c == '.'; });
}

bool is_email(std::string_view run) {
  const auto at = run.find('@');
  return at != std::string_view::npos && at > 0 && run.find('.', at) != std::string_view::npos;
}

bool is_time(std::string_view run) {
  return starts_like(run, "dddd-dd-dd") || starts_like(run, "dddd/dd/dd") ||
         starts_like(run, "dd:dd:dd");
}

// What a whole run between spaces and brackets is; empty if it is made of words.
std::string_view kind_of_run(std::string_view run) {
  if (run.find("://") != std::string_view::npos) return "<url>";
  if (is_email(run)) return "<email>";
  if (is_time(run)) return "<time>";
  if (is_ipv4(run) || is_ipv6(run)) return "<addr>";
  if (run.size() >= 36 && starts_like(run, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") &&
      run.size() == 36)
    return "<id>";
  return {};
}

// What one word is; empty if it stays, apart from its digits.
std::string_view kind_of_word(std::string_view word) {
  if (all(word, is_digit)) return "<n>";
  const bool prefixed = word.starts_with("0x") || word.starts_with("0X");
  if (prefixed && all(word.substr(2), is_hex)) return word.size() > 10 ? "<addr>" : "<hex>";
  const auto digits = std::count_if(word.begin(), word.end(), is_digit);
  if (word.size() >= kIdMin && digits > 0 && all(word, is_hex)) return "<hex>";
  if (word.size() >= kIdMin && digits >= 2) return "<id>";
  return {};
}

class Template {
 public:
  Template(std::string_view text, bool json) : text_(text), json_(json) {}

  std::string make() {
    while (at_ < text_.size() && out_.size() < kTemplateMax) step();
    while (!out_.empty() && out_.back() == ' ') out_.pop_back();
    if (out_.size() > kTemplateMax) out_.resize(kTemplateMax);
    return std::move(out_);
  }

 private:
  void step() {
    const char c = text_[at_];
    if (is_space(c)) return fold_space();
    if (is_quote(c) && opens_quote()) return quoted();
    if (is_alpha(c) && dated()) return;
    if (is_word(c) || (c == '[' && in_brackets())) return run();
    out_ += c;
    ++at_;
  }

  void fold_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    if (!out_.empty()) out_ += ' ';
  }

  // An apostrophe inside a word ("can't") opens nothing.
  bool opens_quote() const { return at_ == 0 || !is_word(text_[at_ - 1]); }

  void quoted() {
    const char quote = text_[at_];
    const std::size_t end = closing(quote);
    if (end == std::string_view::npos) {
      out_ += quote;
      ++at_;
      return;
    }
    const std::string_view content = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (!json_ || quote != '"') return append("<str>");
    json_string(content);
  }

  std::size_t closing(char quote) const {
    const std::size_t last = std::min(text_.size(), at_ + 1 + kQuotedMax);
    for (std::size_t i = at_ + 1; i < last; ++i) {
      if (text_[i] == '\\')
        ++i;
      else if (text_[i] == '\n' && !json_)
        break;
      else if (text_[i] == quote &&
               (quote != '\'' || i + 1 == text_.size() || !is_word(text_[i + 1])))
        return i;
    }
    return std::string_view::npos;
  }

  // A member's name stays; its value stays, as a template, if the member says what happened.
  void json_string(std::string_view content) {
    const std::size_t next = text_.find_first_not_of(kSpaces, at_);
    if (next != std::string_view::npos && text_[next] == ':') {
      append(content);
      telling_ = is_telling(content);
      return;
    }
    if (!telling_) return append("<str>");
    append(Template(content, false).make());
  }

  static bool is_telling(std::string_view name) {
    static constexpr std::array<std::string_view, 11> kNames = {
        "error", "errors", "message", "msg",       "reason",   "code",
        "type",  "title",  "status",  "errorCode", "exception"};
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
  }

  bool dated() {
    for (const std::size_t length : {29u, 24u}) {
      if (text_.size() - at_ < length || !parse_http_date(text_.substr(at_, length), WallTime{}))
        continue;
      append("<time>");
      at_ += length;
      return true;
    }
    return false;
  }

  bool in_brackets() const {
    const std::string_view near = text_.substr(at_, kBracketsMax);
    const auto end = near.find(']');
    return end != std::string_view::npos && is_ipv6(near.substr(0, end + 1));
  }

  void run() {
    constexpr std::string_view kEnds = " \t\r\n\"'`<>(){},;|=";
    std::size_t end = at_;
    while (end < text_.size() && kEnds.find(text_[end]) == std::string_view::npos) ++end;
    // Query strings belong to a URL.
    const std::string_view head = text_.substr(at_, end - at_);
    if (head.find("://") != std::string_view::npos)
      end = std::min(text_.find_first_of(" \t\r\n\"'`<>", at_), text_.size());
    std::string_view whole = text_.substr(at_, end - at_);
    while (!whole.empty() && (whole.back() == '.' || whole.back() == ':')) whole.remove_suffix(1);
    at_ += whole.size();
    if (const auto kind = kind_of_run(whole); !kind.empty()) return append(kind);
    words(whole);
  }

  void words(std::string_view run) {
    std::size_t i = 0;
    while (i < run.size()) {
      if (!is_word(run[i])) {
        out_ += run[i++];
        continue;
      }
      if (starts_like(run.substr(i), "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")) {
        append("<id>");
        i += 36;
        continue;
      }
      std::size_t end = i;
      while (end < run.size() && is_word(run[end])) ++end;
      const bool fraction = all(run.substr(i, end - i), is_digit) && end + 1 < run.size() &&
                            run[end] == '.' && is_digit(run[end + 1]);
      if (fraction) ++end;
      while (fraction && end < run.size() && is_digit(run[end])) ++end;
      fraction ? append("<n>") : word(run.substr(i, end - i));
      i = end;
    }
  }

  void word(std::string_view word) {
    if (const auto kind = kind_of_word(word); !kind.empty()) return append(kind);
    for (std::size_t i = 0; i < word.size(); ++i) {
      if (!is_digit(word[i]))
        out_ += word[i];
      else if (i == 0 || !is_digit(word[i - 1]))
        append("<n>");
    }
  }

  void append(std::string_view piece) { out_ += piece; }

  std::string_view text_;
  bool json_;
  bool telling_ = false;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string body_template(std::string_view text) {
  text = text.substr(0, kOutcomeBodyMax);
  const auto first = text.find_first_not_of(kSpaces);
  return Template(text, first != std::string_view::npos && text[first] == '{').make();
}

}  // namespace weir::policy
