// SPDX-License-Identifier: Apache-2.0
#include "config/reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/seeded_bug.h"
#include "base/text.h"

namespace weir::config {
namespace {

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
  // from_chars also takes "inf" and "nan".
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

}  // namespace

bool is_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= 63 && text[0] != '-' && std::ranges::all_of(text, fits);
}

void Report::add(const std::string& file, const YamlNode& at, std::string message, std::string hint,
                 Code code) {
  problems.push_back({.place = {file, at.line, at.column},
                      .code = code,
                      .message = std::move(message),
                      .hint = std::move(hint)});
}

MapReader::MapReader(Report& report, std::string file, const YamlNode& node, std::string what)
    : report_(&report), file_(std::move(file)), node_(&node), what_(std::move(what)) {
  const bool fits = node.kind == YamlNode::Kind::map || node.kind == YamlNode::Kind::null;
  if (!fits) report_->add(file_, node, fmt::format("{} must be a map of settings", what_));
}

const YamlNode* MapReader::take(std::string_view key) {
  asked_.emplace_back(key);
  const YamlNode* found = node_->find(key);
  return found == nullptr || found->kind == YamlNode::Kind::null ? nullptr : found;
}

const YamlNode* MapReader::scalar(std::string_view key) {
  const YamlNode* found = take(key);
  if (found == nullptr || found->kind == YamlNode::Kind::scalar) return found;
  report_->add(file_, *found, fmt::format("'{}' must be a single value", key));
  return nullptr;
}

std::optional<MapReader> MapReader::map(std::string_view key) {
  const YamlNode* found = take(key);
  if (found == nullptr) return std::nullopt;
  return MapReader(*report_, file_, *found, fmt::format("'{}' of {}", key, what_));
}

void MapReader::problem(std::string_view key, std::string message, std::string hint) {
  const YamlNode* found = node_->find(key);
  report_->add(file_, found == nullptr ? *node_ : *found, std::move(message), std::move(hint));
}

bool MapReader::required(std::string_view key) {
  const YamlNode* found = node_->find(key);
  if (found != nullptr && found->kind != YamlNode::Kind::null) return true;
  const bool said = node_->kind == YamlNode::Kind::scalar || node_->kind == YamlNode::Kind::list;
  if (said) return false;  // no map at all is a problem of its own
  report_->add(file_, *node_, fmt::format("{} needs '{}'", what_, key));
  return false;
}

void MapReader::text(std::string_view key, std::string& into) {
  if (const YamlNode* found = scalar(key)) into = found->text;
}

void MapReader::name(std::string_view key, std::string& into) {
  const YamlNode* found = scalar(key);
  if (found == nullptr) return;
  if (!is_name(found->text)) {
    report_->add(file_, *found, fmt::format("'{}' is no name", found->text),
                 "names have a-z, 0-9 and '-', at most 63");
    return;
  }
  into = found->text;
}

void MapReader::flag(std::string_view key, bool& into) {
  const YamlNode* found = scalar(key);
  if (found == nullptr) return;
  if (found->quoted || (found->text != "true" && found->text != "false")) {
    report_->add(file_, *found,
                 fmt::format("'{}' must be true or false, not '{}'", key, found->text));
    return;
  }
  into = found->text == "true";
}

void MapReader::duration(std::string_view key, Duration& into, Duration least) {
  const YamlNode* found = scalar(key);
  if (found == nullptr) return;
  const auto parsed = parse_duration(found->text);
  if (!parsed) {
    const bool bare = parse_number(found->text).has_value();
    report_->add(file_, *found,
                 bare ? fmt::format("'{}' needs a unit", key)
                      : fmt::format("'{}' is no duration", found->text),
                 bare ? fmt::format("did you mean {}s? units are us, ms, s, m, h, d", found->text)
                      : "for example 250ms, 5s, 1h30m, 7d");
    return;
  }
  if (*parsed < least) {
    report_->add(file_, *found, fmt::format("'{}' must be at least {}", key, weir::to_text(least)));
    return;
  }
  into = *parsed;
}

void MapReader::number(std::string_view key, double& into, double least, double most) {
  const YamlNode* found = scalar(key);
  if (found == nullptr) return;
  const auto parsed = found->quoted ? std::nullopt : parse_number(found->text);
  if (!parsed) {
    report_->add(file_, *found, fmt::format("'{}' must be a number, not '{}'", key, found->text));
    return;
  }
  if (!(*parsed >= least && *parsed <= most)) {
    report_->add(file_, *found, fmt::format("'{}' must be from {} to {}", key, least, most));
    return;
  }
  into = *parsed;
}

void MapReader::bytes(std::string_view key, std::size_t& into, std::size_t least) {
  const YamlNode* found = scalar(key);
  if (found == nullptr) return;
  const std::string_view text = found->text;
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::pair<std::string_view, std::size_t> units[] = {
      {"B", 1}, {"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1024ull * 1024 * 1024}};
  const auto unit = std::ranges::find(units, text.substr(digits),
                                      &std::pair<std::string_view, std::size_t>::first);
  const auto parsed = parse_number(text.substr(0, digits));
  if (!parsed || unit == std::end(units)) {
    report_->add(file_, *found, fmt::format("'{}' is no size", text),
                 "for example 512KiB, 64MiB; units are B, KiB, MiB, GiB");
    return;
  }
  constexpr double kMost = 1024.0 * 1024 * 1024 * 1024 * 1024;  // 1 PiB
  const double value = *parsed * static_cast<double>(unit->second);
  if (value < static_cast<double>(least) || value > kMost) {
    report_->add(file_, *found,
                 fmt::format("'{}' must be from {} bytes to 1048576GiB", key, least));
    return;
  }
  into = static_cast<std::size_t>(value);
}

void MapReader::rate(std::string_view key, double& into) {
  if (const YamlNode* found = scalar(key)) read_rate(key, *found, into);
}

void MapReader::rates(std::string_view key, std::vector<double>& into, std::size_t most) {
  const YamlNode* list = take(key);
  if (list == nullptr) return;
  if (list->kind != YamlNode::Kind::list || list->items.empty() || list->items.size() > most)
    return problem(key, fmt::format("'{}' must be a list of 1 to {} rates", key, most));
  for (const YamlNode& item : list->items) read_rate(key, item, into.emplace_back());
}

void MapReader::read_rate(std::string_view key, const YamlNode& from, double& into) {
  const auto slash = from.text.find('/');
  const auto amount = parse_number(std::string_view(from.text).substr(0, slash));
  const std::string unit = slash == std::string::npos ? "" : from.text.substr(slash + 1);
  const double seconds = unit == "s" ? 1 : unit == "min" ? 60 : unit == "h" ? 3600 : 0;
  if (!amount || seconds == 0) {
    report_->add(file_, from, fmt::format("'{}' is no rate", from.text),
                 "for example 300/s, 30/min, 1000/h");
    return;
  }
  if (!(*amount > 0)) {
    report_->add(file_, from, fmt::format("'{}' must be above zero", key));
    return;
  }
  into = *amount / seconds;
}

void MapReader::choice(std::string_view key, std::initializer_list<std::string_view> names,
                       int& into) {
  const YamlNode* found = scalar(key);
  if (found == nullptr) return;
  const auto match = std::ranges::find(names, found->text);
  if (match != names.end()) {
    into = static_cast<int>(match - names.begin());
    return;
  }
  const std::vector<std::string> known(names.begin(), names.end());
  report_->add(file_, *found, fmt::format("'{}' is not possible for '{}'", found->text, key),
               did_you_mean(found->text, known));
}

void MapReader::strings(std::string_view key, std::vector<std::string>& into) {
  const YamlNode* found = take(key);
  if (found == nullptr) return;
  std::vector<std::string> all;
  if (found->kind == YamlNode::Kind::scalar) all.push_back(found->text);
  for (const YamlNode& item : found->items) {
    if (item.kind == YamlNode::Kind::scalar) {
      all.push_back(item.text);
    } else {
      report_->add(file_, item, fmt::format("'{}' takes plain values", key));
    }
  }
  if (found->kind == YamlNode::Kind::map)
    report_->add(file_, *found, fmt::format("'{}' takes a value or a list", key));
  into = std::move(all);
}

void MapReader::not_yet(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (const YamlNode* found = take(key)) {
      report_->add(file_, *found, fmt::format("'{}' is not supported yet", key), "take it out");
    }
  }
}

void MapReader::wrong_side(std::initializer_list<std::string_view> keys, std::string_view where) {
  for (const std::string_view key : keys) {
    if (const YamlNode* found = take(key)) {
      report_->add(file_, *found, fmt::format("'{}' does not belong to {}", key, what_),
                   fmt::format("{}", where));
    }
  }
}

void MapReader::finish() {
  if (WEIR_SEEDED_BUG("config.unknown_setting_accepted")) return;
  for (const auto& [key, value] : node_->members) {
    if (std::ranges::find(asked_, key.text) != asked_.end()) continue;
    report_->add(file_, key, fmt::format("unknown setting '{}' in {}", key.text, what_),
                 did_you_mean(key.text, asked_));
  }
}

}  // namespace weir::config
