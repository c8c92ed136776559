// SPDX-License-Identifier: Apache-2.0
#include "wire/audit_lines.h"

#include <array>

#include <fmt/format.h>

#include "base/bytes.h"
#include "wire/netstring.h"
#include "wire/signing.h"

namespace weir::wire {
namespace {

Error unreadable(std::string detail) {
  return Error{Code::audit_unreadable, std::move(detail),
               "`weir audit export` writes what can be verified"};
}

// The members of an object by name; what is missing or of another type leaves its mark.
class Members {
 public:
  explicit Members(Json object) : object_(object), good_(object.is(JsonType::object)) {}

  std::string text(std::string_view name) {
    const auto found = member(name);
    if (found && found->is(JsonType::string)) return std::string(found->string());
    good_ = false;
    return {};
  }
  std::uint64_t number(std::string_view name) {
    const auto found = member(name);
    const auto value = found && found->is(JsonType::number) ? found->integer() : std::nullopt;
    if (value && *value >= 0) return static_cast<std::uint64_t>(*value);
    good_ = false;
    return 0;
  }
  WallTime time(std::string_view name) {
    const auto value = parse_rfc3339(text(name));
    if (!value) good_ = false;
    return value.value_or(WallTime{});
  }
  bool good() const { return good_; }

 private:
  std::optional<Json> member(std::string_view name) const {
    return object_.is(JsonType::object) ? object_.find(name) : std::nullopt;
  }
  Json object_;
  bool good_;
};

std::string signed_text(const AuditCheckpoint& checkpoint) {
  return netstrings({"weir-audit-checkpoint-1", std::to_string(checkpoint.head.number),
                     checkpoint.head.hash, to_rfc3339(checkpoint.at),
                     std::to_string(checkpoint.incarnation)});
}

template <class T>
Result<T> parse_line(std::string_view line, Result<T> (*of)(Json)) {
  WEIR_TRY(const JsonDocument document, parse_json(line));
  WEIR_TRY(T read, of(document.root()));
  if (to_line(read) != line) return unreadable("a line is not spelled as it was written");
  return read;
}

}  // namespace

void write_audit(JsonWriter& json, const AuditEntry& entry) {
  json.begin_object().field("number", entry.number).field("at", to_rfc3339(entry.at));
  json.field("actor", entry.actor).field("action", entry.action).field("target", entry.target);
  json.field("reason", entry.reason).field("detail", entry.detail).field("hash", entry.hash);
  json.end_object();
}

void write_checkpoint(JsonWriter& json, const AuditCheckpoint& checkpoint) {
  json.begin_object().field("checkpoint", checkpoint.head.number);
  json.field("hash", checkpoint.head.hash).field("at", to_rfc3339(checkpoint.at));
  json.field("incarnation", checkpoint.incarnation).field("key", checkpoint.key);
  json.field("signature", checkpoint.signature).end_object();
}

std::string to_line(const AuditEntry& entry) {
  JsonWriter json;
  write_audit(json, entry);
  return std::move(json).take();
}

std::string to_line(const AuditCheckpoint& checkpoint) {
  JsonWriter json;
  write_checkpoint(json, checkpoint);
  return std::move(json).take();
}

Result<AuditEntry> audit_entry_of(Json object) {
  Members members(object);
  AuditEntry entry{.at = members.time("at"),
                   .actor = members.text("actor"),
                   .action = members.text("action"),
                   .target = members.text("target"),
                   .reason = members.text("reason"),
                   .detail = members.text("detail"),
                   .number = members.number("number"),
                   .hash = members.text("hash")};
  if (!members.good()) return unreadable("this is no entry of an audit");
  return entry;
}

Result<AuditCheckpoint> audit_checkpoint_of(Json object) {
  Members members(object);
  AuditCheckpoint checkpoint{.head = {members.number("checkpoint"), members.text("hash")},
                             .at = members.time("at"),
                             .incarnation = members.number("incarnation"),
                             .key = members.text("key"),
                             .signature = members.text("signature")};
  if (!members.good()) return unreadable("this is no checkpoint of an audit");
  return checkpoint;
}

Result<AuditEntry> parse_audit_entry(std::string_view line) {
  return parse_line(line, &audit_entry_of);
}

Result<AuditCheckpoint> parse_audit_checkpoint(std::string_view line) {
  return parse_line(line, &audit_checkpoint_of);
}

AuditCheckpoint sign_checkpoint(std::string_view seed, AuditCheckpoint checkpoint) {
  checkpoint.at = std::chrono::floor<std::chrono::milliseconds>(checkpoint.at);
  checkpoint.key = to_hex(public_key_of(seed));
  checkpoint.signature = to_hex(sign(seed, signed_text(checkpoint)));
  return checkpoint;
}

bool is_genuine(const AuditCheckpoint& checkpoint) {
  const auto key = from_hex(checkpoint.key);
  const auto signature = from_hex(checkpoint.signature);
  return key && signature && is_signed(*key, signed_text(checkpoint), *signature);
}

}  // namespace weir::wire
