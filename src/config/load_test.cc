// SPDX-License-Identifier: Apache-2.0
#include "config/load.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "config/testing/fault_rows.h"

namespace weir::config {
namespace {

using namespace std::chrono_literals;
using testing::listed;
using testing::no_secrets;

const std::string kExample = R"(version: 1
listen: { http: 127.0.0.1:8600 }
data: ./weir-data
streams:
  github: { retention: 7d, dedupe: { window: 24h, maxEntries: 5000000 } }
dependencies:
  tracker: { url: http://127.0.0.1:9900, capacity: 300/s, policy: careful }
flows:
  sync-issues:
    from: { stream: github, start: earliest }
    where: { type: [{ prefix: com.github.issue }, { prefix: com.github.pull_request }] }
    to: { http: { dependency: tracker, path: /sync, idempotent: true } }
    ordering: { key: subject, onFailure: parkKey }
    policy: careful
  activity-feed:
    from: { stream: github, start: latest }
    to: { http: { dependency: tracker } }
policies:
  careful:
    timeouts: { connect: 500ms, attempt: 1s, event: 24h }
    retry: { maxAttempts: 3, backOff: { baseInterval: 200ms, maxInterval: 2s, multiplier: 2, jitter: full } }
    retryConstraint: { budget: { percent: 20, interval: 10s }, minRetryRate: { count: 10, interval: 1s } }
    circuitBreaker: { failureRateThreshold: 50, slidingWindowSize: 10s, minimumNumberOfCalls: 20 }
    concurrency: { maxParallelRequests: 32, adaptive: true }
    rateLimit: { requests: 250, unit: second, burst: 50 }
failureModes:
  - name: payload-without-repository
    match: { status: [422], problemType: ["urn:tracker:missing-repository"] }
    class: permanent
    runbook: runbooks/payload-without-repository.md
)";

Config loaded(const std::string& text, const SecretResolver& secrets = no_secrets) {
  LoadOutcome outcome = load({{"w.yaml", text}}, secrets);
  REQUIRE(listed(outcome.problems) == "");
  REQUIRE(outcome.config.has_value());
  return *outcome.config;
}

TEST_CASE("an example becomes streams, dependencies and flows") {
  const Config config = loaded(kExample);
  CHECK(config.listen_host == "127.0.0.1");
  CHECK(config.listen_port == 8600);
  CHECK(config.data == "./weir-data");
  REQUIRE(config.streams.size() == 1);
  CHECK(config.streams[0] == StreamSpec{"github", 168h, 24h, 5'000'000});
  REQUIRE(config.dependencies.size() == 1);
  CHECK(config.dependencies[0].url == "http://127.0.0.1:9900");
  CHECK(config.dependencies[0].capacity_per_second == 300);

  REQUIRE(config.flows.size() == 2);
  const FlowSpec& sync = config.flows[0];
  CHECK(sync.name == "sync-issues");
  CHECK(sync.stream == "github");
  CHECK(sync.start == FlowStart{});
  CHECK(sync.where ==
        R"({"type":[{"prefix":"com.github.issue"},{"prefix":"com.github.pull_request"}]})");
  CHECK(sync.dependency == "tracker");
  CHECK(sync.path == "/sync");
  CHECK(sync.ordering_key == "subject");
  CHECK(sync.on_failure == OnFailure::parkKey);
  const FlowSpec& feed = config.flows[1];
  CHECK(feed.start.kind == FlowStart::Kind::latest);
  CHECK(feed.path == "/");
  CHECK(feed.where.empty());
  CHECK(feed.ordering_key.empty());

  REQUIRE(config.failure_modes.size() == 1);
  const FailureModeSpec& mode = config.failure_modes[0];
  CHECK(mode.status == std::vector{422});
  CHECK(mode.problem_type == std::vector<std::string>{"urn:tracker:missing-repository"});
  CHECK(mode.failure == FailureClass::permanent);
  CHECK(mode.runbook == "runbooks/payload-without-repository.md");
}

TEST_CASE("of a policy a flow takes its side and a dependency the other") {
  const Config config = loaded(kExample);
  const FlowPolicy& flow = config.flows[0].policy;
  CHECK(flow.timeouts == TimeoutsSpec{500ms, 1s, 24h});
  CHECK(flow.retry.max_attempts == 3);
  CHECK(flow.retry.back_off == BackOffSpec{200ms, 2s, 2, Jitter::full});
  CHECK(config.flows[1].policy == FlowPolicy{});

  const DependencyPolicy& dependency = config.dependencies[0].policy;
  CHECK(dependency.retry_constraint == RetryConstraintSpec{20, 10s, 10, 1s});
  CHECK(dependency.circuit_breaker.failure_rate_threshold == 50);
  CHECK(dependency.circuit_breaker.minimum_number_of_calls == 20);
  CHECK(dependency.concurrency ==
        ConcurrencySpec{.max_parallel_requests = 32, .adaptive = {.enabled = true}});
  CHECK(dependency.rate_limit == RateLimitSpec{true, 250, 50});
}

TEST_CASE("values have units, names and defaults") {
  const Config config = loaded(R"(version: 1
listen: { http: "[::1]:0" }
limits: { eventBytes: 64KiB, bodyBytes: 1MiB, headerBytes: 2048B, batchEvents: 10, connections: 7,
          connectionsPerAddress: 3, diskFreeMin: 1GiB }
egress: { allow: [10.1.0.0/16, "::1"], deny: 10.0.0.0/8 }
streams: { s: , t: { dedupe: { window: 0s } } }
dependencies: { d: { url: "https://[2001:db8::1]:8443/base", capacity: 30/min, policy: p, caFile: ca.pem } }
policies:
  p:
    timeouts: { attempt: 90s }
    retry: { serverDirected: { maxInterval: 1h }, maxInterruptions: 9 }
    circuitBreaker: { enabled: false, waitDurationInOpenState: 10m }
    rateLimit: { requests: 1800, unit: hour }
flows:
  f:
    from: { stream: s, start: 2026-11-21T14:00:00Z }
    to: { http: { dependency: d, path: "/a%20b?c=d", idempotent: false } }
    ordering: { key: data.order.id, onFailure: continue }
    renamedFrom: old
)");
  CHECK(config.listen_host == "::1");
  CHECK(config.listen_port == 0);
  CHECK(config.limits.event_bytes == 64 * 1024);
  CHECK(config.limits.header_bytes == 2048);
  CHECK(config.limits.batch_events == 10);
  CHECK(config.limits.connections == 7);
  CHECK(config.limits.connections_per_address == 3);
  CHECK(config.egress == EgressSpec{.allow = {"10.1.0.0/16", "::1"}, .deny = {"10.0.0.0/8"}});
  CHECK(config.limits.disk_free_min_bytes == std::uint64_t{1} << 30);
  CHECK(config.streams[0] == StreamSpec{.name = "s"});
  CHECK(config.streams[1].dedupe_window == 0s);
  const DependencySpec& dependency = config.dependencies[0];
  CHECK(dependency.capacity_per_second == 0.5);
  CHECK(dependency.ca_file == "ca.pem");
  CHECK_FALSE(dependency.policy.circuit_breaker.enabled);
  CHECK(dependency.policy.circuit_breaker.wait_in_open_base == 10min);
  CHECK(dependency.policy.circuit_breaker.wait_in_open_max == 10min);
  CHECK(dependency.policy.circuit_breaker.max_wait_in_half_open == 91s);  // above an attempt's 90 s
  CHECK(dependency.policy.rate_limit == RateLimitSpec{true, 0.5, 1});
  const FlowSpec& flow = config.flows[0];
  CHECK(flow.start == FlowStart{FlowStart::Kind::time, *parse_rfc3339("2026-11-21T14:00:00Z")});
  CHECK(flow.path == "/a%20b?c=d");
  CHECK_FALSE(flow.idempotent);
  CHECK(flow.ordering_key == "data.order.id");
  CHECK(flow.on_failure == OnFailure::proceed);
  CHECK(flow.renamed_from == "old");
}

TEST_CASE("only the machine itself may be listened on") {
  for (const char* host : {"localhost", "127.0.0.1", "127.9.8.7", "'[::1]", "'[0:0:0:0:0:0:0:1]"}) {
    CAPTURE(host);
    const std::string quote = host[0] == '\'' ? "'" : "";
    const auto text = "version: 1\nlisten: { http: " + std::string(host) + ":80" + quote + " }";
    CHECK(load({{"w.yaml", text}}, no_secrets).config.has_value());
  }
}

TEST_CASE("a pattern keeps the types of YAML's core schema") {
  const auto where = [](const std::string& pattern) {
    return loaded(
               "version: 1\nstreams: {s: }\ndependencies: {d: {url: http://h}}\nflows: {f: "
               "{from: {stream: s}, to: {http: {dependency: d}}, where: " +
               pattern + "}}")
        .flows[0]
        .where;
  };
  CHECK(where("{ a: [1, 1.50, '1', true, 'true', null, ~, ''] }") ==
        R"({"a":[1,1.50,"1",true,"true",null,null,""]})");
  CHECK(where("{ a: [01, 0x10, +1, .5, yes, !!str 5] }") ==
        R"({"a":["01","0x10","+1",".5","yes","5"]})");
  CHECK(where("{ a: [{ numeric: ['>', 5] }, \"x\\ty\"] }") ==
        R"({"a":[{"numeric":[">",5]},"x\ty"]})");
  CHECK(where(R"('{"a": [1]}')") == R"({"a": [1]})");  // JSON text as it is
}

TEST_CASE("secrets are resolved by reference and never elsewhere") {
  const SecretResolver secrets = [](std::string_view kind,
                                    std::string_view name) -> Result<std::string> {
    if (kind == "env" && name == "TOKEN") return std::string("t0k");
    if (kind == "env" && name == "BROKEN") return std::string("a\r\nEvil: b");
    if (kind == "file" && name == "/run/key") return std::string("from-file\n");
    return Error{Code::secret_missing, "not there", "set it"};
  };
  const auto config = loaded(R"(version: 1
dependencies:
  d:
    url: http://h
    headers:
      Authorization: Bearer ${env:TOKEN}
      X-Key: ${file:/run/key}
      X-Both: ${env:TOKEN}-${env:NOSUCH:-none:x}
      X-Plain: $5 {} $
)",
                             secrets);
  using Header = std::pair<std::string, std::string>;
  CHECK(config.dependencies[0].headers == std::vector<Header>{{"Authorization", "Bearer t0k"},
                                                              {"X-Key", "from-file"},
                                                              {"X-Both", "t0k-none:x"},
                                                              {"X-Plain", "$5 {} $"}});
  const std::string broken =
      "version: 1\ndependencies: {d: {url: http://h, headers: {a: '${env:BROKEN}'}}}";
  CHECK(listed(load({{"w.yaml", broken}}, secrets).problems) ==
        "2:48: the value of 'a' has a line break or a control character");
  const std::string missing =
      "version: 1\ndependencies: {d: {url: http://h, headers: {a: '${env:X}'}}}";
  CHECK(listed(load({{"w.yaml", missing}}, secrets).problems) == "2:48 WR1304: not there | set it");
}

TEST_CASE("encryption names key files, and stands in one place") {
  CHECK(loaded("version: 1\n", no_secrets).encryption == EncryptionSpec{});
  const auto config = loaded(
      "version: 1\nencryption: { keyFile: /k/new, previousKeyFiles: [/k/old, /k/older] }\n",
      no_secrets);
  CHECK(config.encryption.key_file == "/k/new");
  CHECK(config.encryption.previous_key_files == std::vector<std::string>{"/k/old", "/k/older"});
  const std::string nothing = "version: 1\nencryption: { previousKeyFiles: /k/old }\n";
  CHECK(listed(load({{"w.yaml", nothing}}, no_secrets).problems).find("keyFile") !=
        std::string::npos);
  const std::string once = "version: 1\nencryption: { keyFile: /a }\n";
  const std::string twice = "encryption: { keyFile: /b }\n";
  CHECK(listed(load({{"a.yaml", once}, {"b.yaml", twice}}, no_secrets).problems)
            .find("defined twice") != std::string::npos);
}

TEST_CASE("several files are one configuration") {
  const SourceFile streams{"a.yaml", "version: 1\ndata: d\nstreams: { s: }\n"};
  const SourceFile rest{
      "b.yaml",
      "version: 1\ndependencies: { d: { url: http://h, policy: p } }\nflows: { f: "
      "{ from: { stream: s }, to: { http: { dependency: d } } } }\n"};
  const SourceFile policies{"c.yaml",
                            "policies: { p: { concurrency: { maxParallelRequests: 3 } } }"};
  const auto whole = load({streams, rest, policies}, no_secrets);
  CHECK(listed(whole.problems) == "");
  REQUIRE(whole.config.has_value());
  CHECK(whole.config->dependencies[0].policy.concurrency.max_parallel_requests == 3);
  const auto other_order = load({policies, rest, streams}, no_secrets);
  CHECK(other_order.config == whole.config);

  const SourceFile again{"z.yaml",
                         "version: 1\ndata: e\nstreams:\n  s: { retention: 1d }\nlimits: {}\n"
                         "failureModes: [{ name: m, match: { flow: f } }]"};
  const SourceFile limits{"zz.yaml",
                          "limits: { batchEvents: 5 }\n"
                          "failureModes: [{ name: m, match: { flow: f } }]"};
  CHECK(listed(load({streams, rest, policies, again, limits}, no_secrets).problems) ==
        "z.yaml:2:1: setting 'data' is defined twice, first at a.yaml:2:1\n"
        "z.yaml:4:3: stream 's' is defined twice, first at a.yaml:3:12\n"
        "zz.yaml:1:1: setting 'limits' is defined twice, first at z.yaml:5:1\n"
        "zz.yaml:2:16: failure mode 'm' is defined twice, first at z.yaml:6:16");
  // A file that cannot be read does not make everything in it unknown.
  const SourceFile damaged{"a.yaml", "version: 1\nstreams: { s: ["};
  const auto outcome = load({damaged, rest, policies}, no_secrets);
  CHECK_FALSE(outcome.config.has_value());
  CHECK(outcome.problems.size() == 1);
  CHECK(outcome.problems[0].place.file == "a.yaml");
}

TEST_CASE("a flow's name can be given to one other flow") {
  const std::string start =
      "version: 1\nstreams: {s: }\ndependencies: {d: {url: http://h}}\nflows:\n";
  const auto flow = [](const std::string& name, const std::string& old) {
    return "  " + name +
           ": { from: { stream: s }, to: { http: { dependency: d } }, renamedFrom: " + old + " }\n";
  };
  CHECK(loaded(start + flow("f", "e") + flow("g", "c")).flows.size() == 2);
  const auto twice = load({{"w.yaml", start + flow("f", "e") + flow("g", "e")}}, no_secrets);
  CHECK(listed(twice.problems) ==
        "6:75: the new name of flow 'e' is defined twice, first at w.yaml:5:75");
}

TEST_CASE("a damaged configuration is loaded or refused with a place, never more") {
  const bool good = rc::check([](const std::vector<std::pair<unsigned, unsigned>>& changes) {
    std::string text = kExample;
    const std::string_view letters = "{}[]:,-#&*!|>'\"%@`\n\t ax0\xC3\xFF";
    for (const auto& [at, pick] : changes) text[at % text.size()] = letters[pick % letters.size()];
    const LoadOutcome outcome = load({{"w.yaml", text}}, no_secrets);
    RC_ASSERT(outcome.config.has_value() == outcome.problems.empty());
    for (const Problem& problem : outcome.problems) {
      RC_ASSERT(problem.place.line >= 1);
      RC_ASSERT(problem.place.column >= 1);
      RC_ASSERT(!problem.message.empty());
    }
    if (!outcome.problems.empty()) RC_ASSERT(render(outcome.problems).starts_with("w.yaml:"));
  });
  CHECK(good);
}

TEST_CASE("tokens are needed unless the file says otherwise, and TLS is as written") {
  const auto loaded = [](std::string_view text) {
    auto outcome = load({{"w.yaml", "version: 1\n" + std::string(text)}}, no_secrets);
    REQUIRE(outcome.config.has_value());
    return *std::move(outcome.config);
  };
  CHECK_FALSE(loaded("").access.open);
  CHECK_FALSE(loaded("access: {}").access.open);
  CHECK(loaded("access: { open: true }").access.open);
  CHECK(loaded("").listen_tls == ListenTlsSpec{});
  const Config config = loaded(
      "listen:\n"
      "  http: 0.0.0.0:8600\n"
      "  tls: { certificate: c, key: k, clientCa: a, clientCertificates: required }\n"
      "access:\n"
      "  certificates:\n"
      "    - { san: 'DNS:ci.example.org', subject: ci, roles: [producer, viewer] }\n"
      "    - { san: 'CN:anna', subject: anna@example.org, roles: admin }\n");
  CHECK(config.listen_host == "0.0.0.0");
  CHECK(config.listen_tls == ListenTlsSpec{"c", "k", "a", ClientCertificates::required});
  CHECK(config.access.certificates ==
        std::vector<CertificateRule>{{"DNS:ci.example.org", "ci", {Role::producer, Role::viewer}},
                                     {"CN:anna", "anna@example.org", {Role::admin}}});
}

TEST_CASE("approvals are needed where the file says so") {
  const auto loaded = [](std::string_view text) {
    auto outcome = load({{"w.yaml", "version: 1\n" + std::string(text)}}, no_secrets);
    REQUIRE(outcome.config.has_value());
    return outcome.config->approvals;
  };
  CHECK(loaded("") == ApprovalsSpec{});
  CHECK_FALSE(loaded("approvals: { expires: 1h }").replay_deliveries.has_value());
  CHECK(loaded("approvals: { replay: { deliveries: 0 } }").replay_deliveries == 0);
  CHECK(loaded("approvals:\n"
               "  replay: { deliveries: 1000, inDoubt: true, delivered: true, edited: true }\n"
               "  discard: { deliveries: 100, inDoubt: true }\n"
               "  effects: { resolve: true }\n"
               "  expires: 30m\n"
               "  breakGlass: { roles: [admin, operator] }\n") ==
        ApprovalsSpec{.replay_deliveries = 1000,
                      .replay_in_doubt = true,
                      .replay_delivered = true,
                      .replay_edited = true,
                      .discard_deliveries = 100,
                      .discard_in_doubt = true,
                      .effects_resolve = true,
                      .expires = std::chrono::minutes{30},
                      .break_glass = {Role::admin, Role::operate}});
}

}  // namespace
}  // namespace weir::config
