// SPDX-License-Identifier: Apache-2.0
// HTTP messages as plain data, for whoever answers or asks over net.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/error.h"

namespace weir::net {

struct HttpHeader {
  std::string name;   // lower case
  std::string value;  // without surrounding blanks
  bool operator==(const HttpHeader&) const = default;
};

using HttpHeaders = std::vector<HttpHeader>;

// The value of the first header of this name, any case; nullptr if absent.
const std::string* find_header(const HttpHeaders& headers, std::string_view name);

struct HttpRequest {
  std::string method;  // as sent: methods are case-sensitive
  std::string target;  // as sent, without scheme and authority
  std::string path;    // the target up to '?', still percent-encoded
  std::string query;   // what follows '?', still percent-encoded
  HttpHeaders headers;
  std::string body;  // transfer coding removed
  std::string peer;  // "127.0.0.1:50312"
  // Of the client certificate, if one was verified: "DNS:...", "URI:...", "email:...", "IP:...",
  // "CN:...".
  std::vector<std::string> peer_names;

  const std::string* header(std::string_view name) const { return find_header(headers, name); }
};

struct HttpResponse {
  int status = 200;
  HttpHeaders
      headers;  // content-length, connection and transfer-encoding are the server's business
  std::string body;
  // If set, the body is what these calls return, one after the other, until one returns "". Not
  // called again once a piece could not be written, or once the server drains.
  std::function<async::Task<std::string>()> next_piece;

  const std::string* header(std::string_view name) const { return find_header(headers, name); }
};

// An RFC 9457 problem with Weir's `code`, `hint` and `retryable`. status 0 means the status of the
// code.
HttpResponse problem_response(const Error& error, int status = 0);

// The reason phrase of a status, or "".
std::string_view reason_phrase(int status);

}  // namespace weir::net
