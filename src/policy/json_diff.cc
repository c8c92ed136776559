// SPDX-License-Identifier: Apache-2.0
#include "policy/json_diff.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace weir::policy {
namespace {

using wire::Json;
using wire::JsonType;

using Members = std::map<std::string_view, Json, std::less<>>;

Members members_of(Json object) {
  Members members;
  for (const Json member : object) members.emplace(member.key(), member);
  return members;
}

bool is_mask(std::string_view text) { return text.starts_with("[redacted") && text.ends_with("]"); }

bool has_mask(Json value) {
  if (value.is(JsonType::string)) return is_mask(value.string());
  if (value.type() < JsonType::array) return false;
  for (const Json child : value) {
    if (has_mask(child)) return true;
  }
  return false;
}

std::string step_text(std::string_view name) {
  std::string text = "/";
  for (const char c : name) {
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return text;
}

// A value as it is and as it is shown; a mask is a text, whatever it hides.
struct Seen {
  Json value;
  Json shown;
  bool hides() const { return value.raw() != shown.raw(); }
  bool opens() const { return value.type() >= JsonType::array && value.type() == shown.type(); }
};
using Place = std::optional<Seen>;

using SeenMembers = std::map<std::string_view, Seen, std::less<>>;

SeenMembers seen_members(Seen object) {
  SeenMembers members;
  const Members shown = members_of(object.shown);
  for (const Json member : object.value)
    members.emplace(member.key(), Seen{member, shown.at(member.key())});
  return members;
}

std::vector<Seen> seen_elements(Seen array) {
  std::vector<Seen> elements;
  auto shown = array.shown.begin();
  for (const Json element : array.value) {
    elements.push_back({element, *shown});
    ++shown;
  }
  return elements;
}

class Differ {
 public:
  void compare(Place before, Place after) {
    if (before && after && same_json(before->value, after->value)) return;
    const bool open = before && after && before->opens() && after->opens() &&
                      before->value.type() == after->value.type();
    if (!open) return add(before, after);
    return before->value.is(JsonType::object) ? objects(*before, *after) : arrays(*before, *after);
  }
  std::vector<Change> take() && { return std::move(changes_); }

 private:
  void add(const Place& before, const Place& after) {
    changes_.push_back({.pointer = path_,
                        .before = std::string(before ? before->shown.raw() : ""),
                        .after = std::string(after ? after->shown.raw() : ""),
                        .hidden = (before && before->hides()) || (after && after->hides()),
                        .masks = after && has_mask(after->value)});
  }

  void step(std::string_view name, Place before, Place after) {
    const std::size_t length = path_.size();
    path_ += step_text(name);
    compare(std::move(before), std::move(after));
    path_.resize(length);
  }

  void objects(Seen before, Seen after) {
    SeenMembers old = seen_members(before);
    const SeenMembers now = seen_members(after);
    for (const Json member : after.value) {
      const auto was = old.find(member.key());
      step(member.key(), was == old.end() ? Place{} : Place{was->second}, now.at(member.key()));
      if (was != old.end()) old.erase(was);
    }
    for (const auto& [name, gone] : old) step(name, gone, std::nullopt);
  }

  void arrays(Seen before, Seen after) {
    const std::vector<Seen> old = seen_elements(before);
    const std::vector<Seen> now = seen_elements(after);
    for (std::size_t i = 0; i < std::max(old.size(), now.size()); ++i) {
      step(std::to_string(i), i < old.size() ? Place{old[i]} : Place{},
           i < now.size() ? Place{now[i]} : Place{});
    }
  }

  std::string path_;
  std::vector<Change> changes_;
};

// Copies an edited text, with the values of the original in the place of their masks.
class Unmasking {
 public:
  Unmasking(std::string_view text, bool revealed) : text_(text), revealed_(revealed) {}

  Result<> put_back(Seen original, Json edited) {
    if (!original.hides()) return {};
    if (!original.opens()) return put_value(original, edited);
    if (edited.type() != original.value.type()) return {};  // a change of what hides something
    return edited.is(JsonType::object) ? members(original, edited) : elements(original, edited);
  }
  std::string take() && { return std::move(out_.append(text_.substr(done_))); }

 private:
  Result<> put_value(Seen original, Json edited) {
    if (same_json(original.shown, edited)) {
      out_.append(text_.substr(done_, edited.offset() - done_)).append(original.value.raw());
      done_ = edited.offset() + edited.raw().size();
      return {};
    }
    if (!revealed_) return hidden_would_change(path_);
    return {};
  }

  Result<> step(std::string_view name, Seen original, Json edited) {
    const std::size_t length = path_.size();
    path_ += step_text(name);
    WEIR_CHECK(put_back(original, edited));
    path_.resize(length);
    return {};
  }

  Result<> members(Seen original, Json edited) {
    const SeenMembers known = seen_members(original);
    for (const Json member : edited) {
      const auto found = known.find(member.key());
      if (found != known.end()) WEIR_CHECK(step(member.key(), found->second, member));
    }
    return {};
  }

  Result<> elements(Seen original, Json edited) {
    const std::vector<Seen> known = seen_elements(original);
    std::size_t i = 0;
    for (const Json element : edited) {
      if (i < known.size()) WEIR_CHECK(step(std::to_string(i), known[i], element));
      ++i;
    }
    return {};
  }

  std::string_view text_;
  bool revealed_;
  std::string out_;
  std::string path_;
  std::size_t done_ = 0;
};

}  // namespace

bool same_json(Json a, Json b) {
  if (a.type() != b.type() || a.size() != b.size()) return false;
  switch (a.type()) {
    case JsonType::string: return a.string() == b.string();
    case JsonType::object: {
      const Members members = members_of(b);
      for (const Json member : a) {
        const auto found = members.find(member.key());
        if (found == members.end() || !same_json(member, found->second)) return false;
      }
      return true;
    }
    case JsonType::array: {
      auto other = b.begin();
      for (const Json element : a) {
        if (!same_json(element, *other)) return false;
        ++other;
      }
      return true;
    }
    default: return a.raw() == b.raw();
  }
}

Result<std::vector<Change>> json_diff(std::string_view before, std::string_view after,
                                      const Redaction& redaction) {
  const std::string shown_before = redaction.redact_json(before);
  const std::string shown_after = redaction.redact_json(after);
  WEIR_TRY(const auto old, wire::parse_json(before));
  WEIR_TRY(const auto now, wire::parse_json(after));
  WEIR_TRY(const auto old_shown, wire::parse_json(shown_before));
  WEIR_TRY(const auto now_shown, wire::parse_json(shown_after));
  Differ differ;
  differ.compare(Seen{old.root(), old_shown.root()}, Seen{now.root(), now_shown.root()});
  return std::move(differ).take();
}

Result<std::string> unmasked(std::string_view original, std::string_view edited,
                             const Redaction& redaction, bool revealed) {
  const std::string shown = redaction.redact_json(original);
  WEIR_TRY(const auto value, wire::parse_json(original));
  WEIR_TRY(const auto masked, wire::parse_json(shown));
  WEIR_TRY(const auto document, wire::parse_json(edited));
  Unmasking unmasking(edited, revealed);
  WEIR_CHECK(unmasking.put_back({value.root(), masked.root()}, document.root()));
  return std::move(unmasking).take();
}

Error hidden_would_change(std::string_view pointer) {
  return Error{Code::edit_hidden,
               fmt::format("'{}' is redacted, and would change", printable(pointer)),
               "leave the mask as it is; or look at it (`weir event reveal`) and add --revealed"};
}

}  // namespace weir::policy
