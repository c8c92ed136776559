// SPDX-License-Identifier: Apache-2.0
#include "config/extends.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"

namespace weir::config {
namespace {

void put_over(YamlNode& base, const YamlNode& over) {
  if (base.kind != YamlNode::Kind::map || over.kind != YamlNode::Kind::map) {
    base = over;
    return;
  }
  base.line = over.line;
  base.column = over.column;
  for (const YamlMember& member : over.members) {
    const auto same = std::ranges::find_if(
        base.members, [&](const YamlMember& own) { return own.key.text == member.key.text; });
    if (same == base.members.end()) {
      base.members.push_back(member);
    } else {
      same->key = member.key;
      put_over(same->value, member.value);
    }
  }
}

class Follower {
 public:
  Follower(Report& report, const std::string& file, const std::vector<const YamlMember*>& policies)
      : report_(report), file_(file), policies_(policies) {}

  std::vector<ExtendedPolicy> run() && {
    for (const YamlMember* policy : policies_) follow(*policy);
    return std::move(done_);
  }

 private:
  // The one that `policy` extends, if that is one of this file and ends somewhere.
  const YamlMember* base_of(const YamlMember& policy) {
    const YamlNode* extends = policy.value.find("extends");
    if (extends == nullptr || extends->kind != YamlNode::Kind::scalar) return nullptr;
    const auto found = std::ranges::find_if(
        policies_, [&](const YamlMember* one) { return one->key.text == extends->text; });
    if (found == policies_.end()) {
      std::vector<std::string> names;
      for (const YamlMember* one : policies_) {
        if (one != &policy) names.push_back(one->key.text);
      }
      report_.add(file_, *extends,
                  fmt::format("this file has no policy '{}' to extend", extends->text),
                  did_you_mean(extends->text, names));
      return nullptr;
    }
    const auto cycle = std::ranges::find(under_way_, *found);
    if (cycle == under_way_.end()) return *found;
    std::vector<std::string> names;
    for (auto one = cycle; one != under_way_.end(); ++one) names.push_back((*one)->key.text);
    names.push_back((*found)->key.text);
    report_.add(file_, *extends,
                fmt::format("a policy extends itself: {}", fmt::join(names, " -> ")),
                "take one `extends` out");
    return nullptr;
  }

  const ExtendedPolicy* find(const std::string& name) const {
    const auto found = std::ranges::find(done_, name, &ExtendedPolicy::name);
    return found == done_.end() ? nullptr : &*found;
  }

  void follow(const YamlMember& policy) {
    if (find(policy.key.text) != nullptr) return;
    under_way_.push_back(&policy);
    ExtendedPolicy extended{.name = policy.key.text, .node = &policy.value};
    if (const YamlMember* base = base_of(policy)) {
      follow(*base);
      extended.base = base->key.text;
      extended.merged = std::make_unique<YamlNode>(*find(extended.base)->node);
      put_over(*extended.merged, policy.value);
      extended.node = extended.merged.get();
    }
    under_way_.pop_back();
    done_.push_back(std::move(extended));
  }

  Report& report_;
  const std::string& file_;
  const std::vector<const YamlMember*>& policies_;
  std::vector<const YamlMember*> under_way_;
  std::vector<ExtendedPolicy> done_;
};

}  // namespace

std::vector<ExtendedPolicy> follow_extends(Report& report, const std::string& file,
                                           const std::vector<const YamlMember*>& policies) {
  return Follower(report, file, policies).run();
}

}  // namespace weir::config
