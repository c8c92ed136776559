// SPDX-License-Identifier: Apache-2.0
// Headers with secrets by reference: ${env:NAME}, ${env:NAME:-default}, ${file:/path}.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/reader.h"

namespace weir::config {
namespace {

bool is_header_name(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  const auto fits = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.contains(c);
  };
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, fits);
}

bool is_header_value(std::string_view text) {
  return std::ranges::none_of(text,
                              [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7F; });
}

constexpr std::string_view kOwned[] = {"host",        "content-length", "transfer-encoding",
                                       "connection",  "content-type",   "idempotency-key",
                                       "traceparent", "tracestate"};

bool is_owned(std::string_view name) {
  const std::string lower = to_lower(name);
  return lower.starts_with("ce-") || lower.starts_with("weir-") ||
         std::ranges::find(kOwned, lower) != std::end(kOwned);
}

bool is_credential(std::string_view header) {
  static constexpr std::string_view kCredentials[] = {"authorization", "proxy-authorization",
                                                      "cookie", "x-api-key", "api-key"};
  return std::ranges::find(kCredentials, to_lower(header)) != std::end(kCredentials);
}

}  // namespace

std::optional<std::string> MapReader::resolve(const YamlNode& value) {
  std::string result;
  std::string_view rest = value.text;
  for (;;) {
    const auto open = rest.find("${");
    result += rest.substr(0, open);
    if (open == rest.npos) return result;
    const auto close = rest.find('}', open);
    const std::string_view reference = rest.substr(open + 2,
                                                   close == rest.npos ? close : close - open - 2);
    const auto colon = reference.find(':');
    const std::string_view kind = reference.substr(0, colon);
    if (close == rest.npos || colon == reference.npos || (kind != "env" && kind != "file")) {
      report_->add(file_, value,
                   fmt::format("'{}' is no reference",
                               rest.substr(open, close == rest.npos ? close : close - open + 1)),
                   "${env:NAME}, ${env:NAME:-default} or ${file:/path}");
      return std::nullopt;
    }
    const std::string_view target = reference.substr(colon + 1);
    const auto fallback = kind == "env" ? target.find(":-") : target.npos;
    auto secret = report_->secrets(kind, target.substr(0, fallback));
    if (secret.ok()) {
      result += *secret;
    } else if (fallback != target.npos) {
      result += target.substr(fallback + 2);
    } else {
      report_->add(file_, value, secret.error().detail, secret.error().hint, Code::secret_missing);
      return std::nullopt;
    }
    rest.remove_prefix(close + 1);
  }
}

void MapReader::headers(std::string_view key,
                        std::vector<std::pair<std::string, std::string>>& into, bool kept) {
  const YamlNode* found = take(key);
  if (found == nullptr) return;
  if (found->kind != YamlNode::Kind::map) {
    report_->add(file_, *found, fmt::format("'{}' must be a map of header names and values", key));
    return;
  }
  for (const auto& [name, value] : found->members) {
    if (!is_header_name(name.text)) {
      report_->add(file_, name, fmt::format("'{}' is no header name", name.text));
      continue;
    }
    if (is_owned(name.text)) {
      report_->add(file_, name, fmt::format("Weir sets the header '{}' itself", name.text),
                   "take it out");
      continue;
    }
    if (value.kind != YamlNode::Kind::scalar) {
      report_->add(file_, value, fmt::format("the value of '{}' must be text", name.text));
      continue;
    }
    if (kept && is_credential(name.text) && !value.text.contains("${")) {
      report_->add(file_, value,
                   fmt::format("the value of '{}' is a secret, and the configuration is kept and "
                               "shown to operators",
                               name.text),
                   "${env:NAME} or ${file:/path}");
      continue;
    }
    auto text = resolve(value);
    if (!text) continue;
    while (text->ends_with('\n') || text->ends_with('\r'))
      text->pop_back();  // files end with a line break
    if (!is_header_value(*text)) {
      report_->add(
          file_, value,
          fmt::format("the value of '{}' has a line break or a control character", name.text));
      continue;
    }
    into.emplace_back(name.text, std::move(*text));
  }
}

}  // namespace weir::config
