// SPDX-License-Identifier: Apache-2.0
#include "app/client.h"

#include <csignal>
#include <exception>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "async/clock.h"
#include "net/http_fetch.h"

namespace weir::app {

struct Client::Impl {
  ClientOptions options;
  std::string token;
  boost::asio::io_context context;
  std::unique_ptr<async::Clock> clock = async::system_clock(context.get_executor());
  // Of its own: cancelling the sleeps of the clock above would cut calls short.
  std::unique_ptr<async::Clock> pauses = async::system_clock(context.get_executor());
  std::optional<boost::asio::signal_set> signals;
  bool interrupted = false;

  // Steps the context until the task has ended: a signal set may keep the context busy for ever.
  template <class T>
  T finish(async::Task<T> task) {
    std::optional<T> result;
    std::exception_ptr failure;
    boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr thrown, T value) {
      failure = thrown;
      result.emplace(std::move(value));
    });
    context.restart();
    while (!result) context.run_one();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }
};

namespace {

async::Task<bool> wait_until(async::Clock& clock, MonoTime until) {
  co_await clock.sleep_until(until);
  co_return true;
}

async::Task<std::optional<Result<net::HttpResponse>>> ask(async::Executor executor,
                                                          async::Clock& clock,
                                                          net::FetchRequest request) {
  std::optional<Result<net::HttpResponse>> answer = co_await net::fetch(executor, clock,
                                                                        std::move(request));
  co_return answer;
}

}  // namespace

Client::Client(ClientOptions options) : impl_(std::make_unique<Impl>()) {
  while (options.server.ends_with('/')) options.server.pop_back();
  impl_->options = std::move(options);
}

Client::~Client() = default;

Result<net::HttpResponse> Client::call(ClientRequest request) {
  net::FetchRequest fetched{.method = std::move(request.method),
                            .url = impl_->options.server + request.path,
                            .headers = std::move(request.headers),
                            .body = std::move(request.body),
                            .ca_file = impl_->options.ca_file};
  fetched.headers.push_back({"weir-actor", impl_->options.actor});
  if (!impl_->token.empty()) fetched.headers.push_back({"authorization", "Bearer " + impl_->token});
  fetched.headers.push_back({"accept", "application/json, application/problem+json"});
  return *impl_->finish(ask(impl_->context.get_executor(), *impl_->clock, std::move(fetched)));
}

void Client::use_token(std::string token) { impl_->token = std::move(token); }

WallTime Client::wall() { return impl_->clock->wall(); }
MonoTime Client::mono() { return impl_->clock->mono(); }

void Client::catch_interrupt() {
  if (impl_->signals) return;
  impl_->signals.emplace(impl_->context, SIGINT);
  impl_->signals->async_wait([impl = impl_.get()](boost::system::error_code failure, int) {
    if (failure) return;
    impl->interrupted = true;
    impl->signals->clear();  // the second Ctrl-C ends the process
    impl->pauses->cancel_sleeps();
  });
}

bool Client::interrupted() const { return impl_->interrupted; }

void Client::pause(Duration duration) {
  if (impl_->interrupted) return;
  (void)impl_->finish(wait_until(*impl_->pauses, impl_->pauses->mono() + duration));
}

}  // namespace weir::app
