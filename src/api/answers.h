// SPDX-License-Identifier: Apache-2.0
// The small pieces every route needs: JSON answers, typed query arguments, JSON bodies.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/config_model.h"
#include "model/replay.h"
#include "net/http_message.h"
#include "wire/json.h"

namespace weir::api {

net::HttpResponse json_answer(std::string json, int status = 200);
net::HttpResponse text_answer(std::string text, std::string_view content_type);

// "did you mean '/v1/flows'?" or a pointer to the OpenAPI document.
std::string nearest_hint(std::string_view path, const std::vector<std::string>& known);

// A page size: empty means `standard`; 1 to `max`, otherwise invalid_argument.
Result<std::size_t> page_size(std::string_view text, std::size_t standard, std::size_t max);
// RFC 3339, or a duration that means "so long ago". Empty is nullopt.
Result<std::optional<WallTime>> time_argument(std::string_view name, std::string_view text,
                                              WallTime now);
// Empty is nullopt; an unknown class is an error with the nearest one.
Result<std::optional<FailureClass>> class_argument(std::string_view text);

Result<Mark> mark_argument(std::string_view text);
Result<std::uint32_t> status_argument(std::string_view text);

// Keyset cursors: opaque to clients.
std::string to_cursor(DeliveryRef ref);
Result<DeliveryRef> parse_cursor(std::string_view text);  // empty = from the start

// A body that must be a JSON object, with every member known: unknown ones are errors with
// did-you-mean.
class JsonBody {
 public:
  // An empty body is an empty object. The text must outlive the body.
  static Result<JsonBody> parse(std::string_view text, const std::vector<std::string>& known);

  Result<std::string> text(std::string_view name) const;                // "" if absent
  Result<std::vector<std::string>> texts(std::string_view name) const;  // [] if absent
  Result<std::optional<double>> number(std::string_view name) const;
  Result<bool> flag(std::string_view name) const;                         // false if absent
  Result<std::optional<Duration>> duration(std::string_view name) const;  // "5s"
  std::optional<wire::Json> find(std::string_view name) const;

 private:
  explicit JsonBody(std::optional<wire::JsonDocument> document) : document_(std::move(document)) {}
  std::optional<wire::JsonDocument> document_;
};

// The reason of a body that has nothing else; "" if it has none.
Result<std::string> reason_in(std::string_view body);

struct Call;
// The same, where it must have one. reason_required.
Result<std::string> required_reason(const Call& call);
// Of a body that has more than that.
Result<std::string> required_reason(const JsonBody& body);

struct Caller;
// Whether the body asks to act without an approval. break_glass_refused if the caller may not.
Result<bool> break_glass_in(const JsonBody& body, const Caller& caller, const ApprovalsSpec& spec);

// The selection members of a body: group, flow, class, since, until, where, ids.
Result<Selection> selection_of(const JsonBody& body, WallTime now);
const std::vector<std::string>& selection_members();

}  // namespace weir::api
