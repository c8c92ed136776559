// SPDX-License-Identifier: Apache-2.0
#include "policy/hidden_values.h"

#include <algorithm>
#include <vector>

#include "policy/redaction.h"
#include "wire/percent.h"

namespace weir::policy {
namespace {

std::string in_lower_case(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lowered;
}

struct Span {
  std::size_t from;
  std::size_t to;
};

// How much of the value's beginning ends the text; 0 if too little.
std::size_t begun_at_end(std::string_view text, std::string_view value) {
  const std::size_t most = std::min(text.size(), value.size() - 1);
  for (std::size_t size = most; size >= HiddenValues::kSearchedMin; --size) {
    if (text.ends_with(value.substr(0, size))) return size;
  }
  return 0;
}

void add_spans(std::string_view text, std::string_view value, bool was_cut,
               std::vector<Span>& into) {
  for (auto at = text.find(value); at != text.npos; at = text.find(value, at + 1))
    into.push_back({at, at + value.size()});
  if (!was_cut) return;
  if (const std::size_t size = begun_at_end(text, value); size > 0)
    into.push_back({text.size() - size, text.size()});
}

}  // namespace

void HiddenValues::add_form(std::string_view form) {
  if (form.size() < kSearchedMin || everything_) return;
  values_.insert(in_lower_case(form));
  if (values_.size() > kValuesMax) everything_ = true;
}

void HiddenValues::add(std::string_view value) {
  if (value.size() < kSearchedMin) return;
  add_form(value);
  std::string as_json;
  wire::append_json_string(as_json, value);
  add_form(std::string_view(as_json).substr(1, as_json.size() - 2));
  add_form(wire::percent_encode(value));
}

std::string HiddenValues::redact(std::string_view text, bool was_cut) const {
  if (everything_) return std::string(text.empty() ? text : kMask);
  if (values_.empty()) return std::string(text);
  const std::string lowered = in_lower_case(text);
  std::vector<Span> spans;
  for (const std::string& value : values_) add_spans(lowered, value, was_cut, spans);
  std::ranges::sort(spans, {}, &Span::from);
  std::string shown;
  std::size_t done = 0;
  for (std::size_t at = 0; at < spans.size();) {
    const std::size_t from = spans[at].from;
    std::size_t to = spans[at].to;
    for (++at; at < spans.size() && spans[at].from <= to; ++at) to = std::max(to, spans[at].to);
    shown.append(text.substr(done, from - done)).append(kMask);
    done = to;
  }
  return shown.append(text.substr(done));
}

}  // namespace weir::policy
