// SPDX-License-Identifier: Apache-2.0
#include "config/load.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "base/text.h"
#include "config/bounds_check.h"
#include "config/extends.h"
#include "config/sections.h"
#include "policy/egress.h"
#include "policy/redaction.h"
#include "policy/server_hint.h"

namespace weir::config {
namespace {

// A spec as read, with the reference that is looked up at the end.
template <class Spec>
struct Read {
  Spec spec;
  std::string policy;
  std::string file;
  const YamlNode* node = nullptr;
};

class Loader {
 public:
  Loader(const std::vector<SourceFile>& files, const SecretResolver& secrets,
         std::vector<Problem>& problems)
      : files_(files), report_{files, secrets, problems} {}

  Config load() {
    for (const SourceFile& file : files_) {
      auto tree = parse_yaml(file.name, file.text, report_.problems);
      if (tree) trees_.emplace_back(file.name, std::move(tree));
    }
    for (const auto& [name, tree] : trees_) read_file(name, *tree);
    // What a file that cannot be read would have said is not missing.
    if (trees_.size() < files_.size()) return {};
    if (!has_version_ && !trees_.empty()) {
      report_.add(trees_.front().first, YamlNode{.line = 1, .column = 1},
                  "the configuration needs 'version: 1'");
    }
    link();
    return std::move(config_);
  }

  // Where everything stands; for as long as this lives.
  const WrittenPlaces& written() const { return written_; }

 private:
  void read_file(const std::string& file, const YamlNode& tree) {
    MapReader top(report_, file, tree, "the configuration");
    if (const YamlNode* version = top.take("version")) {
      has_version_ = true;
      if (version->text != "1")
        report_.add(file, *version,
                    fmt::format("version '{}' is not supported, only 1", version->text));
    }
    for (const std::string_view once :
         {"listen", "access", "approvals", "data", "limits", "redaction", "egress", "encryption"})
      claim(top, once);
    if (auto listen = top.map("listen")) read_listen(std::move(*listen));
    if (auto access = top.map("access")) config_.access = read_access(std::move(*access));
    if (auto map = top.map("approvals")) {
      approvals_ = {file, &map->node()};
      config_.approvals = read_approvals(std::move(*map));
    }
    top.text("data", config_.data);
    if (auto limits = top.map("limits")) config_.limits = read_limits(*limits);
    if (auto map = top.map("quarantine")) config_.quarantine = read_quarantine(*map);
    if (auto map = top.map("redaction")) {
      redaction_ = {file, &map->node()};
      config_.redaction = read_redaction(std::move(*map));
    }
    each(top, "streams", "stream", [&](MapReader& map, const YamlMember& member) {
      config_.streams.push_back(read_stream(map, member.key.text));
    });
    read_policies(top, file);
    each(top, "dependencies", "dependency", [&](MapReader& map, const YamlMember& member) {
      const auto& [name, node] = member;
      Read<DependencySpec> read{.file = file, .node = &node};
      read.spec = read_dependency(map, name.text, read.policy);
      written_.dependencies.insert_or_assign(name.text, Written{file, &node, read.policy});
      dependencies_.push_back(std::move(read));
    });
    each(top, "flows", "flow", [&](MapReader& map, const YamlMember& member) {
      const auto& [name, node] = member;
      Read<FlowSpec> read{.file = file, .node = &node};
      read.spec = read_flow(map, name.text, read.policy);
      written_.flows.insert_or_assign(name.text, Written{file, &node, read.policy});
      flows_.push_back(std::move(read));
    });
    read_failure_modes(top, file);
    if (auto map = top.map("egress")) config_.egress = read_egress(std::move(*map));
    if (auto map = top.map("encryption")) config_.encryption = read_encryption(std::move(*map));
    top.not_yet({"sources", "schemas", "schedules", "workflows", "slos"});
    top.finish();
  }

  void read_policies(MapReader& top, const std::string& file) {
    std::vector<const YamlMember*> named;
    each(top, "policies", "policy",
         [&](MapReader&, const YamlMember& member) { named.push_back(&member); });
    std::set<std::string> faulty;
    for (ExtendedPolicy& policy : follow_extends(report_, file, named)) {
      const std::size_t before = report_.problems.size();
      PolicySpec spec;
      if (!faulty.contains(policy.base)) {  // what is wrong with a base is said once
        MapReader map(report_, file, *policy.node, fmt::format("policy '{}'", policy.name));
        spec = read_policy(map);
      }
      if (report_.problems.size() > before || faulty.contains(policy.base))
        faulty.insert(policy.name);
      policies_.insert_or_assign(policy.name, std::move(spec));
      written_.policies.insert_or_assign(policy.name, Written{file, policy.node, policy.name});
      if (policy.merged) merged_.push_back(std::move(policy.merged));
    }
  }

  // False and a problem if another place has defined the same.
  bool is_first(const std::string& file, const YamlNode& at, std::string_view kind,
                const std::string& name) {
    const auto [first, fresh] = places_.try_emplace(fmt::format("{} '{}'", kind, name),
                                                    Place{file, at.line, at.column});
    if (fresh) return true;
    report_.add(file, at,
                fmt::format("{} is defined twice, first at {}:{}:{}", first->first,
                            first->second.file, first->second.line, first->second.column));
    return false;
  }

  // Settings that belong to the whole server stand in one file.
  void claim(const MapReader& top, std::string_view key) {
    for (const auto& [name, value] : top.node().members) {
      if (name.text == key) is_first(top.file(), name, "setting", name.text);
    }
  }

  template <class Read>
  void each(MapReader& top, std::string_view section, std::string_view kind, Read read) {
    auto map = top.map(section);
    if (!map) return;
    for (const YamlMember& member : map->node().members) {
      const YamlNode& key = member.key;
      if (!is_name(key.text)) {
        report_.add(top.file(), key, fmt::format("'{}' is no name for a {}", key.text, kind),
                    "names have a-z, 0-9 and '-', start with a letter or digit, at most 63");
        continue;
      }
      if (!is_first(top.file(), key, kind, key.text)) continue;
      MapReader item(report_, top.file(), member.value, fmt::format("{} '{}'", kind, key.text));
      read(item, member);
    }
  }

  void read_listen(MapReader map) {
    std::string http;
    map.text("http", http);
    if (auto tls = map.map("tls")) config_.listen_tls = read_listen_tls(std::move(*tls));
    listen_file_ = map.file();
    listen_node_ = map.node().find("http") != nullptr ? map.node().find("http") : &map.node();
    if (http.empty()) return map.finish();
    const auto colon = http.rfind(':');
    std::string host = http.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    unsigned port = 0;
    const char* end = http.data() + http.size();
    const auto parsed = std::from_chars(http.data() + std::min(colon, http.size() - 1) + 1, end,
                                        port);
    const bool good = colon != http.npos && colon > 0 && parsed.ec == std::errc{} &&
                      parsed.ptr == end && port <= 65535;
    if (!good) {
      map.problem("http", fmt::format("'{}' is no address", http),
                  "host:port, for example 127.0.0.1:8600");
    } else {
      listens_ = true;
      config_.listen_host = host;
      config_.listen_port = static_cast<std::uint16_t>(port);
    }
    map.finish();
  }

  // What others can reach is encrypted and asks who they are.
  void check_listener() {
    if (listen_node_ == nullptr) return;
    const auto problem = [&](std::string message, std::string hint) {
      report_.add(listen_file_, *listen_node_, std::move(message), std::move(hint),
                  Code::listen_not_loopback);
    };
    const std::string& host = config_.listen_host;
    if (!policy::is_loopback_host(host)) {
      if (config_.listen_tls.certificate.empty()) {
        problem(fmt::format("'{}' is not a loopback address and needs TLS", host),
                "add listen.tls with 'certificate' and 'key', or listen on 127.0.0.1");
      } else if (config_.access.open) {
        problem(fmt::format("'{}' is not a loopback address and needs tokens", host),
                "remove access.open, or listen on 127.0.0.1");
      }
    }
    const bool no_clients = config_.listen_tls.client_certificates == ClientCertificates::none;
    if (!config_.access.certificates.empty() && no_clients) {
      report_.add(listen_file_, *listen_node_, "access.certificates needs client certificates",
                  "listen.tls.clientCertificates: optional or required");
    }
  }

  void check_approvals() {
    if (approvals_.second == nullptr || !config_.access.open) return;
    report_.add(approvals_.first, *approvals_.second,
                "approvals need to know who asks, and access.open lets everybody be anybody",
                "remove access.open: people then come with tokens of their own");
  }

  void read_failure_modes(MapReader& top, const std::string& file) {
    const YamlNode* list = top.take("failureModes");
    if (list == nullptr) return;
    if (list->kind != YamlNode::Kind::list)
      return report_.add(file, *list, "'failureModes' must be a list");
    for (const YamlNode& item : list->items) {
      MapReader map(report_, file, item, "a failure mode");
      FailureModeSpec mode = read_failure_mode(map);
      if (!mode.name.empty()) is_first(file, item, "failure mode", mode.name);
      mode_nodes_.emplace_back(file, &item);
      config_.failure_modes.push_back(std::move(mode));
    }
  }

  template <class Names>
  void unknown(const std::string& file, const YamlNode& at, std::string_view kind,
               const std::string& name, const Names& names) {
    report_.add(file, at, fmt::format("unknown {} '{}'", kind, name), did_you_mean(name, names));
  }

  // The place of a value inside a spec, or of the spec itself.
  static const YamlNode& place(const YamlNode& node, std::initializer_list<std::string_view> path) {
    const YamlNode* at = &node;
    for (const std::string_view key : path) {
      const YamlNode* next = at->find(key);
      if (next == nullptr) return *at;
      at = next;
    }
    return *at;
  }

  void link() {
    std::vector<std::string> policies, streams, dependencies;
    for (const auto& [name, policy] : policies_) policies.push_back(name);
    for (const StreamSpec& stream : config_.streams) streams.push_back(stream.name);
    for (const auto& read : dependencies_) dependencies.push_back(read.spec.name);
    for (auto& read : dependencies_) {
      const auto policy = policies_.find(read.policy);
      if (policy != policies_.end()) read.spec.policy = policy->second.dependency;
      if (policy == policies_.end() && !read.policy.empty()) {
        unknown(read.file, place(*read.node, {"policy"}), "policy", read.policy, policies);
      }
      if (const std::string fault = egress_fault(config_, listens_, read.spec); !fault.empty()) {
        report_.add(
            read.file, place(*read.node, {"url"}),
            fmt::format("nothing may connect to dependency '{}': {}", read.spec.name, fault),
            "see `egress` in the guide to the configuration", Code::egress_refused);
      }
      config_.dependencies.push_back(std::move(read.spec));
    }
    for (auto& read : flows_) {
      const auto policy = policies_.find(read.policy);
      if (policy != policies_.end()) read.spec.policy = policy->second.flow;
      if (policy == policies_.end() && !read.policy.empty()) {
        unknown(read.file, place(*read.node, {"policy"}), "policy", read.policy, policies);
      }
      if (!read.spec.stream.empty() &&
          std::ranges::find(streams, read.spec.stream) == streams.end()) {
        unknown(read.file, place(*read.node, {"from", "stream"}), "stream", read.spec.stream,
                streams);
      }
      if (!read.spec.dependency.empty() &&
          std::ranges::find(dependencies, read.spec.dependency) == dependencies.end()) {
        unknown(read.file, place(*read.node, {"to", "http", "dependency"}), "dependency",
                read.spec.dependency, dependencies);
      }
      for (const std::string& effect : read.spec.effects) link_effect(read, effect, dependencies);
      config_.flows.push_back(std::move(read.spec));
    }
    check_ledger_windows();
    check_listener();
    check_approvals();
    link_failure_modes(dependencies);
    link_redaction(streams);
    link_renamed();
  }

  void link_effect(const Read<FlowSpec>& flow, const std::string& effect,
                   const std::vector<std::string>& dependencies) {
    const YamlNode& at = place(*flow.node, {"effects"});
    if (std::ranges::find(dependencies, effect) == dependencies.end())
      unknown(flow.file, at, "dependency", effect, dependencies);
    if (effect != flow.spec.dependency) return;
    report_.add(flow.file, at,
                fmt::format("flow '{}' is handled by dependency '{}', and has effects on it",
                            flow.spec.name, effect),
                "its calls hold the slots that its effects wait for: give the handler a dependency "
                "of its own, even if the url is the same");
  }

  // An effect that is forgotten while its event can still be delivered would happen twice.
  void check_ledger_windows() {
    for (std::size_t i = 0; i < config_.flows.size(); ++i) {
      const FlowSpec& flow = config_.flows[i];
      const auto stream = std::ranges::find(config_.streams, flow.stream, &StreamSpec::name);
      if (stream == config_.streams.end()) continue;
      const Duration horizon = stream->retention + flow.policy.timeouts.event;
      for (const std::string& effect : flow.effects) {
        const auto on = std::ranges::find(config_.dependencies, effect, &DependencySpec::name);
        if (on == config_.dependencies.end() || on->policy.idempotency.window >= horizon) continue;
        report_.add(flows_[i].file, place(*flows_[i].node, {"effects"}),
                    fmt::format("the ledger forgets effects on {} after {}, and flow '{}' can be "
                                "replayed for {} (retention of its stream, and timeouts.event)",
                                effect, policy::whole_units(on->policy.idempotency.window),
                                flow.name, policy::whole_units(horizon)),
                    "raise idempotency.window in the policy of the dependency");
      }
    }
  }

  void link_failure_modes(const std::vector<std::string>& dependencies) {
    std::vector<std::string> flows;
    for (const FlowSpec& flow : config_.flows) flows.push_back(flow.name);
    for (std::size_t i = 0; i < mode_nodes_.size(); ++i) {
      const auto& [file, node] = mode_nodes_[i];
      const FailureModeSpec& mode = config_.failure_modes[i];
      if (!mode.flow.empty() && std::ranges::find(flows, mode.flow) == flows.end()) {
        unknown(file, place(*node, {"match", "flow"}), "flow", mode.flow, flows);
      }
      if (!mode.dependency.empty() &&
          std::ranges::find(dependencies, mode.dependency) == dependencies.end()) {
        unknown(file, place(*node, {"match", "dependency"}), "dependency", mode.dependency,
                dependencies);
      }
    }
  }

  void link_redaction(const std::vector<std::string>& streams) {
    for (std::size_t i = 0; i < config_.redaction.rules.size(); ++i) {
      for (const std::string& stream : config_.redaction.rules[i].streams) {
        if (std::ranges::find(streams, stream) != streams.end()) continue;
        const YamlNode* rules = redaction_.second->find("rules");
        const YamlNode& at = rules != nullptr && i < rules->items.size() ? rules->items[i]
                                                                         : *redaction_.second;
        unknown(redaction_.first, place(at, {"streams"}), "stream", stream, streams);
      }
    }
    if (!report_.problems.empty()) return;  // rules that cannot be compiled are told
    const policy::Redactions redactions(config_.redaction, config_.streams, {});
    for (FlowSpec& flow : config_.flows)
      flow.key_is_redacted = redactions.of(flow.stream)->hides_key(flow.ordering_key);
  }

  // A flow's cursor and holds can be taken over once, and only from a flow that is gone.
  void link_renamed() {
    for (std::size_t i = 0; i < config_.flows.size(); ++i) {
      const std::string& old = config_.flows[i].renamed_from;
      if (old.empty()) continue;
      const std::string& file = flows_[i].file;
      const YamlNode& at = place(*flows_[i].node, {"renamedFrom"});
      if (std::ranges::find(config_.flows, old, &FlowSpec::name) != config_.flows.end()) {
        report_.add(file, at, fmt::format("flow '{}' is still defined", old),
                    "a flow is renamed by giving its old name to one other flow");
        continue;
      }
      is_first(file, at, "the new name of flow", old);
    }
  }

  const std::vector<SourceFile>& files_;
  Report report_;
  std::vector<std::pair<std::string, std::unique_ptr<YamlNode>>> trees_;
  std::vector<std::unique_ptr<YamlNode>> merged_;  // policies with what they extend
  std::map<std::string, Place> places_;
  std::map<std::string, PolicySpec> policies_;
  WrittenPlaces written_;
  std::vector<Read<DependencySpec>> dependencies_;
  std::vector<Read<FlowSpec>> flows_;
  std::vector<std::pair<std::string, const YamlNode*>> mode_nodes_;  // as config_.failure_modes
  std::pair<std::string, const YamlNode*> redaction_;                // where it stands
  std::pair<std::string, const YamlNode*> approvals_;                // likewise
  std::string listen_file_;
  const YamlNode* listen_node_ = nullptr;
  Config config_;
  bool has_version_ = false;
  bool listens_ = false;  // where is written
};

// A line that nobody can read at a glance is not shown.
constexpr std::size_t kExcerptBytes = 1000;

std::string line_of(const std::vector<SourceFile>& files, const Place& place) {
  const auto source = std::ranges::find(files, place.file, &SourceFile::name);
  if (source == files.end() || place.line < 1) return {};
  std::string_view rest = source->text;
  for (int i = 1; i < place.line; ++i) {
    const auto end = rest.find('\n');
    if (end == rest.npos) return {};
    rest.remove_prefix(end + 1);
  }
  std::string_view found = rest.substr(0, rest.find('\n'));
  if (found.ends_with('\r')) found.remove_suffix(1);
  return found.size() > kExcerptBytes ? std::string{} : std::string(found);
}

// An anchor's contents are read wherever it is used, and are wrong once.
bool same_problem(const Problem& a, const Problem& b) {
  return a.place == b.place && a.message == b.message;
}

}  // namespace

void put_in_order(std::vector<Problem>& problems, const std::vector<SourceFile>& files) {
  std::ranges::sort(problems, {}, [](const Problem& problem) {
    return std::tuple(problem.place.file, problem.place.line, problem.place.column,
                      problem.message);
  });
  const auto repeated = std::ranges::unique(problems, same_problem);
  problems.erase(repeated.begin(), repeated.end());
  for (Problem& problem : problems) problem.excerpt = line_of(files, problem.place);
}

LoadOutcome load(const std::vector<SourceFile>& files, const SecretResolver& secrets) {
  LoadOutcome outcome;
  Loader loader(files, secrets, outcome.problems);
  Config config = loader.load();
  // The worst case of a configuration that is wrong says nothing.
  const bool well_formed = outcome.problems.empty();
  if (well_formed) check_bounds(config, loader.written(), outcome.problems, outcome.warnings);
  put_in_order(outcome.problems, files);
  put_in_order(outcome.warnings, files);
  if (well_formed) {
    auto& into = outcome.problems.empty() ? outcome.config : outcome.refused;
    into = std::move(config);
  }
  return outcome;
}

}  // namespace weir::config
