// SPDX-License-Identifier: Apache-2.0
// The validated configuration, as plain data. config/ makes it from YAML.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/access.h"
#include "model/policy_spec.h"

namespace weir {

struct StreamSpec {
  std::string name;
  Duration retention = std::chrono::hours{24 * 7};
  Duration dedupe_window = std::chrono::hours{24};
  std::uint64_t dedupe_max_entries = 1'000'000;
  bool operator==(const StreamSpec&) const = default;
};

struct DependencySpec {
  std::string name;
  std::string url;                 // scheme://host[:port][/prefix]
  double capacity_per_second = 0;  // 0 = not declared
  double request_price = 0;        // of one call, in whatever money a forecast is to count
  std::vector<std::pair<std::string, std::string>> headers;  // secrets resolved; never printed
  std::string ca_file;  // extra trust anchors for https; empty = the system's
  DependencyPolicy policy;
  bool operator==(const DependencySpec&) const = default;
};

struct FlowStart {
  enum class Kind : std::uint8_t { earliest, latest, time } kind = Kind::earliest;
  WallTime time{};
  bool operator==(const FlowStart&) const = default;
};

enum class OnFailure : std::uint8_t {
  parkKey,
  proceed,
  pauseFlow
};  // proceed is written `continue`

// Among the flows of one dependency that have something to call it for: each step up has four times
// the turns.
enum class Priority : std::uint8_t { low, normal, high };

// What people may change of a quarantined delivery of a flow, before it is replayed.
struct EditSpec {
  bool allowed = false;
  std::vector<std::string> locked;      // JSON pointers into the data that must stay as they are
  std::vector<std::string> attributes;  // subject, dataschema and extensions that may be changed
  bool operator==(const EditSpec&) const = default;
};

struct FlowSpec {
  std::string name;
  std::string renamed_from;  // takes over cursor, holds and quarantine of that flow
  std::string stream;
  FlowStart start;
  std::string where;  // event pattern as JSON text; empty = every event
  std::string dependency;
  std::string path = "/";
  bool idempotent = true;
  std::vector<std::pair<std::string, std::string>> headers;  // secrets resolved
  std::vector<std::string> effects;  // dependencies that its handler may call through the gateway
  std::string ordering_key;      // empty = unordered; "subject", another attribute, or "data.a.b"
  bool key_is_redacted = false;  // a rule hides what it is made of: keys are tags, everywhere
  std::string key_secret;        // of those tags; the engine fills it in
  OnFailure on_failure = OnFailure::parkKey;
  double peak_per_second = 0;  // most events per second that it is meant for; 0 = not declared
  Priority priority = Priority::normal;
  FlowPolicy policy;
  EditSpec edit;
  bool operator==(const FlowSpec&) const = default;
};

struct LimitsSpec {
  std::size_t event_bytes = 1024 * 1024;
  std::size_t batch_events = 1000;
  std::size_t body_bytes = 8 * 1024 * 1024;
  std::size_t header_bytes = 16 * 1024;
  std::size_t pending_ingest_bytes = 64 * 1024 *
                                     1024;  // accepted and not yet committed; above it 503
  std::size_t connections = 1024;
  std::size_t connections_per_address = 0;  // 0: a quarter of them, and loopback without this cap
  std::uint64_t disk_free_min_bytes = 64ull * 1024 * 1024;  // below it ingest refuses
  bool operator==(const LimitsSpec&) const = default;
};

// Where Weir may connect to, beside what is always denied. Address blocks as text ("10.0.0.0/8"),
// checked when they are read.
struct EgressSpec {
  std::vector<std::string> allow;  // wins over `deny`
  std::vector<std::string> deny;
  bool operator==(const EgressSpec&) const = default;
};

// What is said about what stays in quarantine. Nothing leaves it but by keep_archived.
struct QuarantineSpec {
  Duration oldest = std::chrono::hours{24 * 7};  // an alarm for what is older; 0 = none
  std::uint64_t growth = 1000;  // an alarm for so many more within `window`; 0 = none
  Duration window = std::chrono::minutes{10};
  Duration new_group = std::chrono::hours{
      1};                    // so long is a group new, which is an alarm; 0 = never
  Duration keep_archived{};  // what was archived longer ago is discarded, audited; 0 = never
  bool operator==(const QuarantineSpec&) const = default;
};

// What of an event is masked wherever it would be shown. The handler gets the event as it came.
struct RedactionRule {
  enum class Kind : std::uint8_t { pointer, member, attribute } kind = Kind::pointer;
  std::string name;                  // "/cards/*/number"; "email", at any depth; "subject"
  std::vector<std::string> streams;  // empty = all
  bool operator==(const RedactionRule&) const = default;
};
inline constexpr std::size_t kRedactionRulesMax = 256;

struct RedactionSpec {
  std::vector<RedactionRule> rules;
  bool keep_answers = false;  // a handler's answers that are no JSON; false: masked as a whole
  bool operator==(const RedactionSpec&) const = default;
};

// Whoever brings a client certificate with this name is this subject.
struct CertificateRule {
  std::string san;      // "DNS:ci.example.org", "URI:spiffe://...", "email:...", "IP:...", "CN:..."
  std::string subject;  // as of a token
  RoleSet roles;
  bool operator==(const CertificateRule&) const = default;
};

struct AccessSpec {
  bool open = false;  // everybody who reaches the listener is admin; on loopback only
  std::vector<CertificateRule> certificates;
  bool operator==(const AccessSpec&) const = default;
};

// Four eyes: what needs the yes of another person. Absent = nothing.
struct ApprovalsSpec {
  std::optional<std::uint64_t> replay_deliveries;   // a plan for more than so many
  bool replay_in_doubt = false;                     // a plan with deliveries or effects in doubt
  bool replay_delivered = false;                    // a rewind
  bool replay_edited = false;                       // a plan with events that were edited
  std::optional<std::uint64_t> discard_deliveries;  // settling more than so many without delivery
  bool discard_in_doubt = false;                    // settling what is in doubt, at any size
  bool effects_resolve = false;                     // saying what became of an effect in doubt
  Duration expires = std::chrono::hours{4};         // a request, and from then on a yes
  RoleSet break_glass;                              // who may act without one; empty = nobody
  bool operator==(const ApprovalsSpec&) const = default;
};

enum class ClientCertificates : std::uint8_t { none, optional, required };

struct ListenTlsSpec {
  std::string certificate;  // PEM, the chain; empty = plain HTTP
  std::string key;          // PEM
  std::string client_ca;    // PEM; whose certificates clients may bring
  ClientCertificates client_certificates = ClientCertificates::none;
  bool operator==(const ListenTlsSpec&) const = default;
};

// Encryption at rest: files with the master key, and those that it replaced. Empty = none.
struct EncryptionSpec {
  std::string key_file;
  std::vector<std::string> previous_key_files;
  bool operator==(const EncryptionSpec&) const = default;
};

struct Config {
  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 8600;
  ListenTlsSpec listen_tls;
  AccessSpec access;
  ApprovalsSpec approvals;
  std::string data;  // data folder
  LimitsSpec limits;
  QuarantineSpec quarantine;
  RedactionSpec redaction;
  EgressSpec egress;
  EncryptionSpec encryption;
  std::vector<StreamSpec> streams;
  std::vector<DependencySpec> dependencies;
  std::vector<FlowSpec> flows;
  std::vector<FailureModeSpec> failure_modes;
  bool operator==(const Config&) const = default;
};

}  // namespace weir
