// SPDX-License-Identifier: Apache-2.0
// The store with a keyring: the same answers, and nothing of an event in its files.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ports/testing/reference_scenario.h"
#include "ports/testing/store_content.h"
#include "ports/testing/store_contract.h"
#include "store/memory/memory_store.h"
#include "store/records/envelope.h"
#include "store/sqlite/check.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/testing/temp_folder.h"

namespace weir::store::sqlite {
namespace {

namespace fs = std::filesystem;
using namespace ports;
using namespace ports::testing;
using testing::TempFolder;

constexpr std::string_view kCanary = "CANARY-8f3a2b";

MasterKey fresh_key() { return *parse_master_key(make_key_file(), "key"); }
std::shared_ptr<Keyring> ring_with(Keyring::Keys keys) {
  return std::make_shared<Keyring>(std::move(keys));
}

Options encrypted_options(const std::string& folder, async::Executor executor,
                          std::shared_ptr<Keyring> ring) {
  Options options{.folder = folder, .executor = std::move(executor)};
  options.keyring = std::move(ring);
  options.reserve_bytes = 1 << 16;
  options.disk_free_min = 1 << 16;
  return options;
}

StoreFactory opened_with(const std::string& folder, std::shared_ptr<Keyring> ring) {
  return [folder, ring](async::Executor executor) {
    auto store = open(encrypted_options(folder, std::move(executor), ring));
    if (!store.ok()) FAIL(to_text(store.error()));
    return *std::move(store);
  };
}

// The error of opening the folder.
Error refused_with(const std::string& folder, std::shared_ptr<Keyring> ring) {
  std::optional<Error> error;
  const StoreBench bench([&](async::Executor executor) -> std::unique_ptr<Store> {
    auto store = open(encrypted_options(folder, executor, ring));
    if (!store.ok()) error = store.error();
    return memory::open(executor);
  });
  REQUIRE(error.has_value());
  return *error;
}

StoreFactory encrypted() {
  return [folders = std::make_shared<std::vector<std::unique_ptr<TempFolder>>>()](
             async::Executor executor) {
    folders->clear();
    folders->push_back(std::make_unique<TempFolder>());
    return opened_with(folders->back()->path(), ring_with({fresh_key()}))(std::move(executor));
  };
}

TEST_CASE("encrypted store: ingest") { ingest_contract(encrypted()); }
TEST_CASE("encrypted store: flows") { flow_contract(encrypted()); }
TEST_CASE("encrypted store: deliveries") { delivery_contract(encrypted()); }
TEST_CASE("encrypted store: recovery") { recovery_contract(encrypted()); }
TEST_CASE("encrypted store: retention") { retention_contract(encrypted()); }
TEST_CASE("encrypted store: effects") { effect_contract(encrypted()); }
TEST_CASE("encrypted store: batches") { batch_contract(encrypted()); }
TEST_CASE("encrypted store: answers as the memory store does") {
  equivalence_contract([](async::Executor executor) { return memory::open(std::move(executor)); },
                       encrypted());
}

// A canary in every text of an event and of what is written about it.
void write_canaries(StoreBench& bench) {
  const std::string canary(kCanary);
  bench.register_names();
  std::vector<NewEvent> events;
  for (int i = 1; i <= 30; ++i) events.push_back(event(fmt::format("{}-{}", canary, i), canary));
  bench.commit({AppendEvents{kStream, std::move(events), at(1)}}, Lane::ingest);
  Delivery row = delivery(3, DeliveryState::quarantined);
  row.key = row.event_id = row.event_type = row.reason = row.failure_mode = canary;
  row.add_history({.number = 1, .note = canary});
  JoinGroup member = join(3, "aaaa", at(2));
  member.fingerprint.title = member.fingerprint.normalised = canary;
  bench.commit({PutDelivery{row}, KeepEvent{ref(3)}, member,
                PutHold{{.flow = kFlow, .key = canary, .holder = place(3), .first = 4, .count = 1}},
                PutMeta{"k", canary}});
  Effect paid = effect(3, canary);
  paid.caller_key = paid.name = paid.target = canary;
  bench.commit({PutEffect{paid}});
  Selection selection{.flow = "ship"};
  selection.where = canary;
  bench.commit({CreateReplay{replay(selection, at(9000))}});
}

std::uint64_t files_with_canary(const std::string& folder) {
  std::uint64_t found = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    found += bytes.find(kCanary) != std::string::npos ? 1 : 0;
  }
  return found;
}

TEST_CASE("no file of an encrypted store has a text of an event in it") {
  TempFolder folder;
  TempFolder plain;
  const auto ring = ring_with({fresh_key()});
  {
    StoreBench bench(opened_with(folder.path(), ring));
    write_canaries(bench);
    CHECK(files_with_canary(folder.path()) == 0);  // while the log is there
    REQUIRE(backup(folder.path(), folder.path() + "/copy.db", nullptr).ok());
    DeliveryQuery by_key;
    by_key.key = kCanary;
    CHECK(bench.run(bench.store().deliveries().list(by_key))->size() == 1);
    CHECK(*bench.run(bench.store().deliveries().count(by_key)) == 1);
    CHECK(bench.run(bench.store().events().find_id(std::string(kCanary), 0))->size() == 1);
  }
  CHECK(files_with_canary(folder.path()) == 0);
  StoreBench bench(opened_with(plain.path(), nullptr));
  write_canaries(bench);
  CHECK(files_with_canary(plain.path()) > 0);  // the test can see it
}

TEST_CASE(
    "an effect from before the store was encrypted is known, and hidden with its next write") {
  TempFolder folder;
  const std::string key(kCanary);
  Effect one = effect(1, key);
  {
    StoreBench bench(opened_with(folder.path(), nullptr));
    bench.register_names();
    bench.commit({PutEffect{one}, PutEffect{effect(2, "other")}});
  }
  const auto ring = ring_with({fresh_key()});
  StoreBench bench(opened_with(folder.path(), ring));
  const auto known = *bench.run(bench.store().effects().get(key));
  REQUIRE(known.has_value());
  CHECK(known->id == EffectId{1});
  const auto put = [&](std::uint32_t expected) {
    ++one.version;
    return bench
        .try_commit({.preconditions = {EffectIs{key, expected}}, .mutations = {PutEffect{one}}})
        ->applied;
  };
  CHECK_FALSE(put(0));
  one.version = known->version;
  CHECK(put(known->version));
  CHECK(put(known->version + 1));
  CHECK((*bench.run(bench.store().effects().get(key)))->id == EffectId{1});
  CHECK(bench.run(bench.store().effects().list({}))->size() == 2);
  CHECK(check(folder.path(), "", ring)->problems.empty());
}

TEST_CASE(
    "an encrypted store is refused without its key, with another one, and is left as it was") {
  TempFolder folder;
  const MasterKey key = fresh_key();
  const MasterKey other = fresh_key();
  std::string content;
  {
    StoreBench bench(opened_with(folder.path(), ring_with({key})));
    write_canaries(bench);
    content = content_of(bench);
  }
  CHECK(refused_with(folder.path(), nullptr).code == Code::key_missing);
  const Error wrong = refused_with(folder.path(), ring_with({other}));
  CHECK(wrong.code == Code::key_wrong);
  CHECK(wrong.detail.find(key.id) != std::string::npos);
  CHECK(wrong.detail.find(other.id) != std::string::npos);
  StoreBench bench(opened_with(folder.path(), ring_with({key})));
  CHECK(content_of(bench) == content);
}

TEST_CASE("a store that never had an event is known as an encrypted one") {
  TempFolder folder;
  {
    const StoreBench bench(opened_with(folder.path(), ring_with({fresh_key()})));
  }
  CHECK(refused_with(folder.path(), nullptr).code == Code::key_missing);
}

TEST_CASE(
    "a plain store that is given a key: what is old stays readable, what is new is encrypted") {
  TempFolder folder;
  const auto ring = ring_with({fresh_key()});
  std::string content;
  {
    StoreBench bench(opened_with(folder.path(), nullptr));
    write_canaries(bench);
    content = content_of(bench);
  }
  const auto before = check(folder.path());
  CHECK(before->encrypted == 0);
  CHECK(before->plain > 30);
  StoreBench bench(opened_with(folder.path(), ring));
  CHECK(content_of(bench) == content);
  // The same event is still known, and the same hold is still one.
  CHECK(
      bench
          .commit({AppendEvents{
                      kStream, {event(fmt::format("{}-1", kCanary), std::string(kCanary))}, at(2)}},
                  Lane::ingest)
          .appended[0]
          .status == AppendStatus::duplicate);
  bench.commit({PutHold{{.flow = kFlow, .key = std::string(kCanary), .holder = place(3)}}});
  CHECK(bench.run(bench.store().deliveries().holds(kFlow))->size() == 1);
  DeliveryQuery by_key;
  by_key.key = kCanary;
  CHECK(*bench.run(bench.store().deliveries().count(by_key)) == 1);
  bench.append(100, 109);
  const auto after = check(folder.path(), "", ring);
  for (const std::string& problem : after->problems) FAIL_CHECK(problem);
  CHECK(after->encrypted == 11);
  CHECK(after->plain == before->plain - 1);
}

TEST_CASE("check: without the key checksums are verified, with it everything is") {
  TempFolder folder;
  const auto ring = ring_with({fresh_key()});
  StoreBench bench(opened_with(folder.path(), ring));
  for (const WriteBatch& one : reference_scenario()) REQUIRE(bench.try_commit(one).ok());
  const auto blind = check(folder.path());
  REQUIRE(blind.ok());
  for (const std::string& problem : blind->problems) FAIL_CHECK(problem);
  CHECK(blind->encrypted > 0);
  CHECK(blind->unopened == blind->encrypted);
  const auto seeing = check(folder.path(), "", ring);
  for (const std::string& problem : seeing->problems) FAIL_CHECK(problem);
  CHECK(seeing->unopened == 0);
  CHECK(check(folder.path(), "", ring_with({fresh_key()})).error().code == Code::key_wrong);
}

// Whoever can write the file can mend checksums: the tag is what counts.
TEST_CASE("two encrypted events that were swapped, checksums mended, are damage") {
  TempFolder folder;
  const auto ring = ring_with({fresh_key()});
  {
    StoreBench bench(opened_with(folder.path(), ring));
    bench.register_names();
    bench.append(1, 3);
  }
  {
    auto db = Connection::open(folder.path() + "/weir.db", "", Access::write);
    REQUIRE(db.ok());
    std::string sealed;
    {
      auto query = db->query("SELECT record FROM events WHERE pos = ?1", place(1).pack());
      REQUIRE(*query->next());
      const auto envelope = store::open_event(place(1), query->bytes(0));
      REQUIRE(envelope.ok());
      store::seal_event(place(2), *envelope, sealed);
    }
    REQUIRE(db->run("UPDATE events SET record = ?2 WHERE pos = ?1", place(2).pack(), sealed).ok());
  }
  const auto report = check(folder.path(), "", ring);
  CHECK(report->problems_total == 1);
  StoreBench bench(opened_with(folder.path(), ring));
  CHECK(bench.run(bench.store().events().read(kStream, 2, 1, 1000)).error().code ==
        Code::store_corrupt);
}

}  // namespace
}  // namespace weir::store::sqlite
