// SPDX-License-Identifier: Apache-2.0
#include "app/publish_request.h"

#include <doctest/doctest.h>

#include "wire/cloudevents.h"

namespace weir::app {
namespace {

std::string fixed_id() { return "made-up"; }

PublishOptions order() {
  return {
      .stream = "shop", .data = R"({"total": 1.50})", .type = "order.created", .source = "/shop"};
}

std::string header(const ClientRequest& request, std::string_view name) {
  const std::string* value = net::find_header(request.headers, name);
  return value == nullptr ? "" : *value;
}

TEST_CASE("one event goes in binary mode, its data untouched") {
  PublishOptions options = order();
  options.subject = "größe 1";
  options.headers = {"ce-tenant=acme", "TraceParent=00-1"};
  REQUIRE(check(options).ok());
  const ClientRequest request = publish_request(options, 1, 1, fixed_id);
  CHECK(request.method == "POST");
  CHECK(request.path == "/v1/streams/shop/events");
  CHECK(request.body == R"({"total": 1.50})");
  CHECK(header(request, "ce-specversion") == "1.0");
  CHECK(header(request, "ce-id") == "made-up");
  CHECK(header(request, "ce-type") == "order.created");
  CHECK(header(request, "ce-subject") == "gr%C3%B6%C3%9Fe%201");
  CHECK(header(request, "ce-tenant") == "acme");
  CHECK(header(request, "traceparent") == "00-1");
  CHECK(header(request, "content-type") == "application/json");
}

TEST_CASE("the content type follows the data unless it is given") {
  PublishOptions options = order();
  const auto type = [&] {
    return header(publish_request(options, 1, 1, fixed_id), "content-type");
  };
  options.data = "plain words";
  CHECK(type() == "text/plain; charset=utf-8");
  options.data = std::string{'\xFF', '\0'};
  CHECK(type() == "application/octet-stream");
  options.content_type = "image/png";
  CHECK(type() == "image/png");
  options.data.reset();
  options.content_type.clear();
  CHECK(type() == "");
}

TEST_CASE("several events are a batch that the ingest side reads") {
  PublishOptions options = order();
  options.id = "order";
  options.count = 250;
  options.headers = {"ce-tenant=acme"};
  const ClientRequest request = publish_request(options, 201, 50, fixed_id);
  CHECK(header(request, "content-type") == "application/cloudevents-batch+json");
  const auto parsed = wire::parse_batch(request.body, {});
  REQUIRE(parsed.ok());
  REQUIRE(parsed->entries().size() == 50);
  CHECK(parsed->entries().front().event.id == "order-201");
  CHECK(parsed->entries().back().event.id == "order-250");
  CHECK(parsed->entries().back().event.data == R"({"total": 1.50})");
  CHECK(parsed->entries().back().event.find_extension("tenant")->value == "acme");
}

TEST_CASE("a whole CloudEvent is passed on as it is") {
  const PublishOptions options{
      .stream = "shop", .data = "{}", .content_type = "application/cloudevents+json"};
  REQUIRE(check(options).ok());
  const ClientRequest request = publish_request(options, 1, 1, fixed_id);
  CHECK(request.body == "{}");
  CHECK(header(request, "content-type") == "application/cloudevents+json");
  CHECK(header(request, "ce-id") == "");
}

TEST_CASE("what cannot be sent is refused before anything is sent") {
  struct Case {
    std::string_view name;
    void (*spoil)(PublishOptions&);
  };
  const Case cases[] = {
      {"no type", [](PublishOptions& o) { o.type.clear(); }},
      {"no source", [](PublishOptions& o) { o.source.clear(); }},
      {"a header without =", [](PublishOptions& o) { o.headers = {"tenant"}; }},
      {"a header that would become two",
       [](PublishOptions& o) { o.headers = {"a=b\r\nweir-actor: x"}; }},
      {"a header name with a blank", [](PublishOptions& o) { o.headers = {"a b=c"}; }},
      {"a content type that would become two headers",
       [](PublishOptions& o) { o.content_type = "a\r\nb: c"; }},
      {"none", [](PublishOptions& o) { o.count = 0; }},
      {"too many", [](PublishOptions& o) { o.count = kPublishMax + 1; }},
      {"an id for a whole event",
       [](PublishOptions& o) { o.content_type = "application/cloudevents+json"; }},
  };
  CHECK(check(order()).ok());
  for (const Case& one : cases) {
    CAPTURE(one.name);
    PublishOptions options = order();
    one.spoil(options);
    const auto checked = check(options);
    REQUIRE_FALSE(checked.ok());
    CHECK(checked.error().code == Code::usage);
  }
}

TEST_CASE("results are summed over the answers") {
  const auto document = wire::parse_json(
      R"({"results":[{"status":"stored"},{"status":"stored"},{"status":"duplicate"},)"
      R"({"status":"conflict"},{"status":"invalid"}]})");
  REQUIRE(document.ok());
  PublishTotals totals;
  add_results(totals, document->root());
  add_results(totals, document->root());
  CHECK(totals.stored == 4);
  CHECK(totals.duplicate == 2);
  CHECK(totals.refused == 4);
  CHECK(totals.sum() == 10);
}

}  // namespace
}  // namespace weir::app
