// SPDX-License-Identifier: Apache-2.0
// The configurations that were in force, newest last, in the store: what `weir config history`,
// `diff` and `rollback` work with. The newest kVersionsKept are kept.
#pragma once

#include <optional>
#include <vector>

#include "async/task.h"
#include "config/version.h"
#include "ports/store.h"

namespace weir::api {

inline constexpr std::uint64_t kVersionsKept = 50;
// A version with more text is listed, but its text is not kept.
inline constexpr std::size_t kVersionBytesMax = std::size_t{1} << 20;

class ConfigHistory {
 public:
  explicit ConfigHistory(ports::Store& store) : store_(store) {}

  // Reads where the history stands.
  async::Task<Result<>> start();
  // Whether these files are what the newest version has.
  bool is_newest(const std::vector<config::SourceFile>& files) const;
  // The version after the newest, to be committed together with what it goes with; committed() once
  // that is durable. `version.number` is filled in.
  std::vector<ports::Mutation> add(config::Version& version) const;
  void committed(config::Version version) { newest_ = std::move(version); }

  const std::optional<config::Version>& newest() const { return newest_; }
  // nullopt: there was none, or it is too old.
  async::Task<Result<std::optional<config::Version>>> find(std::uint64_t number) const;
  // Newest first.
  async::Task<Result<std::vector<config::Version>>> list() const;

 private:
  ports::Store& store_;
  std::optional<config::Version> newest_;
};

}  // namespace weir::api
