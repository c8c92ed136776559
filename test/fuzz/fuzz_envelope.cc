// SPDX-License-Identifier: Apache-2.0
// The wrapping of records and the record of an event. What opens is what was sealed; a seal is
// broken by one bit anywhere, by another place and by another form.
#include <string>

#include "base/assert.h"
#include "input.h"
#include "model/event.h"
#include "store/records/envelope.h"

namespace {

using namespace weir;

constexpr Position kPlace{.stream = StreamId{3}, .seq = 77};

void check_event_envelope(std::string_view record, std::size_t at) {
  const store::Envelope envelope{.recorded = from_micros(1'795'000'000'000'000),
                                 .dedupe_hash = 0x123456789abcdef0,
                                 .record = record};
  std::string sealed;
  store::seal_event(kPlace, envelope, sealed);
  const auto opened = store::open_event(kPlace, sealed);
  WEIR_ASSERT(opened.ok() && opened->record == record && opened->recorded == envelope.recorded);
  WEIR_ASSERT(opened->dedupe_hash == envelope.dedupe_hash && opened->form == envelope.form);
  WEIR_ASSERT(!store::open_event({.stream = StreamId{3}, .seq = 78}, sealed).ok());
  sealed[at % sealed.size()] ^= static_cast<char>(1 << at % 8);
  WEIR_ASSERT(!store::open_event(kPlace, sealed).ok());
}

void check_row_envelope(std::string_view payload, std::size_t at) {
  std::string sealed = store::seal("key", payload);
  const auto opened = store::unseal("key", sealed, "a row");
  WEIR_ASSERT(opened.ok() && *opened == payload);
  WEIR_ASSERT(!store::unseal("kez", sealed, "a row").ok());
  WEIR_ASSERT(!store::unseal("key", sealed, "a row", store::Form::encrypted).ok());
  sealed[at % sealed.size()] ^= static_cast<char>(1 << at % 8);
  WEIR_ASSERT(!store::unseal("key", sealed, "a row").ok());
}

void check_record(std::string_view record) {
  const auto event = decode_event(record);
  if (!event.ok()) return;
  const std::string again = encode_event(*event);
  WEIR_ASSERT(again.size() <= record.size());
  const auto reread = decode_event(again);
  WEIR_ASSERT(reread.ok() && *reread == *event && encode_event(*reread) == again);
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  (void)store::open_event(kPlace, text);
  (void)store::unseal("key", text, "a row");
  check_record(text);
  const std::size_t at = fuzz::take_byte(text) + std::size_t{256} * fuzz::take_byte(text);
  check_event_envelope(text, at);
  check_row_envelope(text, at);
}
