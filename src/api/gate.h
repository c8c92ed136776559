// SPDX-License-Identifier: Apache-2.0
// Who asks, and whether they may: by a bearer token (RFC 6750), by a client certificate that the
// configuration knows, or, with open access, everybody as admin. Every request passes here. I/O
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>

#include "api/attempts.h"
#include "api/tokens.h"
#include "async/clock.h"
#include "model/config_model.h"
#include "net/http_message.h"
#include "policy/access.h"

namespace weir::api {

struct Caller {
  std::string actor;    // for the audit trail: anna (token t3 "laptop")
  std::string subject;  // the person or program, whatever they came with: anna
  RoleSet roles;
  Scope scope;
  TokenId token;            // none with a certificate or open access
  std::string certificate;  // the rule's name of it
};

struct GateCounts {
  std::uint64_t unauthenticated = 0;  // no token, a wrong, expired or revoked one
  std::uint64_t limited = 0;          // wrong ones above the limit
  std::uint64_t forbidden = 0;        // the role or the scope does not allow it
};

class Gate {
 public:
  // `access` is what is in force now.
  Gate(Tokens& tokens, async::Clock& clock, std::function<const AccessSpec&()> access)
      : tokens_(tokens), clock_(clock), access_(std::move(access)) {}

  // The caller, if the need is met; otherwise the answer that they get: 401 with WWW-Authenticate,
  // 403, or 429 with Retry-After.
  std::variant<Caller, net::HttpResponse> admit(const net::HttpRequest& request, policy::Need need);
  // For answers that go on: is what they came with still good?
  bool is_valid(const Caller& caller) const;
  // Is what an approver came with ("t3", or a certificate's name) still this subject's, and does it
  // still let them approve?
  bool may_approve(const std::string& subject, const std::string& with) const;
  net::HttpResponse forbid(const Error& error);
  const GateCounts& counts() const { return counts_; }

 private:
  Result<Caller> identify(const net::HttpRequest& request);
  net::HttpResponse refuse(const Error& error, const net::HttpRequest& request);

  Tokens& tokens_;
  async::Clock& clock_;
  std::function<const AccessSpec&()> access_;
  Attempts attempts_;
  GateCounts counts_;
};

}  // namespace weir::api
