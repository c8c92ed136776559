// SPDX-License-Identifier: Apache-2.0
// Breakers worked by hand: durable before it takes effect, and again in effect after a restart or a
// reload.
#include <fmt/format.h>

#include "base/text.h"
#include "delivery/engine.h"

namespace weir::delivery {
namespace {

std::string key_of(std::string_view dependency) { return fmt::format("breaker.{}", dependency); }

}  // namespace

async::Task<Result<>> Engine::control_breaker(std::string dependency, BreakerControl control) {
  if (find_dispatcher(dependency) == nullptr) {
    std::vector<std::string> names;
    for (const DependencySpec& known : config_.dependencies) names.push_back(known.name);
    co_return Error{Code::unknown_dependency,
                    fmt::format("unknown dependency '{}'", printable(dependency)),
                    did_you_mean(dependency, names)};
  }
  const bool ends = control.until != WallTime{};
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::PutMeta{key_of(dependency), encode(control)});
  batch.mutations.emplace_back(ports::AddAudit{AuditEntry{
      .at = control.since,
      .actor = control.actor,
      .action = fmt::format("dependency.{}", to_text(control.order)),
      .target = dependency,
      .reason = control.reason,
      .detail = ends ? fmt::format("until {}", to_rfc3339(control.until)) : std::string{}}});
  auto receipt = co_await options_.store.writer().commit(std::move(batch));
  if (!receipt.ok()) co_return receipt.error();
  if (Dispatcher* dispatcher = find_dispatcher(dependency)) dispatcher->control(std::move(control));
  co_return Result<>{};
}

async::Task<Result<>> Engine::restore_breakers() {
  std::vector<std::string> names;
  for (const DependencySpec& known : config_.dependencies) names.push_back(known.name);
  for (const std::string& name : names) {
    auto stored = co_await options_.store.flows().meta(key_of(name));
    if (!stored.ok()) co_return stored.error();
    if (!stored->has_value()) continue;
    auto control = decode_breaker_control(**stored);
    if (!control) {
      co_return Error{Code::store_corrupt,
                      fmt::format("what was said about the breaker of '{}' cannot be read", name),
                      "`weir store check` on the data folder"};
    }
    Dispatcher* dispatcher = find_dispatcher(name);
    // One that was given while this was read is newer.
    const BreakerControl* newer = dispatcher->control();
    if (newer == nullptr || newer->since < control->since) dispatcher->control(std::move(*control));
  }
  co_return Result<>{};
}

}  // namespace weir::delivery
