// SPDX-License-Identifier: Apache-2.0
#include "api/answers.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace weir::api {

net::HttpResponse json_answer(std::string json, int status) {
  json.push_back('\n');
  return {
      .status = status, .headers = {{"content-type", "application/json"}}, .body = std::move(json)};
}

net::HttpResponse text_answer(std::string text, std::string_view content_type) {
  return {.status = 200,
          .headers = {{"content-type", std::string(content_type)}},
          .body = std::move(text)};
}

namespace {

std::string_view take_segment(std::string_view& path) {
  const auto end = std::min(path.find('/', 1), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

// The pattern with the path's own names in its places.
std::string fill(std::string_view pattern, std::string_view path) {
  std::string filled;
  while (!pattern.empty()) {
    const std::string_view part = take_segment(pattern);
    const std::string_view name = take_segment(path);
    filled += part.starts_with("/{") && !name.empty() ? name : part;
  }
  return filled;
}

}  // namespace

std::string nearest_hint(std::string_view path, const std::vector<std::string>& known) {
  std::vector<std::string> filled;
  for (const std::string& pattern : known) filled.push_back(fill(pattern, path));
  if (const auto best = nearest(path, filled))
    return fmt::format("did you mean '{}'?", printable(*best));
  return "GET /v1/openapi.json lists every path";
}

Result<std::size_t> page_size(std::string_view text, std::size_t standard, std::size_t max) {
  if (text.empty()) return standard;
  std::size_t size = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), size);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || size == 0 ||
      size > max) {
    return Error{Code::invalid_argument,
                 fmt::format("limit '{}' is not a number from 1 to {}", printable(text), max), ""};
  }
  return size;
}

Result<std::optional<WallTime>> time_argument(std::string_view name, std::string_view text,
                                              WallTime now) {
  if (text.empty()) return std::optional<WallTime>{};
  if (auto time = parse_rfc3339(text)) return time;
  if (const auto ago = parse_duration(text)) return std::optional<WallTime>{now - *ago};
  return Error{Code::invalid_argument,
               fmt::format("{} '{}' is neither a time nor a duration", name, printable(text)),
               "for example 2026-11-21T14:00:00Z, or 15m for fifteen minutes ago"};
}

Result<std::optional<FailureClass>> class_argument(std::string_view text) {
  if (text.empty()) return std::optional<FailureClass>{};
  if (const auto parsed = parse_failure_class(text)) return parsed;
  std::vector<std::string> known;
  for (int i = 0; i < kFailureClassCount; ++i)
    known.emplace_back(to_text(static_cast<FailureClass>(i)));
  return Error{Code::invalid_argument, fmt::format("unknown class '{}'", printable(text)),
               did_you_mean(text, known)};
}

Result<Mark> mark_argument(std::string_view text) {
  if (text.empty()) return Mark::any;
  if (const auto mark = parse_mark(text)) return *mark;
  return Error{Code::invalid_argument, fmt::format("unknown mark '{}'", printable(text)),
               "archived, exhausted or inDoubt"};
}

Result<std::uint32_t> status_argument(std::string_view text) {
  std::uint32_t status = 0;
  if (text.empty()) return status;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), status);
  const bool good = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() &&
                    status >= 100 && status <= 599;
  if (good) return status;
  return Error{Code::invalid_argument, fmt::format("'{}' is no HTTP status", printable(text)), ""};
}

std::string to_cursor(DeliveryRef ref) {
  return fmt::format("{:x}-{:x}", ref.flow.value, ref.position.pack());
}

Result<DeliveryRef> parse_cursor(std::string_view text) {
  if (text.empty()) return DeliveryRef{};
  const auto dash = text.find('-');
  std::uint32_t flow = 0;
  std::int64_t position = 0;
  const auto reads = [](std::string_view digits, auto& into) {
    const char* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, into, 16);
    return read.ec == std::errc{} && read.ptr == end;
  };
  const bool shape = dash != text.npos && reads(text.substr(0, dash), flow) &&
                     reads(text.substr(dash + 1), position) && position >= 0;
  if (!shape)
    return Error{Code::invalid_argument, "the cursor is not one that a list answered with", ""};
  return DeliveryRef{FlowId{flow}, Position::unpack(position)};
}

Result<JsonBody> JsonBody::parse(std::string_view text, const std::vector<std::string>& known) {
  if (text.empty()) return JsonBody(std::nullopt);
  WEIR_TRY(auto document, wire::parse_json(text));
  const wire::Json root = document.root();
  if (!root.is(wire::JsonType::object)) {
    return Error{Code::invalid_argument, "the body must be a JSON object", ""};
  }
  for (const wire::Json member : root) {
    const std::string name(member.key());
    if (std::ranges::find(known, name) == known.end()) {
      return Error{Code::invalid_argument, fmt::format("unknown member '{}'", printable(name)),
                   did_you_mean(name, known)};
    }
  }
  return JsonBody(std::move(document));
}

std::optional<wire::Json> JsonBody::find(std::string_view name) const {
  return document_ ? document_->root().find(name) : std::nullopt;
}

Result<std::string> JsonBody::text(std::string_view name) const {
  const auto member = find(name);
  if (!member || member->is(wire::JsonType::null)) return std::string{};
  if (!member->is(wire::JsonType::string)) {
    return Error{Code::invalid_argument, fmt::format("'{}' must be a string", name), ""};
  }
  return std::string(member->string());
}

Result<std::vector<std::string>> JsonBody::texts(std::string_view name) const {
  std::vector<std::string> all;
  const auto member = find(name);
  if (!member) return all;
  const Error wrong{Code::invalid_argument, fmt::format("'{}' must be an array of strings", name),
                    ""};
  if (!member->is(wire::JsonType::array)) return wrong;
  for (const wire::Json item : *member) {
    if (!item.is(wire::JsonType::string)) return wrong;
    all.emplace_back(item.string());
  }
  return all;
}

Result<std::optional<double>> JsonBody::number(std::string_view name) const {
  const auto member = find(name);
  if (!member) return std::optional<double>{};
  if (!member->is(wire::JsonType::number)) {
    return Error{Code::invalid_argument, fmt::format("'{}' must be a number", name), ""};
  }
  return std::optional<double>{member->number()};
}

Result<bool> JsonBody::flag(std::string_view name) const {
  const auto member = find(name);
  if (!member) return false;
  if (!member->is(wire::JsonType::boolean)) {
    return Error{Code::invalid_argument, fmt::format("'{}' must be true or false", name), ""};
  }
  return member->boolean();
}

Result<std::optional<Duration>> JsonBody::duration(std::string_view name) const {
  WEIR_TRY(const std::string written, text(name));
  if (written.empty()) return std::optional<Duration>{};
  const auto parsed = parse_duration(written);
  if (!parsed) {
    return Error{Code::invalid_argument,
                 fmt::format("'{}' is no duration: '{}'", name, printable(written)),
                 "a unit is required, for example 5s"};
  }
  return parsed;
}

Result<std::string> reason_in(std::string_view body) {
  WEIR_TRY(const JsonBody parsed, JsonBody::parse(body, {"reason"}));
  return parsed.text("reason");
}

const std::vector<std::string>& selection_members() {
  static const std::vector<std::string> kMembers = {"group",  "flow",  "dependency", "class",
                                                    "status", "key",   "type",       "mark",
                                                    "since",  "until", "where",      "ids"};
  return kMembers;
}

Result<Selection> selection_of(const JsonBody& body, WallTime now) {
  Selection selection;
  WEIR_TRY(selection.group, body.text("group"));
  WEIR_TRY(selection.flow, body.text("flow"));
  WEIR_TRY(const std::string failure, body.text("class"));
  WEIR_TRY(selection.failure, class_argument(failure));
  WEIR_TRY(const std::string since, body.text("since"));
  WEIR_TRY(selection.since, time_argument("since", since, now));
  WEIR_TRY(const std::string until, body.text("until"));
  WEIR_TRY(selection.until, time_argument("until", until, now));
  if (const auto where = body.find("where")) selection.where = where->raw();
  WEIR_TRY(selection.dependency, body.text("dependency"));
  WEIR_TRY(selection.key, body.text("key"));
  WEIR_TRY(selection.type, body.text("type"));
  WEIR_TRY(const std::string mark, body.text("mark"));
  WEIR_TRY(selection.mark, mark_argument(mark));
  WEIR_TRY(const auto status, body.number("status"));
  if (status) {
    WEIR_TRY(selection.status, status_argument(fmt::format("{}", *status)));
  }
  WEIR_TRY(selection.ids, body.texts("ids"));
  return selection;
}

}  // namespace weir::api
