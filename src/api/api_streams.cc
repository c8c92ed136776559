// SPDX-License-Identifier: Apache-2.0
#include "api/answers.h"
#include "api/api.h"

namespace weir::api {
namespace {

// {"confirm": "orders", "reason": "..."}: whoever destroys something has written its name.
Result<std::string> confirmed_reason(const Call& call) {
  WEIR_TRY(const JsonBody body, JsonBody::parse(call.request.body, {"confirm", "reason"}));
  WEIR_TRY(const std::string confirm, body.text("confirm"));
  if (confirm != call.param("stream")) {
    return Error{Code::invalid_argument, "'confirm' is not the name of the stream",
                 "this cannot be taken back: repeat the name with --confirm NAME"};
  }
  return required_reason(body);
}

}  // namespace

Api::Answer Api::shred_stream(Call call) {
  auto reason = confirmed_reason(call);
  if (!reason.ok()) co_return net::problem_response(reason.error());
  const std::string name(call.param("stream"));
  auto keys = co_await parts_.engine.shred(name, std::move(*reason), call.actor);
  if (!keys.ok()) co_return net::problem_response(keys.error());
  wire::JsonWriter json;
  json.begin_object().field("stream", name).field("keysDestroyed", *keys).end_object();
  co_return json_answer(std::move(json).take());
}

}  // namespace weir::api
