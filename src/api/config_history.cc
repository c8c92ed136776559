// SPDX-License-Identifier: Apache-2.0
#include "api/config_history.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace weir::api {
namespace {

constexpr std::string_view kNewest = "config.newest";

std::string key_of(std::uint64_t number) { return fmt::format("config.version.{}", number); }

bool same(const std::vector<config::SourceFile>& a, const std::vector<config::SourceFile>& b) {
  return std::ranges::equal(
      a, b, [](const auto& x, const auto& y) { return x.name == y.name && x.text == y.text; });
}

Error damaged(std::uint64_t number) {
  return Error{Code::store_corrupt,
               fmt::format("version {} of the configuration cannot be read", number),
               "`weir store check` on the data folder"};
}

}  // namespace

async::Task<Result<>> ConfigHistory::start() {
  auto stored = co_await store_.flows().meta(std::string(kNewest));
  if (!stored.ok()) co_return stored.error();
  if (!stored->has_value()) co_return Result<>{};
  std::uint64_t number = 0;
  const std::string& text = **stored;
  std::from_chars(text.data(), text.data() + text.size(), number);
  auto version = co_await find(number);
  if (!version.ok()) co_return version.error();
  if (!version->has_value()) co_return damaged(number);
  newest_ = std::move(**version);
  co_return Result<>{};
}

bool ConfigHistory::is_newest(const std::vector<config::SourceFile>& files) const {
  return newest_ && same(newest_->files, files);
}

std::vector<ports::Mutation> ConfigHistory::add(config::Version& version) const {
  version.number = newest_ ? newest_->number + 1 : 1;
  std::string text = encode(version);
  if (text.size() > kVersionBytesMax) {
    config::Version listed = version;
    listed.files.clear();
    text = encode(listed);
  }
  std::vector<ports::Mutation> mutations;
  mutations.emplace_back(ports::PutMeta{key_of(version.number), std::move(text)});
  mutations.emplace_back(ports::PutMeta{std::string(kNewest), std::to_string(version.number)});
  if (version.number > kVersionsKept)
    mutations.emplace_back(ports::PutMeta{key_of(version.number - kVersionsKept), ""});
  return mutations;
}

async::Task<Result<std::optional<config::Version>>> ConfigHistory::find(
    std::uint64_t number) const {
  auto stored = co_await store_.flows().meta(key_of(number));
  if (!stored.ok()) co_return stored.error();
  if (!stored->has_value() || (*stored)->empty()) co_return std::optional<config::Version>();
  auto version = config::decode_version(**stored);
  if (!version) co_return damaged(number);
  co_return version;
}

async::Task<Result<std::vector<config::Version>>> ConfigHistory::list() const {
  std::vector<config::Version> versions;
  const std::uint64_t newest = newest_ ? newest_->number : 0;
  const std::uint64_t oldest = newest > kVersionsKept ? newest - kVersionsKept + 1 : 1;
  for (std::uint64_t number = newest; number >= oldest && number > 0; --number) {
    auto version = co_await find(number);
    if (!version.ok()) co_return version.error();
    if (version->has_value()) versions.push_back(std::move(**version));
  }
  co_return versions;
}

}  // namespace weir::api
