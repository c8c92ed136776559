// SPDX-License-Identifier: Apache-2.0
// Properties with enough cases: 10,000 each (1,000 under a sanitizer), more with
// RC_PARAMS="max_success=100000". A failure prints the counterexample and the seed.
#pragma once

#include <algorithm>
#include <sstream>
#include <string>

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace weir::policy::testing {

// Sanitizers look for faults of another kind, and take ten times as long.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr int kCases = 1'000;
#else
inline constexpr int kCases = 10'000;
#endif

template <class Property>
bool holds(const std::string& name, Property&& property, int cases = kCases) {
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  const bool asked_for_more = params.maxSuccess != rc::detail::TestParams{}.maxSuccess;
  params.maxSuccess = asked_for_more ? std::max(params.maxSuccess, cases) : cases;
  rc::detail::TestMetadata metadata;
  metadata.id = name;
  metadata.description = name;
  const auto result = rc::detail::checkTestable(std::forward<Property>(property), metadata, params);
  const bool good = result.template is<rc::detail::SuccessResult>();
  if (!good) {
    std::ostringstream counterexample;
    rc::detail::printResultMessage(result, counterexample);
    FAIL_CHECK(name << ": " << counterexample.str());
  }
  return good;
}

}  // namespace weir::policy::testing
