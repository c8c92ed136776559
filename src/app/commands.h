// SPDX-License-Identifier: Apache-2.0
// One function per noun adds its verbs to the command line. Parsing only chooses the action; it
// runs afterwards.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace weir::app {

class Session;

using Action = std::function<int(Session&)>;

// Where a parsed command puts what is to be done.
struct Chosen {
  Action action;
};

void add_status_commands(CLI::App& root, Chosen& chosen);  // version, status
void add_publish_command(CLI::App& root, Chosen& chosen);
void add_event_commands(CLI::App& root, Chosen& chosen);  // explain, event
void add_edit_commands(CLI::App& event, Chosen& chosen);  // two verbs of the noun `event`
void add_flow_commands(CLI::App& root, Chosen& chosen);
void add_dependency_commands(CLI::App& root, Chosen& chosen);
void add_group_commands(CLI::App& root, Chosen& chosen);
void add_effect_commands(CLI::App& root, Chosen& chosen);
void add_marker_command(CLI::App& root, Chosen& chosen);
void add_quarantine_commands(CLI::App& root, Chosen& chosen);
void add_replay_commands(CLI::App& root, Chosen& chosen);
void add_approval_commands(CLI::App& root, Chosen& chosen);
void add_replay_approve(CLI::App& noun, Chosen& chosen);  // one verb of the noun `replay`
// "--break-glass", for what another person would have to approve.
void add_break_glass(CLI::App& command, bool& break_glass);
void add_audit_commands(CLI::App& root, Chosen& chosen);
void add_auth_commands(CLI::App& root, Chosen& chosen);
void add_config_commands(CLI::App& root, Chosen& chosen);
void add_policy_commands(CLI::App& root, Chosen& chosen);
void add_policy_explain(CLI::App& policy, Chosen& chosen);  // one verb of the noun `policy`
void add_policy_bound(CLI::App& policy, Chosen& chosen);    // another one
void add_store_commands(CLI::App& root, Chosen& chosen);
void add_encryption_commands(CLI::App& root, Chosen& chosen);
void add_stream_commands(CLI::App& root, Chosen& chosen);
void add_simulate_command(CLI::App& root, Chosen& chosen);
void add_serve_command(CLI::App& root, Chosen& chosen);

// What `weir explain` prints; `flow` may be empty. The result is the exit code.
int explain_event(Session& session, const std::string& reference, const std::string& flow);

// "/v1/events/" + "github#42", percent-encoded.
std::string path_to(std::string_view collection, std::string_view name, std::string_view verb = "");
// "?a=b&c=d" of the pairs whose value is not empty; "" if there is none.
std::string query_of(const std::vector<std::pair<std::string_view, std::string>>& pairs);

}  // namespace weir::app
