// SPDX-License-Identifier: Apache-2.0
// What clients of the API send beside events: the JSON bodies of operators' requests, cursors and
// the values of a query. Whatever is refused has a code of the request's fault.
#include <string>

#include "api/answers.h"
#include "base/assert.h"
#include "base/text.h"
#include "input.h"

namespace {

using namespace weir;

const WallTime kNow = from_micros(1'795'000'000'000'000);

template <class T>
bool is_their_fault(const Result<T>& result) {
  if (result.ok()) return true;
  const int status = describe(result.error().code).http;
  return status >= 400 && status < 500 && !result.error().detail.empty();
}

bool is_canonical(std::string_view cursor) {
  return cursor[0] != '0' && to_lower(cursor) == cursor && cursor.find("-0") == cursor.npos;
}

void check_cursor(std::string_view text) {
  const auto ref = api::parse_cursor(text);
  WEIR_ASSERT(is_their_fault(ref));
  if (!ref.ok() || text.empty()) return;
  const std::string again = api::to_cursor(*ref);
  const auto reread = api::parse_cursor(again);
  WEIR_ASSERT(reread.ok() && *reread == *ref);
  if (is_canonical(text)) WEIR_ASSERT(again == text);
}

void check_body(std::string_view text) {
  const auto body = api::JsonBody::parse(text, api::selection_members());
  WEIR_ASSERT(is_their_fault(body));
  if (!body.ok()) return;
  for (const std::string& name : api::selection_members()) {
    WEIR_ASSERT(is_their_fault(body->text(name)) && is_their_fault(body->texts(name)));
    WEIR_ASSERT(is_their_fault(body->number(name)) && is_their_fault(body->flag(name)));
    WEIR_ASSERT(is_their_fault(body->duration(name)));
  }
  const auto selection = api::selection_of(*body, kNow);
  WEIR_ASSERT(is_their_fault(selection));
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  check_cursor(text);
  check_body(text);
  WEIR_ASSERT(is_their_fault(api::reason_in(text)));
  WEIR_ASSERT(is_their_fault(api::mark_argument(text)));
  WEIR_ASSERT(is_their_fault(api::class_argument(text)));
  WEIR_ASSERT(is_their_fault(api::time_argument("since", text, kNow)));
  const auto status = api::status_argument(text);
  WEIR_ASSERT(is_their_fault(status) && (!status.ok() || *status < 1000));
  const auto size = api::page_size(text, 50, 1000);
  WEIR_ASSERT(is_their_fault(size) && (!size.ok() || (*size >= 1 && *size <= 1000)));
}
