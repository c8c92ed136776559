// SPDX-License-Identifier: Apache-2.0
// What a long sequence is made of, drawn from one seed: a thousand times cheaper than a generator
// per step. Rapidcheck draws the seed and prints it with a counterexample; it does not shrink it,
// so let rapidcheck draw what is worth shrinking, above all the number of steps.
#pragma once

#include <initializer_list>
#include <utility>

#include <rapidcheck.h>

#include "base/rng.h"

namespace weir::policy::testing {

class Draws {
 public:
  Draws() : rng_(*seed()) {}

  // In [from, to), to > from.
  template <class Number>
  Number in(Number from, Number to) {
    return static_cast<Number>(
        from + static_cast<Number>(rng_.below(static_cast<std::uint64_t>(to - from))));
  }
  bool coin() { return rng_.below(2) == 0; }
  bool one_in(std::uint64_t count) { return rng_.below(count) == 0; }
  template <class Value>
  Value one_of(std::initializer_list<Value> values) {
    return values.begin()[rng_.below(values.size())];
  }
  // Removes one and returns it; there must be one.
  template <class Values>
  auto take(Values& values) {
    std::swap(values[rng_.below(values.size())], values.back());
    auto taken = std::move(values.back());
    values.pop_back();
    return taken;
  }
  Rng& rng() { return rng_; }

 private:
  // All of them, and not only the small ones with which rapidcheck begins.
  static rc::Gen<std::uint64_t> seed() {
    return rc::gen::noShrink(
        rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>()));
  }

  Rng rng_;
};

}  // namespace weir::policy::testing
