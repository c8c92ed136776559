// SPDX-License-Identifier: Apache-2.0
#include "policy/redaction.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/seeded_bug.h"
#include "policy/redaction_tag.h"

namespace weir::policy {
namespace {

constexpr std::size_t kShownTag = 12;  // hex digits
constexpr std::string_view kMaskedDocument = "\"[redacted]\"";
constexpr std::string_view kOfData = "data.";
constexpr std::string_view kMaskedQuestion = R"(["[redacted]"])";

// A pointer that fits the way to a value so far.
struct Lead {
  const PointerPattern* pointer;
  std::size_t steps;  // of it that were taken
};
using Leads = std::vector<Lead>;

bool arrived(const Leads& leads) {
  return std::ranges::any_of(leads,
                             [](const Lead& lead) { return lead.steps == lead.pointer->size(); });
}

Leads further(const Leads& leads, std::string_view name) {
  Leads next;
  for (const Lead& lead : leads) {
    if (lead.steps < lead.pointer->size() && (*lead.pointer)[lead.steps].fits(name))
      next.push_back({lead.pointer, lead.steps + 1});
  }
  return next;
}

using Names = std::set<std::string, std::less<>>;

// No document is deeper than JsonLimits says.
void walk(wire::Json at, const Leads& leads, const Names& members, std::vector<wire::Json>& found) {
  if (arrived(leads)) return found.push_back(at);
  if (leads.empty() && members.empty()) return;
  const bool is_object = at.is(wire::JsonType::object);
  if (!is_object && (!at.is(wire::JsonType::array) || WEIR_SEEDED_BUG("redaction.arrays_skipped")))
    return;
  std::size_t index = WEIR_SEEDED_BUG("redaction.index_from_one") ? 1 : 0;
  for (const wire::Json child : at) {
    const std::string number = is_object ? std::string() : std::to_string(index++);
    if (is_object && members.contains(child.key())) {
      found.push_back(child);
    } else {
      walk(child, further(leads, is_object ? child.key() : number), members, found);
    }
  }
}

Leads leads_to(const std::vector<PointerPattern>& pointers) {
  Leads leads;
  for (const PointerPattern& pointer : pointers) leads.push_back({&pointer, 0});
  return leads;
}

void add_scalars(wire::Json value, HiddenValues& into) {
  switch (value.type()) {
    case wire::JsonType::string: return into.add(value.string());
    case wire::JsonType::number: return into.add(value.raw());
    case wire::JsonType::boolean:
    case wire::JsonType::null: return;
    case wire::JsonType::array:
    case wire::JsonType::object:
      for (const wire::Json child : value) add_scalars(child, into);
  }
}

bool is_index(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// The last name on the way of a pointer: whatever a pattern asks below it is hidden. Elements have
// no number in a pattern.
std::string last_name(const PointerPattern& pointer) {
  for (auto step = pointer.rbegin(); step != pointer.rend(); ++step) {
    if (!step->any && !is_index(step->name)) return step->name;
  }
  return "data";
}

// Copies the text and puts `mask` in the place of some of its values, which are in order.
std::string spliced(std::string_view text, const std::vector<wire::Json>& values,
                    const std::function<std::string(wire::Json)>& mask) {
  std::string out;
  std::size_t done = 0;
  for (const wire::Json value : values) {
    out.append(text.substr(done, value.offset() - done)).append(mask(value));
    done = value.offset() + value.raw().size();
  }
  return out.append(text.substr(done));
}

std::string_view attribute_of(const Event& event, std::string_view name) {
  if (name == "subject") return event.subject;
  if (name == "time") return event.time;
  if (name == "dataschema") return event.dataschema;
  const Extension* extension = event.find_extension(name);
  return extension == nullptr ? std::string_view{} : extension->value;
}

}  // namespace

std::vector<std::string> never_redacted() {
  return {"id",   "source",      "type",      "specversion", "datacontenttype",
          "data", "traceparent", "expirytime"};
}

Redaction::Redaction(const RedactionSpec& spec, const std::string* stream, std::string secret)
    : secret_(std::move(secret)), keep_answers_(spec.keep_answers) {
  for (const RedactionRule& rule : spec.rules) {
    const bool about_it = stream == nullptr || rule.streams.empty() ||
                          std::ranges::find(rule.streams, *stream) != rule.streams.end();
    if (!about_it) continue;
    switch (rule.kind) {
      case RedactionRule::Kind::member: members_.insert(rule.name); break;
      case RedactionRule::Kind::attribute: attributes_.insert(rule.name); break;
      case RedactionRule::Kind::pointer: {
        auto pointer = parse_pointer(rule.name);
        WEIR_ASSERT(pointer.ok());  // the configuration was read with the same function
        pointers_.push_back(std::move(*pointer));
      }
    }
  }
}

bool Redaction::hides_key(std::string_view ordering_key) const {
  if (!ordering_key.starts_with(kOfData)) return hides_attribute(ordering_key);
  ordering_key.remove_prefix(kOfData.size());
  Leads leads = leads_to(pointers_);
  for (bool more = true; more;) {
    const auto dot = ordering_key.find('.');
    const std::string_view name = ordering_key.substr(0, dot);
    if (arrived(leads) || members_.contains(name)) return true;
    leads = further(leads, name);
    more = dot != ordering_key.npos;
    if (more) ordering_key.remove_prefix(dot + 1);
  }
  return arrived(leads);
}

std::vector<wire::Json> Redaction::hidden_in(wire::Json root) const {
  std::vector<wire::Json> found;
  walk(root, leads_to(pointers_), members_, found);
  return found;
}

std::string Redaction::mask(std::string_view value) const {
  return fmt::format("[redacted {}]", redaction_tag(secret_, value).substr(0, kShownTag));
}

std::string Redaction::fingerprint(std::string_view bytes) const {
  return redaction_tag(secret_, bytes);
}

std::string Redaction::key_tag(std::string_view key) const { return policy::key_tag(secret_, key); }

std::string Redaction::mask_of(wire::Json value) const {
  switch (value.type()) {
    case wire::JsonType::null: return "null";
    case wire::JsonType::boolean: return "\"[redacted boolean]\"";  // a tag would tell which
    case wire::JsonType::string: return fmt::format("\"{}\"", mask(value.string()));
    case wire::JsonType::number:
      return fmt::format("\"[redacted number {}]\"",
                         redaction_tag(secret_, value.raw()).substr(0, kShownTag));
    case wire::JsonType::array: return "\"[redacted array]\"";
    case wire::JsonType::object: return "\"[redacted object]\"";
  }
  return std::string(kMaskedDocument);
}

std::string Redaction::redact_json(std::string_view text) const {
  const auto document = wire::parse_json(text);
  if (!document.ok()) return std::string(kMaskedDocument);
  const std::vector<wire::Json> hidden = hidden_in(document->root());
  if (hidden.size() > kMasksMax) return std::string(kMaskedDocument);
  return spliced(text, hidden, [this](wire::Json value) { return mask_of(value); });
}

std::string Redaction::redact_data(const Event& event) const {
  if (!hides_data() || event.data.empty()) return std::string(event.data);
  return event.data_is_json() ? redact_json(event.data) : std::string(kMaskedDocument);
}

std::string Redaction::redact_pattern(std::string_view pattern) const {
  if (pattern.empty() || empty()) return std::string(pattern);
  const auto document = wire::parse_json(pattern);
  if (!document.ok()) return std::string(kMaskedDocument);
  return spliced(pattern, asked_in(document->root()),
                 [](wire::Json) { return std::string(kMaskedQuestion); });
}

std::vector<wire::Json> Redaction::asked_in(wire::Json pattern) const {
  Names names = members_;
  names.insert(attributes_.begin(), attributes_.end());
  for (const PointerPattern& pointer : pointers_) names.insert(last_name(pointer));
  std::vector<wire::Json> asked;
  walk(pattern, {}, names, asked);
  return asked;
}

std::vector<std::string> Redaction::places_asked(std::string_view pattern) const {
  const auto document = wire::parse_json(pattern);
  if (empty() || !document.ok()) return {};
  std::set<std::string> places;
  for (const wire::Json asked : asked_in(document->root())) {
    if (asked.raw() == kMaskedQuestion) continue;
    const std::string name(asked.key());
    if (members_.contains(name) || attributes_.contains(name)) places.insert(name);
    for (const PointerPattern& pointer : pointers_) {
      if (last_name(pointer) == name) places.insert(to_text(pointer));
    }
  }
  return {places.begin(), places.end()};
}

HiddenValues Redaction::hidden_values(const Event& event) const {
  HiddenValues values;
  for (const std::string& name : attributes_) values.add(attribute_of(event, name));
  if (!hides_data() || event.data.empty()) return values;
  const auto document = wire::parse_json(event.data);
  if (!event.data_is_json() || !document.ok()) {
    values.add_everything();
    return values;
  }
  for (const wire::Json value : hidden_in(document->root())) add_scalars(value, values);
  return values;
}

Redactions::Redactions(const RedactionSpec& spec, const std::vector<StreamSpec>& streams,
                       const std::string& secret)
    : all_(std::make_shared<const Redaction>(spec, nullptr, secret)) {
  for (const StreamSpec& stream : streams)
    named_.emplace(stream.name, std::make_shared<const Redaction>(spec, &stream.name, secret));
}

std::shared_ptr<const Redaction> Redactions::of(std::string_view stream) const {
  const auto found = named_.find(stream);
  return found == named_.end() ? all_ : found->second;
}

}  // namespace weir::policy
