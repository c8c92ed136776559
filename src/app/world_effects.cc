// SPDX-License-Identifier: Apache-2.0
// How the effect gateway reaches the network.
#include "app/world.h"
#include "net/url.h"

namespace weir::app {

Result<std::shared_ptr<net::HttpClientPool>> World::effect_pool_of(
    const DependencySpec& dependency) {
  const auto found = effect_pools_.find(dependency.name);
  if (found != effect_pools_.end()) {
    const DependencySpec& old = found->second.dependency;
    const bool same = old.url == dependency.url && old.ca_file == dependency.ca_file &&
                      old.policy.concurrency == dependency.policy.concurrency;
    if (same) return found->second.pool;
    old_pools_.push_back(found->second.pool);
  }
  WEIR_TRY(net::Url url, net::parse_url(dependency.url));
  net::HttpClientOptions options{
      .url = std::move(url),
      .ca_file = dependency.ca_file,
      .connections = dependency.policy.concurrency.max_parallel_requests};
  options.answer.body_bytes = effects::kAnswerBytesMax;
  options.answer.kept_bytes = effects::kAnswerBytesMax;
  options.answer.keep_success_body = true;
  WEIR_TRY(auto opened, net::HttpClientPool::open(executor_, clock_, std::move(options)));
  std::shared_ptr<net::HttpClientPool> pool = std::move(opened);
  effect_pools_.insert_or_assign(dependency.name, Pool{dependency, Duration{}, pool});
  return pool;
}

async::Task<Outcome> World::send_effect(effects::Send send) {
  auto pool = effect_pool_of(send.dependency);
  if (!pool.ok()) {
    co_return Outcome{
        .fault = Fault::tlsVerify, .phase = Phase::notSent, .fault_detail = pool.error().detail};
  }
  const std::shared_ptr<net::HttpClientPool> kept = *std::move(pool);  // over a reload
  const auto url = net::parse_url(send.dependency.url);
  const std::string target = net::join_paths(url->path, send.target);
  co_return co_await kept->call({.method = send.method,
                                 .target = target,
                                 .headers = send.headers,
                                 .body = send.body,
                                 .deadline = send.deadline});
}

}  // namespace weir::app
