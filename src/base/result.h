// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error. Unlike std::expected it may not be dropped.
#pragma once

#include <expected>
#include <utility>

#include "base/assert.h"
#include "base/error.h"

namespace weir {

template <class T = void>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}                       // NOLINT: implicit
  Result(Error error) : value_(std::unexpected(std::move(error))) {}  // NOLINT: implicit

  explicit operator bool() const { return value_.has_value(); }
  bool ok() const { return value_.has_value(); }

  T& value() & {
    WEIR_ASSERT(ok());
    return *value_;
  }
  const T& value() const& {
    WEIR_ASSERT(ok());
    return *value_;
  }
  T&& value() && {
    WEIR_ASSERT(ok());
    return std::move(*value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const& {
    WEIR_ASSERT(!ok());
    return value_.error();
  }
  Error&& error() && {
    WEIR_ASSERT(!ok());
    return std::move(value_.error());
  }

 private:
  std::expected<T, Error> value_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : value_(std::unexpected(std::move(error))) {}  // NOLINT: implicit

  explicit operator bool() const { return value_.has_value(); }
  bool ok() const { return value_.has_value(); }
  const Error& error() const& {
    WEIR_ASSERT(!ok());
    return value_.error();
  }
  Error&& error() && {
    WEIR_ASSERT(!ok());
    return std::move(value_.error());
  }

 private:
  std::expected<void, Error> value_;
};

}  // namespace weir

#define WEIR_CONCAT_(a, b) a##b
#define WEIR_CONCAT(a, b) WEIR_CONCAT_(a, b)

// WEIR_TRY(auto x, f()): declares x from the value of f(), or returns its Error.
#define WEIR_TRY(declaration, ...) \
  WEIR_TRY_(WEIR_CONCAT(weir_try_, __LINE__), declaration, return, __VA_ARGS__)
#define WEIR_CO_TRY(declaration, ...) \
  WEIR_TRY_(WEIR_CONCAT(weir_try_, __LINE__), declaration, co_return, __VA_ARGS__)
#define WEIR_TRY_(name, declaration, leave, ...) \
  auto name = __VA_ARGS__;                       \
  if (!name.ok()) leave std::move(name).error(); \
  declaration = std::move(name).value()

// WEIR_CHECK(f()): returns the Error of a Result<void>.
#define WEIR_CHECK(...)                                                                        \
  do {                                                                                         \
    if (auto weir_check = __VA_ARGS__; !weir_check.ok()) return std::move(weir_check).error(); \
  } while (false)
#define WEIR_CO_CHECK(...)                                                                        \
  do {                                                                                            \
    if (auto weir_check = __VA_ARGS__; !weir_check.ok()) co_return std::move(weir_check).error(); \
  } while (false)
