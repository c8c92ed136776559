// SPDX-License-Identifier: Apache-2.0
// What of an event nobody is shown: the rules of the configuration, compiled for one stream, and
// the masks that stand in the place of what they hide. Masks tell the type, and a tag that is the
// same for equal values and means nothing without the store's secret (HMAC-SHA-256, RFC 2104):
//   "[redacted 3f9a1c2b4d5e]"  "[redacted number 77…]"  "[redacted boolean]"  "[redacted object]"
// null stays null. Nothing is shown in doubt: data that does not parse is masked as a whole, and so
// is data that is no JSON, once a rule is about data. Pure.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/config_model.h"
#include "model/event.h"
#include "policy/hidden_values.h"
#include "policy/json_pointer.h"
#include "wire/json.h"

namespace weir::policy {

inline constexpr std::string_view kMask = "[redacted]";
inline constexpr std::size_t kMasksMax = 10'000;  // in one document; with more all of it is masked

// Attributes that no rule can hide: Weir names, routes and reckons with them.
std::vector<std::string> never_redacted();

class Redaction {
 public:
  Redaction() = default;  // hides nothing
  // The rules of `stream`; of nullptr: all there are. `secret` is that of the store.
  Redaction(const RedactionSpec& spec, const std::string* stream, std::string secret);

  bool empty() const { return !hides_data() && attributes_.empty(); }
  bool hides_data() const { return !pointers_.empty() || !members_.empty(); }
  bool hides_attribute(std::string_view name) const { return attributes_.contains(name); }
  // What FlowSpec::ordering_key names.
  bool hides_key(std::string_view ordering_key) const;
  bool keeps_answers() const { return keep_answers_; }

  // The values of a document that are hidden, in its order; none lies within another.
  std::vector<wire::Json> hidden_in(wire::Json root) const;
  // The JSON text with masks, and otherwise byte for byte.
  std::string redact_json(std::string_view text) const;
  // An event's data as it may be shown: its own bytes if nothing is hidden.
  std::string redact_data(const Event& event) const;
  // An event pattern that somebody typed: what is asked of a hidden member or attribute is masked.
  // Names are taken wherever they stand, so that it hides too much rather than too little.
  std::string redact_pattern(std::string_view pattern) const;
  bool hides_some_of(std::string_view pattern) const { return redact_pattern(pattern) != pattern; }
  // The rules that hide what a pattern asks, as they were written: "/cards/*/number", "iban". What
  // is a mask already asks nothing.
  std::vector<std::string> places_asked(std::string_view pattern) const;
  std::string mask(std::string_view value) const;   // of a text
  std::string key_tag(std::string_view key) const;  // of an ordering key
  // 32 hex digits that name these bytes to whoever may not see them.
  std::string fingerprint(std::string_view bytes) const;

  // What this event has to hide, for texts that may repeat it.
  HiddenValues hidden_values(const Event& event) const;

 private:
  std::string mask_of(wire::Json value) const;
  // What is asked of hidden members and attributes, wherever they stand.
  std::vector<wire::Json> asked_in(wire::Json pattern) const;

  std::vector<PointerPattern> pointers_;
  std::set<std::string, std::less<>> members_;
  std::set<std::string, std::less<>> attributes_;
  std::string secret_;
  bool keep_answers_ = false;
};

// Of every stream in the configuration. What is handed out stays as it is over a reload.
class Redactions {
 public:
  Redactions() : Redactions(RedactionSpec{}, {}, {}) {}
  Redactions(const RedactionSpec& spec, const std::vector<StreamSpec>& streams,
             const std::string& secret);
  // A stream that has left the configuration, which no rule can name any more, is under all rules.
  std::shared_ptr<const Redaction> of(std::string_view stream) const;
  std::shared_ptr<const Redaction> of_all() const { return all_; }

 private:
  std::map<std::string, std::shared_ptr<const Redaction>, std::less<>> named_;
  std::shared_ptr<const Redaction> all_;
};

}  // namespace weir::policy
