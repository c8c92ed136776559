// SPDX-License-Identifier: Apache-2.0
// Bytes read and not yet parsed, in one piece. Grows only up to its cap, and only when a read
// filled it.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "base/assert.h"

namespace weir::net {

class InputBuffer {
 public:
  explicit InputBuffer(std::size_t capacity_max) : capacity_max_(capacity_max) {}

  std::string_view content() const { return {bytes_.data() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  std::size_t capacity() const { return bytes_.size(); }

  // Where the next read goes; empty when the cap is reached: the parser must consume or refuse
  // first.
  std::span<char> space() {
    if (begin_ > 0) {
      if (!empty()) std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == bytes_.size())
      bytes_.resize(std::min(capacity_max_, std::max(kFirst, 2 * bytes_.size())));
    return {bytes_.data() + end_, bytes_.size() - end_};
  }

  void commit(std::size_t size) {
    WEIR_ASSERT(size <= bytes_.size() - end_);
    end_ += size;
  }

  void consume(std::size_t size) {
    WEIR_ASSERT(size <= end_ - begin_);
    begin_ += size;
  }

 private:
  static constexpr std::size_t kFirst = 4096;
  std::size_t capacity_max_;
  std::vector<char> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace weir::net
