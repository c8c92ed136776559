// SPDX-License-Identifier: Apache-2.0
#include "policy/stack_trace.h"

#include <algorithm>
#include <array>
#include <span>

#include "model/outcome.h"
#include "policy/body_template.h"

namespace weir::policy {
namespace {

constexpr std::size_t kTypeMax = 120;
constexpr auto npos = std::string_view::npos;

struct Frame {
  std::string_view file;
  std::string_view function;
  bool library = false;
};

bool contains(std::string_view text, std::string_view part) { return text.find(part) != npos; }

bool has_any(std::string_view text, std::span<const std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](auto part) { return contains(text, part); });
}

bool starts_with_any(std::string_view text, std::span<const std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](auto part) { return text.starts_with(part); });
}

bool is_library_path(std::string_view path) {
  static constexpr std::array<std::string_view, 14> kParts = {
      "site-packages", "dist-packages", "/lib/python", "<frozen",        "node_modules",
      "node:",         "internal/",     "<anonymous>", "/usr/local/go/", "/src/runtime/",
      "/pkg/mod/",     "/gems/",        "/lib/ruby/",  "/vendor/"};
  return has_any(path, kParts);
}

bool is_library_function(std::string_view function) {
  static constexpr std::array<std::string_view, 16> kPrefixes = {
      "java.",       "javax.",
      "jakarta.",    "jdk.",
      "sun.",        "com.sun.",
      "kotlin.",     "kotlinx.",
      "scala.",      "org.springframework.",
      "org.apache.", "io.netty.",
      "reactor.",    "org.eclipse.jetty.",
      "System.",     "Microsoft."};
  if (const auto module = function.find('/'); module != npos) function.remove_prefix(module + 1);
  return starts_with_any(function, kPrefixes);
}

std::string_view before(std::string_view text, std::string_view mark) {
  return text.substr(0, text.find(mark));
}

std::string_view base_name(std::string_view path) {
  const auto slash = path.find_last_of("/\\");
  return slash == npos ? path : path.substr(slash + 1);
}

std::string_view last_part(std::string_view dotted) {
  const auto dot = dotted.rfind('.');
  return dot == npos ? dotted : dotted.substr(dot + 1);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// "dir/file.js:10:5" without its line and column.
std::string_view without_line(std::string_view place) {
  const auto name = place.find_last_of("/\\");
  const auto colon = place.find(':', name == npos ? 0 : name);
  return place.substr(0, colon);
}

// File "/app/service.py", line 10, in sync_ticket
std::optional<Frame> python_frame(std::string_view line) {
  constexpr std::string_view kIn = ", in ";
  if (!line.starts_with("File \"")) return {};
  const std::string_view path = before(line.substr(6), "\"");
  const auto in = line.find(kIn);
  const std::string_view function = in == npos ? std::string_view{} : line.substr(in + kIn.size());
  return Frame{base_name(path), function, is_library_path(path)};
}

// at com.acme.Sync.run(Sync.java:12) | at Acme.Sync.Run(String x) in /src/Sync.cs:line 12
// at sync (/app/service.js:10:5) | at /app/service.js:10:5
std::optional<Frame> at_frame(std::string_view line) {
  if (!line.starts_with("at ")) return {};
  line.remove_prefix(3);
  const auto paren = line.find('(');
  if (const auto in = line.find(") in "); in != npos && paren < in) {  // .NET with symbols
    const std::string_view function = line.substr(0, paren);
    return Frame{base_name(before(line.substr(in + 5), ":line ")), last_part(function),
                 is_library_function(function)};
  }
  if (paren == npos) {
    if (!contains(line, ":")) return {};
    return Frame{base_name(without_line(line)), {}, is_library_path(line)};
  }
  if (!line.ends_with(')')) return {};
  if (paren > 0 && line[paren - 1] == ' ') {  // JavaScript
    std::string_view function = trimmed(line.substr(0, paren));
    if (function.starts_with("async ")) function.remove_prefix(6);
    const std::string_view place = line.substr(paren + 1, line.size() - paren - 2);
    return Frame{base_name(without_line(place)), function, is_library_path(place)};
  }
  const std::string_view function = line.substr(0, paren);
  const std::string_view inside = before(line.substr(paren + 1), ")");
  const std::string_view file = contains(inside, ".") && contains(inside, ":") ? before(inside, ":")
                                                                               : "";
  return Frame{file, last_part(function), is_library_function(function)};
}

// app.rb:12:in `sync': undefined method (NoMethodError)
std::optional<Frame> ruby_frame(std::string_view line) {
  if (line.starts_with("from ")) line.remove_prefix(5);
  auto in = line.find(":in `");
  if (in == npos) in = line.find(":in '");
  if (in == npos) return {};
  return Frame{base_name(without_line(line)), before(line.substr(in + 5), "'"),
               is_library_path(line.substr(0, in))};
}

// #0 /app/sync.php(12): sync()
std::optional<Frame> php_frame(std::string_view line) {
  if (!line.starts_with('#') || !contains(line, ".php(")) return {};
  const auto space = line.find(' ');
  const auto call = line.find("): ");
  if (space == npos || call == npos || call < space) return {};
  const std::string_view path = before(line.substr(space + 1), "(");
  return Frame{base_name(path), before(line.substr(call + 3), "("), is_library_path(path)};
}

// The line after the function: "\t/app/main.go:12 +0x1d"
std::optional<Frame> go_frame(std::string_view line, std::string_view previous) {
  const auto file = line.find(".go:");
  if (file == npos || !line.starts_with('/') || previous.empty()) return {};
  const std::string_view path = line.substr(0, file + 3);
  const std::string_view call = previous.substr(0, previous.rfind('('));
  return Frame{base_name(path), base_name(call), is_library_path(path)};
}

// thread 'main' panicked at src/main.rs:12:5
std::optional<Frame> rust_frame(std::string_view line) {
  constexpr std::string_view kMark = "panicked at ";
  const auto mark = line.find(kMark);
  if (mark == npos) return {};
  const std::string_view place = line.substr(mark + kMark.size());
  return contains(place, ".rs:") ? std::optional(Frame{base_name(without_line(place)), {}, false})
                                 : std::nullopt;
}

bool is_type_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '$';
}

// A word of the line that is named like something thrown.
std::string_view type_in(std::string_view line) {
  static constexpr std::array<std::string_view, 4> kEndings = {"Error", "Exception", "Fault",
                                                               "Failure"};
  std::size_t at = 0;
  while (at < line.size()) {
    std::size_t end = at;
    while (end < line.size() && is_type_char(line[end])) ++end;
    const std::string_view word = line.substr(at, end - at);
    const bool named = std::any_of(kEndings.begin(), kEndings.end(), [&](auto ending) {
      return word.size() >= ending.size() && word.ends_with(ending);
    });
    if (named) return word;
    at = end + 1;
  }
  return {};
}

// Python's last line: "KeyError: 'repository'" or "app.errors.Stop".
std::string_view leading_type(std::string_view line) {
  const std::string_view word = before(line, ":");
  const bool good = !word.empty() && std::all_of(word.begin(), word.end(), is_type_char);
  return good ? word : std::string_view{};
}

class Trace {
 public:
  void read(std::string_view raw) {
    const std::string_view line = trimmed(raw);
    if (line.empty()) return;
    const bool indented = raw.front() == ' ' || raw.front() == '\t';
    if (contains(line, "Traceback (most recent call last)")) return begin(true);
    if (line.starts_with("Caused by: ")) begin(false);
    if (const auto frame = frame_of(line)) {
      add(*frame);
      // Ruby and Rust say both on one line.
      if (type_.empty()) note_type(line, indented);
    } else {
      note_type(line, indented);
    }
    previous_ = line;
  }

  std::optional<Thrown> result() const {
    if (type_.empty() || !any_frame_) return {};
    const Frame& frame = own_ ? *own_ : *any_frame_;
    std::string place(frame.file);
    if (!frame.function.empty()) place += (place.empty() ? "" : ":") + std::string(frame.function);
    return Thrown{type_, place};
  }

 private:
  void begin(bool python) {
    python_ = python;
    type_.clear();
    own_.reset();
    any_frame_.reset();
  }

  std::optional<Frame> frame_of(std::string_view line) const {
    if (auto frame = python_frame(line)) return frame;
    if (auto frame = at_frame(line)) return frame;
    if (auto frame = ruby_frame(line)) return frame;
    if (auto frame = php_frame(line)) return frame;
    if (auto frame = go_frame(line, previous_)) return frame;
    return rust_frame(line);
  }

  // Python prints the innermost frame last, everybody else first.
  void add(const Frame& frame) {
    if (frame.file.empty() && frame.function.empty()) return;  // it names no place
    if (python_ || !any_frame_) any_frame_ = frame;
    if (!frame.library && (python_ || !own_)) own_ = frame;
  }

  void note_type(std::string_view line, bool indented) {
    if (python_ && !indented && any_frame_ && type_.empty()) type_ = leading_type(line);
    if (python_ || !type_.empty()) return;
    if (const auto panic = line.find("panic: "); panic != npos) {
      type_ = body_template(line.substr(panic)).substr(0, kTypeMax);
    } else if (contains(line, "panicked at ")) {
      type_ = "panic";
    } else {
      type_ = type_in(line).substr(0, kTypeMax);
    }
  }

  bool python_ = false;
  std::string type_;
  std::optional<Frame> own_;
  std::optional<Frame> any_frame_;
  std::string_view previous_;
};

// A trace in a JSON string has its line ends escaped.
std::string unescape(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next != 'n' && next != 't' && next != 'r' && next != '"') {
      plain += text[i];
      continue;
    }
    plain += next == 'n' ? '\n' : next == 't' ? '\t' : next == 'r' ? ' ' : '"';
    ++i;
  }
  return plain;
}

}  // namespace

std::optional<Thrown> find_thrown(std::string_view body) {
  body = body.substr(0, kOutcomeBodyMax);
  const bool json = body.substr(0, body.find_first_not_of(" \t\r\n") + 1).ends_with('{');
  const std::string plain = json ? unescape(body) : std::string();
  std::string_view rest = json ? std::string_view(plain) : body;
  Trace trace;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    trace.read(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return trace.result();
}

}  // namespace weir::policy
