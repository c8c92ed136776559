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
  std::string server;
  std::string actor;
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

Client::Client(std::string server, std::string actor) : impl_(std::make_unique<Impl>()) {
  while (server.ends_with('/')) server.pop_back();
  impl_->server = std::move(server);
  impl_->actor = std::move(actor);
}

Client::~Client() = default;

Result<net::HttpResponse> Client::call(ClientRequest request) {
  net::FetchRequest fetched{.method = std::move(request.method),
                            .url = impl_->server + request.path,
                            .headers = std::move(request.headers),
                            .body = std::move(request.body)};
  fetched.headers.push_back({"weir-actor", impl_->actor});
  fetched.headers.push_back({"accept", "application/json, application/problem+json"});
  return *impl_->finish(ask(impl_->context.get_executor(), *impl_->clock, std::move(fetched)));
}

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
