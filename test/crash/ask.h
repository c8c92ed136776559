// SPDX-License-Identifier: Apache-2.0
// Asks a life for something that can fail only with the life.
#pragma once

#include <doctest/doctest.h>

#include "life.h"

namespace weir::crash {

inline constexpr const char* kActor = "local:test";

// nullopt: the life ended meanwhile.
template <class T>
std::optional<T> ask(Life& life, async::Task<Result<T>> task) {
  auto result = life.wait(std::move(task));
  if (!result) return std::nullopt;
  if (result->ok()) return **std::move(result);
  if (result->error().code != Code::store_failed) FAIL(to_text(result->error()));
  return std::nullopt;
}

// Of a life that has nothing to fear.
template <class T>
T answer(Life& life, async::Task<Result<T>> task) {
  auto result = life.wait(std::move(task));
  REQUIRE(result);
  if (!result->ok()) FAIL(to_text(result->error()));
  return **std::move(result);
}

}  // namespace weir::crash
