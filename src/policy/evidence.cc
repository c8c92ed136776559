// SPDX-License-Identifier: Apache-2.0
#include "policy/evidence.h"

#include <initializer_list>

#include "wire/json.h"

namespace weir::policy {
namespace {

constexpr std::string_view kSaysNothing = "about:blank";

bool looks_like_json(std::string_view body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && body[first] == '{';
}

std::string text_of(const wire::Json& object, std::string_view name) {
  if (!object.is(wire::JsonType::object)) return {};
  const auto member = object.find(name);
  if (!member || !member->is(wire::JsonType::string)) return {};
  return std::string(member->string());
}

std::string first_text_of(const wire::Json& object, std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    if (std::string text = text_of(object, name); !text.empty()) return text;
  }
  return {};
}

// "tickets.py:sync:41" is the same place as "tickets.py:sync:43" in the next version.
std::string without_line(std::string frame) {
  const auto colon = frame.rfind(':');
  const bool numbered = colon != std::string::npos && colon + 1 < frame.size() &&
                        frame.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  if (numbered) frame.resize(colon);
  return frame;
}

void read_problem(const wire::Json& root, bool declared, Evidence& into) {
  const std::string type = text_of(root, "type");
  if (!declared && type.find(':') == std::string::npos) return;
  if (type != kSaysNothing) into.problem_type = type;
  into.problem_title = text_of(root, "title");
}

// {"error": {"type": "KeyError", "frame": "tickets.py:sync"}}, or the same without the inner
// object.
void read_thrown(const wire::Json& root, Evidence& into) {
  std::optional<wire::Json> error = root.find("error");
  if (!error || !error->is(wire::JsonType::object)) error = root;
  const std::string type = first_text_of(*error,
                                         {"type", "exception", "exceptionType", "name", "class"});
  const std::string frame = first_text_of(*error, {"frame", "location", "where"});
  if (!type.empty() && !frame.empty()) into.thrown = Thrown{type, without_line(frame)};
}

bool is_declared_problem(const Outcome& outcome) {
  const std::string* type = outcome.header("content-type");
  return type != nullptr && type->starts_with("application/problem+json");
}

Evidence from_json(const Outcome& outcome) {
  Evidence evidence;
  const auto document = wire::parse_json(outcome.body);
  if (!document || !document->root().is(wire::JsonType::object)) return evidence;
  const wire::Json root = document->root();
  read_problem(root, is_declared_problem(outcome), evidence);
  if (evidence.problem_type.empty() && evidence.problem_title.empty()) read_thrown(root, evidence);
  return evidence;
}

}  // namespace

Evidence evidence_of(const Outcome& outcome) {
  Evidence evidence;
  if (outcome.body.empty()) return evidence;
  if (looks_like_json(outcome.body)) evidence = from_json(outcome);
  const bool named = !evidence.problem_type.empty() || !evidence.problem_title.empty() ||
                     evidence.thrown;
  if (!named) evidence.thrown = find_thrown(outcome.body);
  return evidence;
}

std::string problem_type_of(const Outcome& outcome) {
  return looks_like_json(outcome.body) ? from_json(outcome).problem_type : std::string();
}

}  // namespace weir::policy
