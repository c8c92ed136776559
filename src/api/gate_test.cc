// SPDX-License-Identifier: Apache-2.0
#include "api/gate.h"

#include <doctest/doctest.h>

#include "ports/testing/store_bench.h"
#include "store/memory/memory_store.h"
#include "wire/token_text.h"

namespace weir::api {
namespace {

using namespace std::chrono_literals;

std::string secret_of(char fill) { return std::string(wire::kTokenSecretBytes, fill); }

struct GateDesk {
  GateDesk() : clock(bench.executor()) { CHECK(bench.run(tokens.start()).ok()); }

  NewToken make(RoleSet roles, char fill = 'a', Duration lasts = kTokenLasts) {
    NewToken made = tokens.prepare(
        {.name = "laptop", .subject = "anna", .roles = roles, .lasts = lasts}, secret_of(fill),
        clock.wall());
    CHECK(bench.run(tokens.put(made.token, {.at = clock.wall(), .actor = "ben"})).ok());
    return made;
  }

  static net::HttpRequest with(const std::string& token) {
    net::HttpRequest request{.method = "GET", .path = "/v1/status", .peer = "10.0.0.1:5"};
    if (!token.empty()) request.headers.push_back({"authorization", "Bearer " + token});
    return request;
  }

  void pass(Duration time) {
    std::optional<bool> over;
    bench.start(until(clock, clock.mono() + time), over);
    bench.wait([&] {
      clock.advance_to_next();
      return over.has_value();
    });
  }

  static async::Task<bool> until(async::Clock& clock, MonoTime time) {
    co_await clock.sleep_until(time);
    co_return true;
  }

  // The status of a refusal, or 200.
  int ask(const net::HttpRequest& request, policy::Need need = policy::Need::read) {
    auto answer = gate.admit(request, need);
    last = {};
    if (const auto* caller = std::get_if<Caller>(&answer)) {
      last = *caller;
      return 200;
    }
    refusal = std::get<net::HttpResponse>(std::move(answer));
    return refusal.status;
  }

  ports::testing::StoreBench bench{
      [](async::Executor executor) { return store::memory::open(std::move(executor)); }};
  async::VirtualClock clock;
  Tokens tokens{bench.store()};
  AccessSpec access;
  Gate gate{tokens, clock, [this]() -> const AccessSpec& { return access; }};
  Caller last;
  net::HttpResponse refusal;
};

}  // namespace

TEST_CASE("a token lets its roles in, tells who it is, and nothing else is let in") {
  GateDesk desk;
  const NewToken made = desk.make({Role::viewer});
  CHECK(desk.ask(desk.with(made.text)) == 200);
  CHECK(desk.last.subject == "anna");
  CHECK(desk.last.actor == "anna (token t1 \"laptop\")");
  CHECK(desk.ask(desk.with(made.text), policy::Need::operate) == 403);
  CHECK(desk.refusal.body.find("WR1704") != std::string::npos);
  CHECK(desk.ask(desk.with("")) == 401);
  CHECK(*desk.refusal.header("www-authenticate") == "Bearer realm=\"weir\"");
  CHECK(desk.ask(desk.with(made.text + "x")) == 401);
  CHECK(desk.ask(desk.with(wire::write_token(TokenId{1}, secret_of('b')))) == 401);
  CHECK(desk.ask(desk.with(wire::write_token(TokenId{2}, secret_of('a')))) == 401);
  net::HttpRequest claims = desk.with("");
  claims.headers.push_back({"weir-actor", "local:root"});
  CHECK(desk.ask(claims) == 401);
  net::HttpRequest basic = desk.with("");
  basic.headers.push_back({"authorization", "Basic YTpi"});
  CHECK(desk.ask(basic) == 401);
  CHECK(desk.ask(desk.with(""), policy::Need::open) == 200);
  CHECK(desk.last.roles.empty());
}

TEST_CASE("a token ends when it expires and at the moment it is revoked, and says which") {
  GateDesk desk;
  const NewToken brief = desk.make({Role::viewer}, 'a', 10s);
  const NewToken other = desk.make({Role::viewer}, 'b');
  CHECK(desk.ask(desk.with(brief.text)) == 200);
  const Caller watcher = desk.last;
  CHECK(desk.gate.is_valid(watcher));
  desk.pass(10s);
  CHECK(desk.ask(desk.with(brief.text)) == 401);
  CHECK(desk.refusal.body.find("WR1702") != std::string::npos);
  CHECK_FALSE(desk.gate.is_valid(watcher));
  CHECK(desk.ask(desk.with(other.text)) == 200);
  const auto revoked = desk.bench.run(
      desk.tokens.revoke(other.token.id, {.at = desk.clock.wall(), .actor = "ben"}));
  CHECK(revoked.ok());
  CHECK(desk.ask(desk.with(other.text)) == 401);
  CHECK(desk.refusal.body.find("WR1703") != std::string::npos);
  CHECK(*desk.refusal.header("www-authenticate") ==
        "Bearer realm=\"weir\", error=\"invalid_token\"");
}

TEST_CASE("ten thousand guesses are answered 429 before long, and keep no good token out") {
  GateDesk desk;
  const NewToken made = desk.make({Role::viewer});
  int limited = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string guess = secret_of('x');
    guess[0] = static_cast<char>(i);
    guess[1] = static_cast<char>(i >> 8);
    const int status = desk.ask(desk.with(wire::write_token(TokenId{1}, guess)));
    if (status == 429) ++limited;
    CHECK((status == 401 || status == 429));
  }
  CHECK(limited == 10'000 - static_cast<int>(kWrongBurst));
  CHECK(*desk.refusal.header("retry-after") == "1");
  CHECK(desk.gate.counts().limited == static_cast<std::uint64_t>(limited));
  CHECK(desk.ask(desk.with(made.text)) == 200);
  CHECK(desk.ask(desk.with("")) == 401);  // who brings nothing does not guess
}

TEST_CASE("with open access everybody is admin under the name that they give") {
  GateDesk desk;
  desk.access.open = true;
  net::HttpRequest request = desk.with("");
  CHECK(desk.ask(request, policy::Need::administer) == 200);
  CHECK(desk.last.actor == "local:unknown");
  request.headers.push_back({"weir-actor", "local:ann"});
  CHECK(desk.ask(request, policy::Need::produce) == 200);
  CHECK(desk.last.actor == "local:ann");
  request.headers.back().value = "ann (token t1)";  // no name of a token can be claimed
  CHECK(desk.ask(request) == 200);
  CHECK(desk.last.actor == "local:unknown");
}

TEST_CASE("a certificate is who the configuration says, and a token goes before it") {
  GateDesk desk;
  desk.access.certificates = {{"DNS:ci.example.org", "ci", {Role::producer}}};
  net::HttpRequest request = desk.with("");
  request.peer_names = {"CN:ci", "DNS:other.example.org"};
  CHECK(desk.ask(request, policy::Need::produce) == 401);
  request.peer_names.push_back("DNS:ci.example.org");
  CHECK(desk.ask(request, policy::Need::produce) == 200);
  CHECK(desk.last.subject == "ci");
  CHECK(desk.last.actor == "ci (certificate DNS:ci.example.org)");
  CHECK(desk.ask(request, policy::Need::read) == 403);
  const Caller caller{.certificate = "DNS:ci.example.org"};
  CHECK(desk.gate.is_valid(caller));
  const NewToken made = desk.make({Role::viewer});
  request.headers.push_back({"authorization", "bearer " + made.text});
  CHECK(desk.ask(request, policy::Need::read) == 200);
  CHECK(desk.last.subject == "anna");
  desk.access.certificates.clear();
  CHECK_FALSE(desk.gate.is_valid(caller));
}

TEST_CASE("an approver may approve with what they came with, as long as it is theirs and good") {
  GateDesk desk;
  const NewToken approver = desk.make({Role::approver}, 'a', 10s);
  const NewToken viewer = desk.make({Role::viewer, Role::operate}, 'b');
  CHECK(desk.gate.may_approve("anna", "t1"));
  CHECK_FALSE(desk.gate.may_approve("bob", "t1"));
  CHECK_FALSE(desk.gate.may_approve("anna", "t2"));
  CHECK_FALSE(desk.gate.may_approve("anna", "t3"));
  CHECK_FALSE(desk.gate.may_approve("anna", ""));
  CHECK_FALSE(desk.gate.may_approve("anna", "CN:anna"));
  desk.access.certificates = {{"CN:anna", "anna", {Role::approver}}};
  CHECK(desk.gate.may_approve("anna", "CN:anna"));
  desk.access.certificates.front().roles = {Role::operate};
  CHECK_FALSE(desk.gate.may_approve("anna", "CN:anna"));
  desk.pass(10s);
  CHECK_FALSE(desk.gate.may_approve("anna", "t1"));
}

}  // namespace weir::api
