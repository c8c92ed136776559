// SPDX-License-Identifier: Apache-2.0
#include "sample_event.h"

namespace weir::bench {

SampleEvent sample_event() {
  SampleEvent event;
  event.text =
      R"({"specversion":"1.0","type":"com.example.order.placed","source":"/bench/orders","id":")";
  event.id_at = event.text.size();
  event.text.append(SampleEvent::kIdDigits, '0');
  event.text +=
      R"(","time":"2026-11-21T14:00:00Z","subject":"order-4711","datacontenttype":"application/json",)"
      R"("data":{"order":{"id":4711,"total":99.5,"currency":"EUR","express":true},"customer":)"
      R"({"name":"A. Customer","country":"AT"},"note":")";
  constexpr std::string_view kEnd = R"("}})";
  while (event.text.size() + kEnd.size() < kEventBytes)
    event.text += "abcdefghij klmnopqrst "[event.text.size() % 22];
  event.text += kEnd;
  return event;
}

void write_id(char* at, std::uint64_t id) {
  for (std::size_t digit = SampleEvent::kIdDigits; digit-- > 0; id >>= 4)
    at[digit] = "0123456789abcdef"[id & 15];
}

std::string post_head(std::string_view path, std::string_view content_type,
                      std::size_t body_bytes) {
  std::string head = "POST ";
  head += path;
  head += " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ";
  head += content_type;
  head += "\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n\r\n";
  return head;
}

}  // namespace weir::bench
