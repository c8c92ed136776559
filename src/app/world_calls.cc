// SPDX-License-Identifier: Apache-2.0
// How a serving Weir reaches its dependencies: pools of connections, one for the calls of handlers
// and one for effects, whose answers are kept whole.
#include <algorithm>

#include "app/world.h"
#include "handlers/http/http_handler.h"
#include "net/url.h"

namespace weir::app {

// The flows of a dependency share its connections: the most patient one's connect timeout counts.
Duration World::connect_timeout(const DependencySpec& dependency, const FlowSpec& flow) const {
  Duration longest = flow.policy.timeouts.connect;
  for (const FlowSpec& other : engine_->config().flows) {
    if (other.dependency == dependency.name)
      longest = std::max(longest, other.policy.timeouts.connect);
  }
  return longest;
}

// Connections that are open were allowed by other rules: pool_of() replaces them with their pool.
void World::allow_egress(const Config& config) {
  egress_ = config.egress;
  egress_gate_.apply(config);
}

// Of the flows that have effects on it.
Duration World::effect_connect_timeout(const DependencySpec& dependency) const {
  Duration longest{};
  for (const FlowSpec& flow : engine_->config().flows) {
    if (std::ranges::find(flow.effects, dependency.name) != flow.effects.end())
      longest = std::max(longest, flow.policy.timeouts.connect);
  }
  return longest > Duration{} ? longest : TimeoutsSpec{}.connect;
}

Result<std::shared_ptr<net::HttpClientPool>> World::pool_of(Pools& pools,
                                                            const DependencySpec& dependency,
                                                            Duration connect,
                                                            const net::AnswerLimits& answer) {
  const auto found = pools.find(dependency.name);
  if (found != pools.end()) {
    const DependencySpec& old = found->second.dependency;
    const bool same = old.url == dependency.url && old.ca_file == dependency.ca_file &&
                      old.policy.concurrency == dependency.policy.concurrency &&
                      found->second.connect == connect && found->second.egress == egress_;
    if (same) return found->second.pool;
    old_pools_.push_back(found->second.pool);
  }
  WEIR_TRY(net::Url url, net::parse_url(dependency.url));
  net::EgressCheck egress = egress_gate_.for_dependency(url);
  WEIR_TRY(auto opened, net::HttpClientPool::open(
                            executor_, clock_,
                            {.url = std::move(url),
                             .ca_file = dependency.ca_file,
                             .connections = dependency.policy.concurrency.max_parallel_requests,
                             .connect_timeout = connect,
                             .egress = std::move(egress),
                             .answer = answer}));
  std::shared_ptr<net::HttpClientPool> pool = std::move(opened);
  pools.insert_or_assign(dependency.name, Pool{dependency, connect, egress_, pool});
  return pool;
}

Result<std::shared_ptr<ports::Handler>> World::make_handler(const DependencySpec& dependency,
                                                            const FlowSpec& flow) {
  WEIR_TRY(auto pool, pool_of(pools_, dependency, connect_timeout(dependency, flow), {}));
  WEIR_TRY(const net::Url url, net::parse_url(dependency.url));
  handlers::http::HttpHandlerOptions options{.pool = std::move(pool),
                                             .target = net::join_paths(url.path, flow.path),
                                             .headers = dependency.headers,
                                             .user_agent = fmt::format("weir/{}", kVersion)};
  options.headers.insert(options.headers.end(), flow.headers.begin(), flow.headers.end());
  return std::shared_ptr<ports::Handler>(handlers::http::make_http_handler(std::move(options)));
}

async::Task<Outcome> World::send_effect(effects::Send send) {
  if (stopping_ && !effect_pools_.contains(send.dependency.name)) {
    co_return Outcome{.fault = Fault::cancelled,
                      .phase = Phase::notSent,
                      .fault_detail = "Weir is shutting down"};
  }
  auto pool = pool_of(effect_pools_, send.dependency, effect_connect_timeout(send.dependency),
                      {.body_bytes = effects::kAnswerBytesMax,
                       .kept_bytes = effects::kAnswerBytesMax,
                       .keep_success_body = true,
                       .leave_out_large = true});
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

// Pools that a reload replaced, once no handler has them any more.
async::Task<> World::close_unused_pools() {
  std::vector<std::shared_ptr<net::HttpClientPool>> unused;
  for (auto& pool : old_pools_) {
    if (pool.use_count() == 1) unused.push_back(std::move(pool));
  }
  std::erase(old_pools_, nullptr);
  for (auto& pool : unused) co_await pool->close();
}

}  // namespace weir::app
