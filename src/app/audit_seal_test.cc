// SPDX-License-Identifier: Apache-2.0
#include "app/audit_seal.h"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "ports/testing/store_bench.h"
#include "store/memory/memory_store.h"
#include "store/sqlite/testing/temp_folder.h"
#include "wire/audit_chain.h"
#include "wire/audit_lines.h"

namespace weir::app {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class HandClock final : public async::Clock {
 public:
  MonoTime now{1h};
  MonoTime mono() override { return now; }
  WallTime wall() override { return from_micros(now.time_since_epoch().count()); }
  async::Task<> sleep_until(MonoTime) override { co_return; }
  void cancel_sleeps() override {}
};

// A data folder, and a store that lives longer than what seals it.
struct Sealed {
  ports::testing::StoreBench bench{
      [](async::Executor executor) { return store::memory::open(std::move(executor)); }};
  store::sqlite::testing::TempFolder folder;
  HandClock clock;
  int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  telemetry::Log log{null, telemetry::Level::error};
  AuditSeal seal{bench.store(), clock, log, folder.path()};

  ~Sealed() { ::close(null); }
  void deeds(int count) {
    for (int i = 0; i < count; ++i) bench.commit({ports::AddAudit{{.action = "marker"}}});
  }
  template <class T>
  T run(async::Task<T> task) {
    return bench.run(std::move(task));
  }
  void look(bool last = false) {
    std::optional<bool> done;
    bench.start(looked(last), done);
    bench.wait([&] { return done.has_value(); });
  }
  async::Task<bool> looked(bool last) {
    co_await seal.look(last);
    co_return true;
  }
  std::vector<std::uint64_t> numbers() const {
    std::vector<std::uint64_t> numbers;
    for (const AuditCheckpoint& one : seal.view().checkpoints) numbers.push_back(one.head.number);
    return numbers;
  }
  std::string file(std::string_view name) const { return folder.path() + std::string(name); }
};

TEST_CASE("what is new is signed after so many entries, after an hour, and at the end") {
  Sealed sealed;
  REQUIRE(sealed.run(sealed.seal.start()).ok());
  CHECK(sealed.numbers().empty());  // there is nothing to sign
  sealed.deeds(3);
  sealed.look();
  CHECK(sealed.numbers() == std::vector<std::uint64_t>{3});
  sealed.deeds(1);
  sealed.look();
  sealed.clock.now += 59min;
  sealed.look();
  CHECK(sealed.numbers().size() == 1);
  sealed.clock.now += 1min;
  sealed.look();
  sealed.look();
  CHECK(sealed.numbers() == std::vector<std::uint64_t>{3, 4});
  sealed.deeds(AuditSeal::kEntriesMax);
  sealed.look();
  CHECK(sealed.numbers() == std::vector<std::uint64_t>{3, 4, 1004});
  sealed.deeds(1);
  sealed.look(true);
  sealed.look(true);
  CHECK(sealed.numbers() == std::vector<std::uint64_t>{3, 4, 1004, 1005});
  const auto kept = read_checkpoints(sealed.file(kAuditCheckpointsFile));
  REQUIRE(kept.ok());
  CHECK(kept->others == 0);
  REQUIRE(kept->checkpoints.size() == 4);
  for (const AuditCheckpoint& one : kept->checkpoints) {
    CHECK(wire::is_genuine(one));
    CHECK(one.key == *read_public_key(sealed.file(kAuditPublicKeyFile)));
  }
}

TEST_CASE("the next process goes on with the key and what it has signed") {
  Sealed sealed;
  REQUIRE(sealed.run(sealed.seal.start()).ok());
  sealed.deeds(2);
  sealed.look();
  AuditSeal next(sealed.bench.store(), sealed.clock, sealed.log, sealed.folder.path());
  REQUIRE(sealed.run(next.start()).ok());
  CHECK(next.view().public_key == sealed.seal.view().public_key);
  CHECK(next.view().checkpoints.size() == 1);
}

TEST_CASE("what is not sound is not signed") {
  Sealed sealed;
  sealed.deeds(5);
  REQUIRE(sealed.run(sealed.seal.start()).ok());
  // Checkpoints of a chain that was longer, or another one.
  const auto keys = audit_keys(sealed.folder.path());
  REQUIRE(keys.ok());
  AuditCheckpoint other{.head = {7, std::string(64, 'a')}, .incarnation = 1};
  SUBCASE("a longer one") {}
  SUBCASE("another one") { other.head.number = 5; }
  REQUIRE(append_checkpoint(sealed.folder.path(), wire::sign_checkpoint(keys->seed, other)).ok());
  AuditSeal next(sealed.bench.store(), sealed.clock, sealed.log, sealed.folder.path());
  REQUIRE(sealed.run(next.start()).ok());
  const std::size_t before = next.view().checkpoints.size();
  sealed.deeds(4);
  sealed.clock.now += 2h;
  std::optional<bool> done;
  const auto looked = [](AuditSeal& seal) -> async::Task<bool> {
    co_await seal.look(true);
    co_return true;
  };
  sealed.bench.start(looked(next), done);
  sealed.bench.wait([&] { return done.has_value(); });
  CHECK(next.view().checkpoints.size() == before);
}

TEST_CASE("without a data folder nothing is signed") {
  Sealed sealed;
  AuditSeal none(sealed.bench.store(), sealed.clock, sealed.log, "");
  sealed.deeds(1);
  REQUIRE(sealed.run(none.start()).ok());
  CHECK(none.view().public_key.empty());
  CHECK(none.view().checkpoints.empty());
}

TEST_CASE("the key: made once, private, and refused when it is not") {
  store::sqlite::testing::TempFolder folder;
  const std::string key = folder.path() + std::string(kAuditKeyFile);
  const std::string half = folder.path() + std::string(kAuditPublicKeyFile);
  const auto made = audit_keys(folder.path());
  REQUIRE(made.ok());
  struct stat facts{};
  REQUIRE(::stat(key.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  CHECK(audit_keys(folder.path())->seed == made->seed);
  SUBCASE("the process ended between the two files") {
    fs::remove(half);
    CHECK(audit_keys(folder.path())->public_key == made->public_key);
    CHECK(*read_public_key(half) == made->public_key);
  }
  const auto refused = [&] { return audit_keys(folder.path()).error().code; };
  SUBCASE("the key is gone") {
    fs::remove(key);
    CHECK(refused() == Code::audit_key_refused);
  }
  SUBCASE("others may read it") {
    ::chmod(key.c_str(), 0604);
    CHECK(refused() == Code::audit_key_refused);
  }
  SUBCASE("it is a link to somewhere") {
    fs::rename(key, key + ".away");
    fs::create_symlink(key + ".away", key);
    CHECK(refused() == Code::audit_key_refused);
  }
  SUBCASE("it is no key") {
    std::ofstream(key) << "hello";
    CHECK(refused() == Code::audit_key_refused);
  }
}

TEST_CASE("checkpoints are found in their file, in an export and in the log") {
  store::sqlite::testing::TempFolder folder;
  const auto keys = audit_keys(folder.path());
  const AuditCheckpoint one = wire::sign_checkpoint(
      keys->seed, {.head = {5, std::string(64, 'b')}, .incarnation = 1});
  const std::string path = folder.path() + std::string(kAuditCheckpointsFile);
  std::ofstream(path) << R"({"checkpoint":4,"hash":)";  // a crash cut it short
  REQUIRE(append_checkpoint(folder.path(), one).ok());
  const auto read = read_checkpoints(path);
  REQUIRE(read->checkpoints.size() == 1);
  CHECK(read->checkpoints[0].signature == one.signature);
  CHECK(read->others == 1);
  const std::string logged = R"({"event":"audit.checkpoint","signed":)" + wire::to_line(one) + "}";
  CHECK(checkpoints_in("Weir\n" + logged + "\n{}\n").checkpoints.size() == 1);
  CHECK(read_checkpoints(folder.path() + "/none").error().code == Code::audit_unreadable);
}

}  // namespace
}  // namespace weir::app
