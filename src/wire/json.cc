// SPDX-License-Identifier: Apache-2.0
#include "wire/json.h"

#include <charconv>
#include <cstdlib>

#include "base/assert.h"

namespace weir::wire {

TextPosition locate(std::string_view text, std::size_t offset) {
  TextPosition place;
  const std::string_view before = text.substr(0, offset);
  for (const char c : before) {
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else if ((static_cast<std::uint8_t>(c) & 0xC0) != 0x80) {  // not inside a character
      ++place.column;
    }
  }
  return place;
}

JsonType Json::type() const { return document_->nodes_[node_].type; }

std::string_view Json::raw() const { return document_->raw(node_); }

std::size_t Json::offset() const { return document_->nodes_[node_].begin; }

bool Json::boolean() const {
  WEIR_ASSERT(is(JsonType::boolean));
  return raw().front() == 't';
}

double Json::number() const {
  WEIR_ASSERT(is(JsonType::number));
  const std::string_view text = raw();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // from_chars does not say whether it was too large or too small; strtod gives infinity or zero.
  if (error == std::errc::result_out_of_range)
    return std::strtod(std::string(text).c_str(), nullptr);
  return value;
}

std::optional<std::int64_t> Json::integer() const {
  WEIR_ASSERT(is(JsonType::number));
  const std::string_view text = raw();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view Json::string() const {
  WEIR_ASSERT(is(JsonType::string));
  return document_->string(node_);
}

std::size_t Json::size() const {
  return type() >= JsonType::array ? document_->nodes_[node_].count : 0;
}

std::optional<Json> Json::find(std::string_view key) const {
  WEIR_ASSERT(is(JsonType::object));
  const std::uint32_t last = document_->nodes_[node_].link;
  for (std::uint32_t name = node_ + 1; name != last; name = document_->after(name + 1)) {
    if (document_->string(name) == key) return Json(document_, name + 1);
  }
  return std::nullopt;
}

std::string_view Json::key() const {
  if (node_ == 0 || !document_->nodes_[node_ - 1].is_key) return {};
  return document_->string(node_ - 1);
}

std::size_t Json::key_offset() const {
  if (node_ == 0 || !document_->nodes_[node_ - 1].is_key) return 0;
  return document_->nodes_[node_ - 1].begin;
}

Json::Iterator Json::begin() const {
  const std::uint32_t stride = is(JsonType::object) ? 1 : 0;
  if (type() < JsonType::array) return end();
  return {Json(document_, node_ + 1 + stride), stride};
}

Json::Iterator Json::end() const {
  const std::uint32_t stride = is(JsonType::object) ? 1 : 0;
  return {Json(document_, document_->after(node_) + stride), stride};
}

Json::Iterator& Json::Iterator::operator++() {
  at_.node_ = at_.document_->after(at_.node_) + stride_;
  return *this;
}

}  // namespace weir::wire
