// SPDX-License-Identifier: Apache-2.0
// Master keys that change, and data keys that are destroyed.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "async/clock.h"
#include "ports/testing/store_content.h"
#include "store/memory/memory_store.h"
#include "store/sqlite/check.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/stream_keys.h"
#include "store/sqlite/testing/temp_folder.h"

namespace weir::store::sqlite {
namespace {

namespace fs = std::filesystem;
using namespace ports;
using namespace ports::testing;
using testing::TempFolder;

constexpr StreamId kOther{2};

MasterKey made_key() { return *parse_master_key(make_key_file(), "key"); }

struct Encrypted {
  explicit Encrypted(Keyring::Keys keys) : ring(std::make_shared<Keyring>(std::move(keys))) {}

  StoreFactory factory() {
    return [this](async::Executor executor) -> std::unique_ptr<Store> {
      Options options{.folder = folder.path(), .executor = executor};
      options.keyring = ring;
      options.reserve_bytes = 1 << 16;
      options.disk_free_min = 1 << 16;
      auto store = open(std::move(options));
      error.reset();
      if (store.ok()) return *std::move(store);
      error = store.error();
      return memory::open(executor);
    };
  }
  void give(Keyring::Keys keys) {
    ring->replace(std::make_shared<const Keyring::Keys>(std::move(keys)));
  }

  TempFolder folder;
  std::shared_ptr<Keyring> ring;
  std::optional<Error> error;
};

std::string bytes_of(const std::string& folder) {
  std::string all;
  for (const char* name : {"/weir.db", "/weir.db-wal", "/weir.db-shm"}) {
    std::ifstream file(folder + name, std::ios::binary);
    all.append(std::istreambuf_iterator<char>(file), {});
  }
  return all;
}

std::vector<std::string> wrapped_keys(const std::string& folder, StreamId stream) {
  std::vector<std::string> keys;
  auto db = Connection::open(folder + "/weir.db", "", Access::read);
  REQUIRE(db.ok());
  auto query = db->query("SELECT wrapped FROM stream_keys WHERE stream = ?1", stream.value);
  while (*query->next()) keys.emplace_back(query->bytes(0));
  return keys;
}

TEST_CASE("rotation: every data key is wrapped anew, while the store is used") {
  const MasterKey before = made_key();
  const MasterKey after = made_key();
  Encrypted store({before});
  StoreBench bench(store.factory());
  bench.register_names();
  bench.append(1, 20);
  const std::string content = content_of(bench);
  CHECK(bench.run(bench.store().info()).master_key == before.id);
  store.give({after, before});
  CHECK(bench.run(bench.store().info()).rotation_pending);
  CHECK(content_of(bench) == content);
  const std::vector<std::string> old = wrapped_keys(store.folder.path(), kStream);
  CHECK(bench.commit({RotateKeys{}}).keys == 2);  // of the store and of the stream
  CHECK(bytes_of(store.folder.path()).find(old.at(0)) == std::string::npos);
  CHECK(!bench.run(bench.store().info()).rotation_pending);
  CHECK(content_of(bench) == content);
  bench.append(21, 25);
  const std::string grown = content_of(bench);
  SUBCASE("the old key is not needed any more") {
    store.give({after});
    bench.reopen();
    CHECK(!store.error);
    CHECK(content_of(bench) == grown);
    CHECK(check(store.folder.path(), "", store.ring)->sound());
  }
  SUBCASE("the old key alone does not open it") {
    store.give({before});
    bench.reopen();
    REQUIRE(store.error);
    CHECK(store.error->code == Code::key_wrong);
  }
}

TEST_CASE("a rotation to a key without the old one is refused, and changes nothing") {
  const MasterKey before = made_key();
  Encrypted store({before});
  StoreBench bench(store.factory());
  bench.register_names();
  bench.append(1, 3);
  store.give({made_key()});
  const auto refused = bench.try_commit({.mutations = {AddAudit{{.action = "x"}}, RotateKeys{}}});
  CHECK(refused.error().code == Code::precondition_failed);
  CHECK(refused.error().detail.find(before.id) != std::string::npos);
  CHECK(bench.run(bench.store().recovery().audit(1000, 10))->empty());
  store.give({before});
  CHECK(bench.append(4, 4)[0].status == AppendStatus::stored);
  CHECK(bench.run(bench.store().events().read(kStream, 1, 10, 1 << 20))->size() == 4);
}

void fill_two_streams(StoreBench& bench) {
  bench.register_names();
  bench.commit({PutStream{stream(kOther, "others")}});
  bench.append(1, 40);
  bench.commit({AppendEvents{kOther, {event("other")}, at(1)}}, Lane::ingest);
  bench.commit({PutDelivery{delivery(3, DeliveryState::quarantined)}, KeepEvent{ref(3)},
                join(3, "aaaa", at(2)),
                PutHold{{.flow = kFlow, .key = "k", .holder = place(3), .first = 4, .count = 1}}});
}

TEST_CASE("shredding: what was written of a stream is gone, in the answers and in the files") {
  Encrypted store({made_key()});
  StoreBench bench(store.factory());
  fill_two_streams(bench);
  CHECK(bench.run(bench.store().events().read(kStream, 1, 50, 1 << 20))->size() == 40);
  const std::vector<std::string> keys = wrapped_keys(store.folder.path(), kStream);
  REQUIRE(keys.size() == 1);
  CHECK(bytes_of(store.folder.path()).find(keys[0]) != std::string::npos);
  CHECK(bench.commit({ShredStream{kStream}, AddAudit{{.action = "stream.shred"}}}).keys == 1);
  // No reader remembers the key either.
  CHECK(bench.run(bench.store().events().read(kStream, 1, 50, 1 << 20)).error().code ==
        Code::stream_shredded);
  CHECK(!bench.run(bench.store().events().find(kStream, "/test", "e1"))->has_value());
  CHECK(bench.run(bench.store().deliveries().list({}))->empty());
  CHECK(bench.run(bench.store().recovery().groups({.with_closed = true}))->empty());
  CHECK(bench.run(bench.store().deliveries().holds(kFlow))->empty());
  CHECK(bytes_of(store.folder.path()).find(keys[0]) == std::string::npos);
  CHECK(check(store.folder.path(), "", store.ring)->shredded == 40);
  CHECK(bench.run(bench.store().events().read(kOther, 1, 50, 1 << 20))->size() == 1);
  bench.commit({TrimStream{kStream, 41, {}}});
  CHECK(check(store.folder.path(), "", store.ring)->shredded == 0);
  CHECK(bench.append(1, 1)[0].status == AppendStatus::stored);  // the same event is a new one
  bench.reopen();
  CHECK(!store.error);
  CHECK(bench.run(bench.store().events().read(kStream, 1, 50, 1 << 20))->size() == 1);
  CHECK(check(store.folder.path(), "", store.ring)->sound());
}

TEST_CASE("a reader in the way delays the erasure of the log, and nothing else") {
  Encrypted store({made_key()});
  StoreBench bench(store.factory());
  fill_two_streams(bench);
  const std::vector<std::string> keys = wrapped_keys(store.folder.path(), kStream);
  {
    auto reader = Connection::open(store.folder.path() + "/weir.db", "", Access::read);
    REQUIRE(reader.ok());
    REQUIRE(reader->execute("BEGIN").ok());
    REQUIRE(reader->integer("SELECT count(*) FROM events", 0).ok());
    const MonoTime begun = async::steady_now();
    bench.commit({ShredStream{kStream}});
    bench.append(50, 50);
    CHECK(async::steady_now() - begun < std::chrono::seconds{3});
    CHECK(bytes_of(store.folder.path()).find(keys[0]) != std::string::npos);
  }
  const MonoTime deadline = async::steady_now() + std::chrono::seconds{10};
  const auto is_there = [&] {
    return bytes_of(store.folder.path()).find(keys[0]) != std::string::npos;
  };
  while (is_there() && async::steady_now() < deadline) bench.commit({PutMeta{"k", "v"}});
  CHECK(!is_there());
}

TEST_CASE(
    "a copy made after the shredding cannot be read with the master key; one from before can") {
  Encrypted store({made_key()});
  StoreBench bench(store.factory());
  fill_two_streams(bench);
  const std::string early = store.folder.path() + "/early.db";
  const std::string late = store.folder.path() + "/late.db";
  REQUIRE(backup(store.folder.path(), early, nullptr).ok());
  bench.commit({ShredStream{kStream}});
  REQUIRE(backup(store.folder.path(), late, nullptr).ok());
  for (const bool is_early : {true, false}) {
    Encrypted restored({store.ring->keys()->front()});
    REQUIRE(restore(is_early ? early : late, restored.folder.path() + "/data",
                    {.action = "store.restore"})
                .ok());
    const auto report = check(restored.folder.path() + "/data", "", restored.ring);
    CHECK(report->shredded == (is_early ? 0 : 40));
    CHECK(report->events == 41);
  }
}

TEST_CASE("a restored copy never seals with a nonce that the original used") {
  Encrypted store({made_key()});
  TempFolder copy;
  StoreBench bench(store.factory());
  bench.register_names();
  REQUIRE(backup(store.folder.path(), copy.path() + "/b.db", nullptr).ok());
  REQUIRE(restore(copy.path() + "/b.db", copy.path() + "/data", {.action = "store.restore"}).ok());
  bench.append(1, 50);
  {
    StoreBench restored([&](async::Executor executor) {
      Options options{.folder = copy.path() + "/data", .executor = executor};
      options.keyring = store.ring;
      return *open(std::move(options));
    });
    restored.append(1, 50);  // the same places, under the same data key
  }
  std::set<std::string> nonces;
  for (const std::string& path : {store.folder.path(), copy.path() + "/data"}) {
    auto db = Connection::open(path + "/weir.db", "", Access::read);
    REQUIRE(db.ok());
    auto query = db->query("SELECT substr(record, 26, 24) FROM events");
    while (*query->next()) nonces.emplace(query->bytes(0));
  }
  CHECK(nonces.size() == 100);
}

TEST_CASE("keys that are remembered are bounded") {
  TempFolder folder;
  auto db = Connection::open(folder.path() + "/k.db", "", Access::create);
  REQUIRE(db.ok());
  REQUIRE(db->execute("CREATE TABLE stream_keys(stream INTEGER, generation INTEGER, master BLOB, "
                      "wrapped BLOB, created_at INTEGER, PRIMARY KEY(stream, generation))")
              .ok());
  StreamKeys keys(*db, std::make_shared<Keyring>(Keyring::Keys{made_key()}));
  std::string first;
  for (std::uint32_t id = 1; id <= kKeysRemembered + 20; ++id) {
    const auto sealed = keys.seal("t", StreamId{id}, "bound", "payload");
    REQUIRE(sealed.ok());
    if (id == 1) first = *sealed;
    CHECK(keys.remembered() <= kKeysRemembered);
  }
  CHECK(*keys.unseal("t", "bound", first, "x") == "payload");
}

}  // namespace
}  // namespace weir::store::sqlite
