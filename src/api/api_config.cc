// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "api/answers.h"
#include "api/api.h"
#include "api/views.h"
#include "base/text.h"

namespace weir::api {
namespace {

Result<std::uint64_t> version_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() && number > 0)
    return number;
  return Error{Code::invalid_argument, fmt::format("'{}' is no version", printable(text)),
               "a number from `weir config history`"};
}

Error no_version(std::uint64_t number) {
  return Error{Code::config_version_unknown,
               fmt::format("there is no version {} of the configuration", number),
               "`weir config history` lists those that are kept"};
}

void write_version(wire::JsonWriter& json, const config::Version& version, bool in_force) {
  json.begin_object().field("version", version.number);
  time_field(json, "at", version.at);
  json.field("actor", version.actor);
  json.field("reason", version.reason).field("inForce", in_force);
  if (version.rolled_back_to != 0) json.field("rolledBackTo", version.rolled_back_to);
}

// {"version": 3, "reason": "..."}
struct Rollback {
  std::uint64_t number = 0;
  std::string reason;
};
Result<Rollback> rollback_in(std::string_view text) {
  WEIR_TRY(const JsonBody body, JsonBody::parse(text, {"version", "reason"}));
  const auto number = body.find("version");
  Rollback rollback;
  WEIR_TRY(rollback.number, version_number(number ? number->raw() : "nothing"));
  WEIR_TRY(rollback.reason, body.text("reason"));
  if (rollback.reason.empty())
    return Error{Code::reason_required, "this needs a reason", "add --reason TEXT"};
  return rollback;
}

net::HttpResponse changed(std::string_view how, const std::string& changes,
                          const ConfigHistory& history) {
  wire::JsonWriter json;
  json.begin_object().field(how, true).field("changes", changes);
  if (history.newest()) json.field("version", history.newest()->number);
  json.end_object();
  return json_answer(std::move(json).take());
}

}  // namespace

Api::Answer Api::reload(Call call) {
  auto reason = reason_in(call.request.body);
  if (!reason.ok()) co_return net::problem_response(reason.error());
  auto changes = co_await parts_.reload(call.actor, std::move(*reason));
  if (!changes.ok()) co_return net::problem_response(changes.error());
  co_return changed("reloaded", *changes, parts_.history);
}

Api::Answer Api::rollback(Call call) {
  auto wanted = rollback_in(call.request.body);
  if (!wanted.ok()) co_return net::problem_response(wanted.error());
  auto changes = co_await parts_.rollback(wanted->number, call.actor, std::move(wanted->reason));
  if (!changes.ok()) co_return net::problem_response(changes.error());
  co_return changed("rolledBack", *changes, parts_.history);
}

Api::Answer Api::config_versions(Call) {
  auto versions = co_await parts_.history.list();
  if (!versions.ok()) co_return net::problem_response(versions.error());
  wire::JsonWriter json;
  json.begin_object().key("versions").begin_array();
  for (const config::Version& version : *versions) {
    write_version(json, version, version.number == parts_.history.newest()->number);
    json.end_object();
  }
  json.end_array().end_object();
  co_return json_answer(std::move(json).take());
}

Api::Answer Api::config_version(Call call) {
  auto number = version_number(call.param("version"));
  if (!number.ok()) co_return net::problem_response(number.error());
  auto version = co_await parts_.history.find(*number);
  if (!version.ok()) co_return net::problem_response(version.error());
  if (!version->has_value()) co_return net::problem_response(no_version(*number));
  wire::JsonWriter json;
  write_version(json, **version, *number == parts_.history.newest()->number);
  json.key("files").begin_array();
  for (const config::SourceFile& file : (*version)->files)
    json.begin_object().field("name", file.name).field("text", file.text).end_object();
  json.end_array().end_object();
  co_return json_answer(std::move(json).take());
}

// From the version in force, and to the files, unless the query says otherwise.
Api::Answer Api::config_diff(Call call) {
  std::vector<config::SourceFile> sides[2];
  std::string names[2] = {"in force", "files"};
  const std::string_view wanted[2] = {call.arg("from"), call.arg("to")};
  for (int side = 0; side < 2; ++side) {
    if (wanted[side].empty()) continue;
    auto number = version_number(wanted[side]);
    if (!number.ok()) co_return net::problem_response(number.error());
    auto version = co_await parts_.history.find(*number);
    if (!version.ok()) co_return net::problem_response(version.error());
    if (!version->has_value()) co_return net::problem_response(no_version(*number));
    names[side] = fmt::format("version {}", *number);
    sides[side] = std::move((*version)->files);
  }
  if (wanted[0].empty() && parts_.history.newest()) sides[0] = parts_.history.newest()->files;
  if (wanted[1].empty()) {
    auto files = parts_.read_files();
    if (!files.ok()) co_return net::problem_response(files.error());
    sides[1] = std::move(*files);
  }
  wire::JsonWriter json;
  json.begin_object().field("from", names[0]).field("to", names[1]);
  json.field("diff", config::diff_lines(sides[0], sides[1])).end_object();
  co_return json_answer(std::move(json).take());
}

}  // namespace weir::api
