// SPDX-License-Identifier: Apache-2.0
// Calls to a Weir server, one after the other, on the calling thread. Knows nothing about commands
// or terminals.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "net/http_message.h"

namespace weir::app {

struct ClientRequest {
  std::string method = "GET";
  std::string path;  // from "/v1" on, percent-encoded, with its query
  net::HttpHeaders headers;
  std::string body;
};

struct ClientOptions {
  std::string server;
  std::string actor;    // goes with every request, as Weir-Actor; believed where access is open
  std::string ca_file;  // besides the system's trust anchors, for https
};

class Client {
 public:
  explicit Client(ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Any answer, whatever its status. Errors: invalid_argument for a bad server URL,
  // server_unreachable.
  Result<net::HttpResponse> call(ClientRequest request);

  // Goes with every later request, as its bearer token; "" for none.
  void use_token(std::string token);

  WallTime wall();
  MonoTime mono();
  // From now on the first Ctrl-C ends the present and every later pause() instead of the process.
  void catch_interrupt();
  bool interrupted() const;
  // Returns after `duration`, earlier when interrupted.
  void pause(Duration duration);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::app
