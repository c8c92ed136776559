// SPDX-License-Identifier: Apache-2.0
#include "config/target_path.h"

#include <algorithm>

#include "wire/percent.h"

namespace weir::config {
namespace {

bool goes_up(std::string_view segment) {
  const auto decoded = wire::percent_decode(segment);
  return !decoded || *decoded == "." || *decoded == ".." || decoded->contains('/') ||
         decoded->contains('\\');
}

}  // namespace

bool is_target_path(std::string_view text) {
  const auto plain = [](char c) { return c > ' ' && c < 0x7F && c != '#'; };
  if (!text.starts_with('/') || !std::ranges::all_of(text, plain)) return false;
  std::string_view path = text.substr(0, text.find('?'));
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view segment = path.substr(0, path.find('/'));
    if (goes_up(segment)) return false;
    path.remove_prefix(segment.size());
  }
  return true;
}

}  // namespace weir::config
