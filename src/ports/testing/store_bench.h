// SPDX-License-Identifier: Apache-2.0
// A store on a test bench: runs its tasks to the end, one after the other, and builds the values
// that tests write.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "ports/store.h"

namespace weir::ports::testing {

using StoreFactory = std::function<std::unique_ptr<Store>(async::Executor)>;

inline constexpr StreamId kStream{1};
inline constexpr FlowId kFlow{1};

class StoreBench {
 public:
  explicit StoreBench(StoreFactory factory);
  ~StoreBench();
  StoreBench(const StoreBench&) = delete;
  StoreBench& operator=(const StoreBench&) = delete;

  Store& store() { return *store_; }
  async::Executor executor();
  // Closes the store and opens it again, if the factory opens the same data again.
  void reopen();

  template <class T>
  T run(async::Task<T> task) {
    std::optional<T> result;
    start(std::move(task), result);
    wait([&] { return result.has_value(); });
    return *std::move(result);
  }

  // Starts a task without waiting; wait() until its result is there.
  template <class T>
  void start(async::Task<T> task, std::optional<T>& result) {
    tasks().spawn(keep(std::move(task), result));
  }
  void wait(const std::function<bool()>& done);

  Result<Receipt> try_commit(WriteBatch batch) {
    return run(store_->writer().commit(std::move(batch)));
  }
  // Fails the test if the commit fails or is not applied.
  Receipt commit(WriteBatch batch);
  Receipt commit(std::vector<Mutation> mutations, Lane lane = Lane::settle);
  // Registers kStream and kFlow.
  void register_names();
  // Appends events e<first>..e<last> and returns their results.
  std::vector<AppendResult> append(int first, int last, WallTime now = WallTime{Duration{1}});

 private:
  template <class T>
  static async::Task<> keep(async::Task<T> task, std::optional<T>& result) {
    result.emplace(co_await std::move(task));
  }

  async::TaskGroup& tasks();

  struct Loop;
  std::unique_ptr<Loop> loop_;
  StoreFactory factory_;
  std::unique_ptr<Store> store_;
};

WallTime at(std::int64_t seconds);
Position place(std::uint64_t seq, StreamId stream = kStream);
DeliveryRef ref(std::uint64_t seq, FlowId flow = kFlow);
// An event record with the given identity and content; its hash is the real one.
NewEvent event(const std::string& id, const std::string& data = "{}",
               const std::string& source = "/test");
StreamRecord stream(StreamId id, const std::string& name);
FlowRecord flow(FlowId id, const std::string& name, StreamId of = kStream);
// A row with every field set to something that depends on seq.
Delivery delivery(std::uint64_t seq, DeliveryState state, FlowId flow = kFlow);
JoinGroup join(std::uint64_t seq, const std::string& hash, WallTime when, FlowId flow = kFlow);
Replay replay(const Selection& selection, WallTime cutoff);
// One that was sent for this delivery, with every field set.
Effect effect(std::uint64_t seq, const std::string& key, FlowId flow = kFlow);

}  // namespace weir::ports::testing
