// SPDX-License-Identifier: Apache-2.0
#include "api/openapi.h"

#include <set>
#include <string>

#include <doctest/doctest.h>

#include "api/api.h"
#include "base/text.h"
#include "wire/json.h"

namespace weir::api {

TEST_CASE("the document describes exactly the routes that are served") {
  const auto document = wire::parse_json(openapi_document());
  REQUIRE(document.ok());
  std::set<std::string> described;
  const auto paths = document->root().find("paths");
  REQUIRE(paths.has_value());
  for (const wire::Json path : *paths) {
    for (const wire::Json operation : path) {
      described.insert(fmt::format("{} {}", operation.key(), path.key()));
      CHECK(operation.find("summary").has_value());
      CHECK(operation.find("responses").has_value());
    }
  }
  std::set<std::string> served;
  for (const Api::Route& route : Api::routes()) {
    served.insert(fmt::format("{} {}", to_lower(route.method), route.pattern));
  }
  CHECK(described == served);
}

TEST_CASE("the document names exactly the query parameters that a route knows") {
  const auto document = wire::parse_json(openapi_document());
  REQUIRE(document.ok());
  const auto paths = document->root().find("paths");
  for (const Api::Route& route : Api::routes()) {
    CAPTURE(route.pattern);
    const auto operation = paths->find(route.pattern)->find(to_lower(route.method));
    REQUIRE(operation.has_value());
    std::set<std::string> described;
    if (const auto parameters = operation->find("parameters")) {
      for (const wire::Json parameter : *parameters) {
        if (parameter.find("in")->string() == "query")
          described.emplace(parameter.find("name")->string());
      }
    }
    CHECK(described == std::set<std::string>(route.query.begin(), route.query.end()));
  }
}

TEST_CASE(
    "the document tells of every route which roles may use it, and what limited tokens reach") {
  const auto document = wire::parse_json(openapi_document());
  REQUIRE(document.ok());
  const auto paths = document->root().find("paths");
  for (const Api::Route& route : Api::routes()) {
    CAPTURE(route.pattern);
    const auto operation = paths->find(route.pattern)->find(to_lower(route.method));
    REQUIRE(operation.has_value());
    const auto roles = operation->find("x-roles");
    const auto limited = operation->find("x-limited-token");
    const bool open = route.need == policy::Need::open;
    CHECK(operation->find("security").has_value() == open);
    CHECK(roles.has_value() != open);
    CHECK(limited.has_value() != open);
    if (open) continue;
    RoleSet described;
    for (const wire::Json role : *roles) described.add(parse_role(role.string()).value());
    CHECK(described == policy::roles_for(route.need));
    CHECK(limited->string() == policy::to_text(route.reach));
  }
}

TEST_CASE("only probes and the document itself are open, and only publishing is for producers") {
  std::set<std::string_view> open, produce;
  for (const Api::Route& route : Api::routes()) {
    if (route.need == policy::Need::open) open.insert(route.pattern);
    if (route.need == policy::Need::produce) produce.insert(route.pattern);
  }
  CHECK(open == std::set<std::string_view>{"/livez", "/readyz", "/startupz", "/v1/openapi.json"});
  CHECK(produce == std::set<std::string_view>{"/v1/streams/{stream}/events"});
}

namespace {

template <class... Parts>
concept MakesRoute = requires(Parts... parts) { Api::Route{parts...}; };

}  // namespace

// A route that does not say who may use it, and how far, does not compile.
static_assert(MakesRoute<const char*, const char*, policy::Need, policy::Reach, std::nullptr_t>);
static_assert(!MakesRoute<const char*, const char*, std::nullptr_t>);
static_assert(!MakesRoute<const char*, const char*, policy::Need, std::nullptr_t>);

TEST_CASE("every reference in the document leads somewhere") {
  const auto document = wire::parse_json(openapi_document());
  REQUIRE(document.ok());
  const auto schemas = document->root().find("components")->find("schemas");
  REQUIRE(schemas.has_value());
  constexpr std::string_view kPrefix = "\"#/components/schemas/";
  std::string_view rest = openapi_document();
  int references = 0;
  for (auto at = rest.find(kPrefix); at != rest.npos; at = rest.find(kPrefix)) {
    rest.remove_prefix(at + kPrefix.size());
    CHECK(schemas->find(rest.substr(0, rest.find('"'))).has_value());
    ++references;
  }
  CHECK(references > 30);
}

}  // namespace weir::api
