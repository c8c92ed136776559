// SPDX-License-Identifier: Apache-2.0
#include "async/completion.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "async/testing/virtual_loop.h"

namespace weir::async {
namespace {

using testing::VirtualLoop;

// Waits for one value; keeps what answers it and what it got.
template <class T>
struct Question {
  std::optional<Completion<T>> done;
  std::optional<T> answer;
  std::thread::id resumed_on;

  static Task<> ask(Question* question) {
    T value = co_await complete_with<T>(
        [question](Completion<T> done) { question->done.emplace(std::move(done)); });
    question->answer.emplace(std::move(value));
    question->resumed_on = std::this_thread::get_id();
  }
};

TEST_CASE("the coroutine goes on with the value, after the call that gave it") {
  VirtualLoop loop;
  Question<std::string> question;
  loop.start(Question<std::string>::ask(&question));
  loop.poll();
  REQUIRE(question.done);
  CHECK_FALSE(question.answer);
  (*question.done)("a value");
  CHECK_FALSE(question.answer);
  loop.poll();
  CHECK(question.answer == "a value");
}

TEST_CASE("resume_here goes on inside the call") {
  VirtualLoop loop;
  Question<int> question;
  loop.start(Question<int>::ask(&question));
  loop.poll();
  REQUIRE(question.done);
  question.done->resume_here(7);
  CHECK(question.answer == 7);
}

TEST_CASE("values that can only be moved, and results, pass through") {
  VirtualLoop loop;
  Question<std::unique_ptr<int>> boxed;
  Question<Result<int>> failed;
  loop.start(Question<std::unique_ptr<int>>::ask(&boxed));
  loop.start(Question<Result<int>>::ask(&failed));
  loop.poll();
  (*boxed.done)(std::make_unique<int>(5));
  (*failed.done)(Error{Code::not_found, "gone", ""});
  loop.poll();
  REQUIRE(boxed.answer);
  CHECK(**boxed.answer == 5);
  REQUIRE(failed.answer);
  CHECK(failed.answer->error().detail == "gone");
}

Task<> ask_answered(int* sum) {
  for (int i = 1; i <= 1000; ++i) {
    *sum += co_await complete_with<int>([i](Completion<int> done) { done(i); });
  }
}

TEST_CASE("an answer may be there before the coroutine has suspended") {
  VirtualLoop loop;
  int sum = 0;
  loop.start(ask_answered(&sum));
  loop.poll();
  CHECK(sum == 500'500);
}

TEST_CASE("completions can be moved about, by assignment too") {
  VirtualLoop loop;
  std::vector<Question<int>> questions(3);
  for (auto& question : questions) loop.start(Question<int>::ask(&question));
  loop.poll();
  std::vector<Completion<int>> queue;
  for (auto& question : questions) queue.push_back(std::move(*question.done));
  Completion<int> last = std::move(queue.back());
  queue.pop_back();
  queue.erase(queue.begin());  // moves the second one down; the first is never answered
  queue[0](2);
  last(3);
  loop.poll();
  CHECK_FALSE(questions[0].answer);
  CHECK(questions[1].answer == 2);
  CHECK(questions[2].answer == 3);
}

TEST_CASE("an answer from another thread comes home, and the context waits for it") {
  boost::asio::io_context io(1);
  std::vector<Question<int>> questions(100);
  for (auto& question : questions) {
    boost::asio::co_spawn(io, Question<int>::ask(&question), [](std::exception_ptr failure) {
      if (failure) std::rethrow_exception(failure);
    });
  }
  io.poll();
  std::thread worker([&] {
    for (int i = 0; i < 100; ++i) (*questions[static_cast<std::size_t>(i)].done)(i);
  });
  io.run();  // returns when every coroutine has ended, not before
  worker.join();
  for (int i = 0; i < 100; ++i) {
    CHECK(questions[static_cast<std::size_t>(i)].answer == i);
    CHECK(questions[static_cast<std::size_t>(i)].resumed_on == std::this_thread::get_id());
  }
}

Task<> hold(std::shared_ptr<int>, std::optional<Completion<int>>* done) {
  co_await complete_with<int>([done](Completion<int> given) { done->emplace(std::move(given)); });
}

TEST_CASE("a coroutine whose answer is given up is unwound, on its executor") {
  VirtualLoop loop;
  auto witness = std::make_shared<int>(0);
  std::optional<Completion<int>> done;
  loop.start(hold(witness, &done));
  loop.poll();
  CHECK(witness.use_count() == 2);
  done.reset();
  CHECK(witness.use_count() == 2);
  loop.poll();
  CHECK(witness.use_count() == 1);
}

Task<Result<int>> doubled(Result<int> given) {
  WEIR_CO_TRY(const int value, std::move(given));
  co_return value * 2;
}

Task<Result<>> both(Result<int> a, Result<int> b) {
  WEIR_CO_TRY(const int first, co_await doubled(std::move(a)));
  const Result<int> second = co_await doubled(std::move(b));
  WEIR_CO_CHECK(second);
  if (first != *second) co_return Error{Code::conflict, "different", ""};
  co_return Result<>{};
}

Task<> keep(Task<Result<>> task, std::vector<Result<>>* ends) {
  ends->push_back(co_await std::move(task));
}

TEST_CASE("errors leave coroutines as they leave functions") {
  VirtualLoop loop;
  std::vector<Result<>> ends;
  loop.start(keep(both(1, 1), &ends));
  loop.start(keep(both(1, 2), &ends));
  loop.start(keep(both(Error{Code::not_found, "a", ""}, 2), &ends));
  loop.start(keep(both(1, Error{Code::not_found, "b", ""}), &ends));
  loop.poll();
  REQUIRE(ends.size() == 4);
  CHECK(ends[0].ok());
  CHECK(ends[1].error().code == Code::conflict);
  CHECK(ends[2].error().detail == "a");
  CHECK(ends[3].error().detail == "b");
}

}  // namespace
}  // namespace weir::async
