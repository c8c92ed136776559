// SPDX-License-Identifier: Apache-2.0
// A whole configuration: it loads, or every problem has a place; never both, and twice the same.
#include "config/version.h"
#include "input.h"
#include "whole_config.h"

WEIR_FUZZ_TARGET(text) {
  if (text.size() > 64 * 1024) return;
  weir::fuzz::load_whole(std::string(text));
  const std::vector<weir::config::SourceFile> file = {{"weir.yaml", std::string(text)}};
  WEIR_ASSERT(weir::config::diff_lines(file, file).empty());
}
