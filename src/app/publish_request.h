// SPDX-License-Identifier: Apache-2.0
// The requests that `weir publish` sends, and the sum of their answers. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/client.h"
#include "base/result.h"
#include "wire/json.h"

namespace weir::app {

inline constexpr std::uint64_t kPublishMax = 1'000'000;  // events of one command
inline constexpr std::size_t kPublishBatch = 100;        // events of one request

struct PublishOptions {
  std::string stream;
  std::optional<std::string> data;  // nullopt = an event without data
  std::string type;
  std::string source;
  std::string id;  // empty = made up; with a count > 1 "-1", "-2", ... are appended
  std::string subject;
  std::string content_type;  // empty = by the look of the data
  std::vector<std::string>
      headers;  // "name=value"; ce-* are attributes of every event, others go with the request
  std::uint64_t count = 1;
};

// Checks everything that every request needs. Error: usage.
Result<> check(const PublishOptions& options);
// Events `first` .. `first + count - 1`: one goes in binary mode, several as a batch. `make_id` is
// asked where there is no id. After check().
ClientRequest publish_request(const PublishOptions& options, std::uint64_t first,
                              std::uint64_t count, const std::function<std::string()>& make_id);

struct PublishTotals {
  std::uint64_t stored = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t refused = 0;  // invalid or in conflict with another event
  std::uint64_t sum() const { return stored + duplicate + refused; }
};
// Adds an answer's `results`.
void add_results(PublishTotals& totals, wire::Json answer);

}  // namespace weir::app
