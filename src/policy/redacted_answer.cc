// SPDX-License-Identifier: Apache-2.0
#include "policy/redacted_answer.h"

namespace weir::policy {
namespace {

// Writes a document again without what it repeats; everything else keeps its bytes.
class AnswerWriter {
 public:
  AnswerWriter(std::string_view text, const std::vector<wire::Json>& masked,
               const HiddenValues& hidden)
      : text_(text), masked_(masked), hidden_(hidden) {}

  std::string write(wire::Json root) {
    visit(root);
    return std::move(out_).append(text_.substr(done_));
  }

 private:
  void visit(wire::Json at) {
    if (next_ < masked_.size() && masked_[next_].offset() == at.offset()) {
      ++next_;
      return put(at.offset(), at.raw().size(), kMask);
    }
    switch (at.type()) {
      case wire::JsonType::string: return visit_text(at.offset(), at.raw().size(), at.string());
      case wire::JsonType::number: return visit_text(at.offset(), at.raw().size(), at.raw());
      case wire::JsonType::boolean:
      case wire::JsonType::null: return;
      case wire::JsonType::array:
      case wire::JsonType::object:
        for (const wire::Json child : at) {
          if (at.is(wire::JsonType::object))
            visit_text(child.key_offset(), quoted_size(child.key_offset()), child.key());
          visit(child);
        }
    }
  }

  void visit_text(std::size_t offset, std::size_t size, std::string_view decoded) {
    const std::string shown = hidden_.redact(decoded);
    if (shown != decoded) put(offset, size, shown);
  }

  // Of the JSON string that starts there.
  std::size_t quoted_size(std::size_t offset) const {
    std::size_t at = offset + 1;
    while (text_[at] != '"') at += text_[at] == '\\' ? 2 : 1;
    return at + 1 - offset;
  }

  void put(std::size_t offset, std::size_t size, std::string_view shown) {
    out_.append(text_.substr(done_, offset - done_));
    wire::append_json_string(out_, shown);
    done_ = offset + size;
  }

  std::string_view text_;
  const std::vector<wire::Json>& masked_;
  const HiddenValues& hidden_;
  std::string out_;
  std::size_t done_ = 0;
  std::size_t next_ = 0;  // of masked_
};

bool may_be_json(std::string_view body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  return first != body.npos && (body[first] == '{' || body[first] == '[');
}

// Those of rate_headers.h and server_hint.h.
bool is_pace(std::string_view name) {
  if (name.starts_with("x-")) name.remove_prefix(2);
  return name == "retry-after" || name.starts_with("ratelimit");
}

}  // namespace

std::string redact_answer(std::string_view body, const Redaction& redaction,
                          const HiddenValues& hidden) {
  if (body.empty() || redaction.empty()) return std::string(body);
  if (hidden.hides_everything()) return std::string(kMask);
  if (may_be_json(body)) {
    const auto document = wire::parse_json(body);
    if (document.ok()) {
      const auto masked = redaction.hidden_in(document->root());
      return AnswerWriter(body, masked, hidden).write(document->root());
    }
  }
  if (!redaction.keeps_answers()) return std::string(kMask);
  return hidden.redact(body, body.size() >= kOutcomeBodyMax);
}

void redact_outcome(const Event& event, const Redaction& redaction, Outcome& outcome,
                    Classification& classification) {
  if (redaction.empty()) return;
  const HiddenValues hidden = redaction.hidden_values(event);
  outcome.body = redact_answer(outcome.body, redaction, hidden);
  bool repeats = hidden.hides_everything();
  for (auto& [name, value] : outcome.headers) {
    if (hidden.hides_everything() ? is_pace(name) : !hidden.found_in(value)) continue;
    repeats = true;
    value = kMask;
  }
  // It may have cut the value that it repeats: all of it goes.
  if (repeats && !classification.hint_note.empty())
    classification.hint_note = "the server's hint is redacted";
  if (hidden.hides_everything()) return;  // the rest is said in our own words
  outcome.fault_detail = hidden.redact(outcome.fault_detail);
  classification.reason = hidden.redact(classification.reason);
}

}  // namespace weir::policy
