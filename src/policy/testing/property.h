// SPDX-License-Identifier: Apache-2.0
// Properties with enough cases: 1000 each or as many as asked for, more with
// RC_PARAMS="max_success=...". A failure prints the counterexample and the seed.
#pragma once

#include <algorithm>
#include <sstream>
#include <string>

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace weir::policy::testing {

inline constexpr int kCases = 1000;

template <class Property>
bool holds(const std::string& name, Property&& property, int cases = kCases) {
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = std::max(params.maxSuccess, cases);
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
