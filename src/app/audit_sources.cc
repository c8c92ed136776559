// SPDX-License-Identifier: Apache-2.0
#include "app/audit_sources.h"

#include <filesystem>

#include <fmt/format.h>

#include "app/audit_files.h"
#include "app/cells.h"
#include "store/sqlite/audit_reader.h"
#include "wire/audit_lines.h"

namespace weir::app {
namespace {

constexpr std::uint64_t kServerPage = 1000;

struct ServerPage {
  std::vector<AuditEntry> entries;
  AuditHead head;
};

// For what the session could not get: it has printed why.
Error not_told(AuditPlace& place, const Reply& reply) {
  place.exit = reply.exit;
  return Error{Code::server_unreachable, "the server did not tell its audit", ""};
}

Error not_an_audit() { return Error{Code::audit_unreadable, "this is no answer of a Weir", ""}; }

Result<ServerPage> server_page(Session& session, AuditPlace& place, const std::string& query) {
  const Reply reply = session.get("/v1/audit?" + query);
  if (!reply) return not_told(place, reply);
  ServerPage page{
      .head = {count_at(reply.root(), "head.number"), text_at(reply.root(), "head.hash")}};
  const auto entries = member_at(reply.root(), "entries");
  if (!entries) return not_an_audit();
  for (const wire::Json one : *entries) {
    WEIR_TRY(AuditEntry entry, wire::audit_entry_of(one));
    page.entries.push_back(std::move(entry));
  }
  return page;
}

Result<std::optional<AuditHead>> walk_server(Session& session, AuditPlace& place,
                                             const EachAuditEntry& each) {
  // Between two answers the chain grows; the head of the second cannot be behind an entry of the
  // first, unless that was added from outside.
  WEIR_TRY(const ServerPage first, server_page(session, place, "limit=1"));
  WEIR_TRY(const ServerPage second, server_page(session, place, "limit=1"));
  const std::uint64_t newest = first.entries.empty() ? 0 : first.entries.front().number;
  const bool added = second.head.number < newest;
  const AuditHead kept = added ? second.head : first.head;
  const std::uint64_t end = added ? newest : kept.number;
  for (std::uint64_t after = 0; after < end; after += kServerPage) {
    const std::uint64_t size = std::min(kServerPage, end - after);
    WEIR_TRY(const ServerPage page,
             server_page(session, place, fmt::format("after={}&limit={}", after, size)));
    for (const AuditEntry& entry : page.entries) each(entry.number, entry);
  }
  return std::optional(kept);
}

Result<std::optional<AuditHead>> walk_file(const std::string& path, const EachAuditEntry& each) {
  WEIR_TRY(const std::string content, read_whole_file(path));
  std::uint64_t number = 0;
  for (std::string_view rest = content; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    ++number;
    auto entry = wire::parse_audit_entry(line);
    if (entry.ok()) {
      each(entry->number, entry);
    } else if (!wire::parse_audit_checkpoint(line).ok()) {
      each(0, Error{Code::audit_unreadable,
                    fmt::format("line {} is no entry and no checkpoint as it was written", number),
                    ""});
    }
  }
  return std::optional<AuditHead>();
}

Result<AuditWitness> folder_witness(const std::string& folder) {
  AuditWitness witness;
  const std::string key = folder + std::string(kAuditPublicKeyFile);
  const std::string lines = folder + std::string(kAuditCheckpointsFile);
  std::error_code ignored;
  if (std::filesystem::exists(key, ignored)) {
    WEIR_TRY(witness.public_key, read_public_key(key));
  }
  if (std::filesystem::exists(lines, ignored)) {
    WEIR_TRY(CheckpointLines read, read_checkpoints(lines));
    witness.checkpoints = std::move(read.checkpoints);
    witness.others = read.others;
  }
  return witness;
}

Result<AuditWitness> server_witness(Session& session, AuditPlace& place) {
  const Reply reply = session.get("/v1/audit/checkpoints");
  if (!reply) return not_told(place, reply);
  AuditWitness witness{.public_key = text_at(reply.root(), "publicKey")};
  const auto checkpoints = member_at(reply.root(), "checkpoints");
  if (!checkpoints) return not_an_audit();
  for (const wire::Json one : *checkpoints) {
    WEIR_TRY(AuditCheckpoint checkpoint, wire::audit_checkpoint_of(one));
    witness.checkpoints.push_back(std::move(checkpoint));
  }
  return witness;
}

}  // namespace

Result<AuditWitness> audit_witness(Session& session, AuditPlace& place) {
  if (!place.folder.empty()) return folder_witness(place.folder);
  if (place.file.empty()) return server_witness(session, place);
  WEIR_TRY(CheckpointLines read, read_checkpoints(place.file));
  return AuditWitness{.checkpoints = std::move(read.checkpoints)};
}

Result<std::optional<AuditHead>> walk_audit(Session& session, AuditPlace& place,
                                            const EachAuditEntry& each) {
  if (!place.file.empty()) return walk_file(place.file, each);
  if (place.folder.empty()) return walk_server(session, place, each);
  WEIR_TRY(const auto table, store::sqlite::read_audit(place.folder, each));
  return std::optional(table.kept);
}

}  // namespace weir::app
