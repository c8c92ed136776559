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

class Client {
 public:
  // `actor` goes with every request, as Weir-Actor.
  Client(std::string server, std::string actor);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Any answer, whatever its status. Errors: invalid_argument for a bad server URL,
  // server_unreachable.
  Result<net::HttpResponse> call(ClientRequest request);

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
