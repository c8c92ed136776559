// SPDX-License-Identifier: Apache-2.0
#include "net/http_message.h"

#include <array>
#include <utility>

#include "base/text.h"
#include "wire/json.h"

namespace weir::net {

const std::string* find_header(const HttpHeaders& headers, std::string_view name) {
  for (const HttpHeader& header : headers) {
    if (equals_ignore_case(header.name, name)) return &header.value;
  }
  return nullptr;
}

HttpResponse problem_response(const Error& error, int status) {
  const CodeRow& row = describe(error.code);
  HttpResponse response;
  response.status = status != 0 ? status : row.http;
  wire::JsonWriter json;
  json.begin_object();
  json.field("type", "about:blank");
  json.field("title", row.title);
  json.field("status", response.status);
  json.field("detail", error.detail);
  json.field("code", row.id);
  if (!error.hint.empty()) json.field("hint", error.hint);
  json.field("retryable", row.retryable);
  json.end_object();
  response.body = std::move(json).take();
  response.headers.push_back({"content-type", "application/problem+json"});
  return response;
}

std::string_view reason_phrase(int status) {
  static constexpr std::array<std::pair<int, std::string_view>, 38> kPhrases{{
      {100, "Continue"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {207, "Multi-Status"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {417, "Expectation Failed"},
      {422, "Unprocessable Content"},
      {428, "Precondition Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {507, "Insufficient Storage"},
  }};
  for (const auto& [code, phrase] : kPhrases) {
    if (code == status) return phrase;
  }
  return "";
}

}  // namespace weir::net
