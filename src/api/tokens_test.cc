// SPDX-License-Identifier: Apache-2.0
#include "api/tokens.h"

#include <doctest/doctest.h>

#include "async/burst.h"
#include "ports/testing/store_bench.h"
#include "store/memory/memory_store.h"
#include "wire/token_text.h"

namespace weir::api {
namespace {

using namespace std::chrono_literals;

const WallTime kMade = WallTime{} + 1h;

struct TokenDesk {
  NewToken make(RoleSet roles = {Role::viewer}, Duration lasts = kTokenLasts) {
    return tokens.prepare({.name = "n", .subject = "anna", .roles = roles, .lasts = lasts},
                          std::string(wire::kTokenSecretBytes, 's'), kMade);
  }
  Result<> put(const NewToken& made, WallTime at = kMade) {
    return bench.run(tokens.put(made.token, {.at = at, .actor = "ben", .reason = "why"}));
  }

  ports::testing::StoreBench bench{
      [](async::Executor executor) { return store::memory::open(std::move(executor)); }};
  Tokens tokens{bench.store()};
};

// Over another store. While `held` is open commits wait, as they do on a full disk; `fails` of them
// fail after that.
class StubbornStore final : public ports::Store, private ports::Writer {
 public:
  explicit StubbornStore(ports::Store& below) : below_(below) {}
  ports::Writer& writer() override { return *this; }
  ports::EventLog& events() override { return below_.events(); }
  ports::DeliveryTable& deliveries() override { return below_.deliveries(); }
  ports::FlowTable& flows() override { return below_.flows(); }
  ports::RecoveryTable& recovery() override { return below_.recovery(); }
  ports::EffectTable& effects() override { return below_.effects(); }
  async::Task<ports::StoreStatus> info() override { return below_.info(); }

  async::Burst held;
  int fails = 0;
  int commits = 0;

 private:
  async::Task<Result<ports::Receipt>> commit(ports::WriteBatch batch) override {
    ++commits;
    co_await held.over();
    if (fails > 0) {
      --fails;
      co_return Error{Code::store_failed, "the disk is gone", ""};
    }
    co_return co_await below_.writer().commit(std::move(batch));
  }
  std::size_t pending_bytes() const override { return 0; }

  ports::Store& below_;
};

struct StubbornDesk {
  StubbornDesk() {
    made = tokens.prepare({.name = "n", .subject = "anna", .roles = {Role::admin}},
                          std::string(wire::kTokenSecretBytes, 's'), kMade);
    REQUIRE(bench.run(tokens.put(made.token, act)).ok());
    store.commits = 0;
  }
  Result<AccessToken> revoke(std::string reason = "lost") {
    return bench.run(tokens.revoke(made.token.id, {kMade + 1h, "cleo", std::move(reason)}));
  }
  bool refused() {
    const auto answer = tokens.check(made.text, kMade + 2h);
    return !answer.ok() && answer.error().code == Code::token_revoked &&
           !tokens.is_live(made.token.id, kMade + 2h) && !tokens.has_live_admin(kMade + 2h);
  }
  bool durable() {
    Tokens after_crash(bench.store());
    REQUIRE(bench.run(after_crash.start()).ok());
    return !after_crash.check(made.text, kMade + 2h).ok();
  }
  std::size_t audited() { return bench.run(bench.store().recovery().audit(100, 100))->size() - 1; }

  Act act{.at = kMade, .actor = "ben", .reason = "why"};
  ports::testing::StoreBench bench{
      [](async::Executor executor) { return store::memory::open(std::move(executor)); }};
  StubbornStore store{bench.store()};
  Tokens tokens{store};
  NewToken made;
};

}  // namespace

TEST_CASE("a revoked token is refused at once, and nobody hears of success before it is durable") {
  StubbornDesk desk;
  desk.store.held.open();
  std::optional<Result<AccessToken>> first;
  std::optional<Result<AccessToken>> second;
  const TokenId id = desk.made.token.id;
  desk.bench.start(desk.tokens.revoke(id, {kMade + 1h, "cleo", "lost"}), first);
  desk.bench.wait([&] { return desk.store.commits == 1; });
  CHECK(desk.refused());
  CHECK(desk.tokens.is_revoking(id));
  desk.bench.start(desk.tokens.revoke(id, {kMade + 2h, "dora", "again"}), second);
  desk.bench.wait([&] { return desk.store.commits == 2; });
  CHECK_FALSE(first.has_value());
  CHECK_FALSE(second.has_value());
  CHECK_FALSE(desk.durable());
  desk.store.held.close();
  desk.bench.wait([&] { return first.has_value() && second.has_value(); });
  CHECK((*first)->revoked == kMade + 1h);
  CHECK((*second)->revoked == kMade + 1h);
  CHECK_FALSE(desk.tokens.is_revoking(id));
  CHECK(desk.refused());
  CHECK(desk.durable());
  CHECK(desk.audited() == 1);
}

TEST_CASE("a revocation that the store refused says so, and is all done again by the next one") {
  StubbornDesk desk;
  desk.store.fails = 1;
  const auto failed = desk.revoke();
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == Code::store_failed);
  CHECK(failed.error().detail.contains("not durable yet"));
  CHECK(desk.refused());
  CHECK_FALSE(desk.durable());
  CHECK(desk.revoke("once more").ok());
  CHECK(desk.refused());
  CHECK(desk.durable());
  CHECK(desk.audited() == 1);
}

TEST_CASE("who repeats a revocation that then fails does not lose its audit entry") {
  StubbornDesk desk;
  desk.store.held.open();
  desk.store.fails = 1;
  std::optional<Result<AccessToken>> first;
  std::optional<Result<AccessToken>> second;
  const Act act{kMade + 1h, "cleo", "lost"};
  desk.bench.start(desk.tokens.revoke(desk.made.token.id, act), first);
  desk.bench.start(desk.tokens.revoke(desk.made.token.id, act), second);
  desk.bench.wait([&] { return desk.store.commits == 2; });
  desk.store.held.close();
  desk.bench.wait([&] { return first.has_value() && second.has_value(); });
  CHECK_FALSE(first->ok());
  CHECK(second->ok());
  CHECK(desk.durable());
  CHECK(desk.audited() == 1);
}

TEST_CASE("a token counts only once it is in the store, and the store never has its text") {
  TokenDesk desk;
  const NewToken made = desk.make();
  CHECK_FALSE(desk.tokens.check(made.text, kMade).ok());
  CHECK(desk.put(made).ok());
  CHECK(desk.tokens.check(made.text, kMade).ok());
  const auto stored = desk.bench.run(desk.bench.store().flows().tokens());
  REQUIRE(stored->size() == 1);
  CHECK((*stored)[0] == made.token);
  CHECK(made.text.find((*stored)[0].hash) == std::string::npos);
  Tokens later(desk.bench.store());
  CHECK(desk.bench.run(later.start()).ok());
  CHECK(later.check(made.text, kMade).ok());
  CHECK(later.prepare({}, std::string(32, 't'), kMade).token.id == TokenId{2});
}

TEST_CASE("making and revoking are audited with who, why and what for") {
  TokenDesk desk;
  const NewToken made = desk.make({Role::operate, Role::producer});
  CHECK(desk.put(made).ok());
  const Act act{.at = kMade + 1h, .actor = "cleo", .reason = "lost"};
  CHECK(desk.bench.run(desk.tokens.revoke(made.token.id, act)).ok());
  CHECK(desk.bench.run(desk.tokens.revoke(made.token.id, act))->revoked == kMade + 1h);  // once
  CHECK(desk.bench.run(desk.tokens.revoke(TokenId{9}, act)).error().code == Code::unknown_token);
  const auto audit = desk.bench.run(desk.bench.store().recovery().audit(100, 100));
  REQUIRE(audit->size() == 2);
  CHECK((*audit)[0].action == "token.revoke");
  CHECK((*audit)[0].actor == "cleo");
  CHECK((*audit)[0].reason == "lost");
  CHECK((*audit)[1].action == "token.create");
  CHECK((*audit)[1].target == "t1");
  CHECK((*audit)[1].detail.starts_with("n of anna: operator, producer; until "));
  for (const AuditEntry& entry : *audit) CHECK(entry.detail.find("weir_") == std::string::npos);
}

TEST_CASE("there are so many tokens and no more; one that is of no use makes room") {
  TokenDesk desk;
  for (std::size_t i = 0; i < kTokensMax; ++i)
    CHECK(desk.put(desk.make({Role::viewer}, i == 7 ? Duration{2h} : Duration{24h})).ok());
  CHECK(desk.put(desk.make()).error().code == Code::too_many_tokens);
  CHECK(desk.put(desk.make(), kMade + 3h).ok());
  CHECK(desk.tokens.all().size() == kTokensMax);
  CHECK_FALSE(desk.tokens.all().contains(TokenId{8}));
}

TEST_CASE("an admin token that is limited, expired or revoked is not one to get in with") {
  TokenDesk desk;
  CHECK_FALSE(desk.tokens.has_live_admin(kMade));
  CHECK(desk.put(desk.make({Role::operate})).ok());
  NewToken limited = desk.make({Role::admin});
  limited.token.scope.flows = {"one"};
  CHECK(desk.put(limited).ok());
  CHECK_FALSE(desk.tokens.has_live_admin(kMade));
  CHECK(desk.put(desk.make({Role::admin}, 1h)).ok());
  CHECK(desk.tokens.has_live_admin(kMade));
  CHECK_FALSE(desk.tokens.has_live_admin(kMade + 1h));
}

TEST_CASE("a wish for a token is checked") {
  const TokenWish good{.name = "n", .subject = "anna@example.org", .roles = {Role::viewer}};
  CHECK(check_wish(good).ok());
  const auto refused = [&](auto change) {
    TokenWish wish = good;
    change(wish);
    CHECK(check_wish(wish).error().code == Code::invalid_argument);
  };
  refused([](TokenWish& wish) { wish.name = ""; });
  refused([](TokenWish& wish) { wish.name = "a b"; });
  refused([](TokenWish& wish) { wish.subject = "anna (token t1)"; });
  refused([](TokenWish& wish) { wish.subject = std::string(65, 'a'); });
  refused([](TokenWish& wish) { wish.roles = {}; });
  refused([](TokenWish& wish) { wish.lasts = 0s; });
  refused([](TokenWish& wish) { wish.lasts = kTokenLastsMax + 1s; });
  refused([](TokenWish& wish) { wish.scope.flows.assign(kScopeNamesMax + 1, "f"); });
}

}  // namespace weir::api
