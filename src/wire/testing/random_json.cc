// SPDX-License-Identifier: Apache-2.0
#include "wire/testing/random_json.h"

#include <array>
#include <set>
#include <string_view>

#include <fmt/format.h>

namespace weir::wire::testing {
namespace {

template <class Texts>
std::string_view pick(Rng& rng, const Texts& texts) {
  return texts[rng.below(texts.size())];
}

std::string blank(Rng& rng) {
  constexpr std::array<std::string_view, 6> kBlanks = {"", "", "", " ", "\n", "\r\n\t "};
  return std::string(pick(rng, kBlanks));
}

std::string number(Rng& rng) {
  std::string text = rng.below(3) == 0 ? "-" : "";
  text += rng.below(4) == 0 ? "0" : fmt::format("{}", 1 + rng.below(1'000'000'000'000));
  if (rng.below(3) == 0) text += fmt::format(".{:03}", rng.below(1000));
  constexpr std::array<std::string_view, 6> kExponents = {"e", "E", "e+", "e-", "E+", "E-"};
  if (rng.below(4) == 0) text += fmt::format("{}{}", pick(rng, kExponents), rng.below(30));
  return text;
}

std::string container(Rng& rng, int depth) {
  const bool object = rng.below(2) == 0;
  std::string text(object ? "{" : "[");
  std::set<std::string> names;
  const std::uint64_t size = rng.below(5);
  for (std::uint64_t i = 0; i < size; ++i) {
    // The index makes names differ, however their strings are spelled.
    std::string name = random_json_string(rng);
    name.insert(1, fmt::format("{}", i));
    if (i > 0) text += "," + blank(rng);
    if (object) text += name + blank(rng) + ":" + blank(rng);
    text += random_json(rng, depth - 1) + blank(rng);
  }
  if (size == 0) text += blank(rng);
  return text + (object ? "}" : "]");
}

}  // namespace

std::string random_json_string(Rng& rng) {
  constexpr std::array<std::string_view, 24> kPieces = {"a",
                                                        "Z",
                                                        "0",
                                                        " ",
                                                        "\\\"",
                                                        "\\\\",
                                                        "\\/",
                                                        "\\b",
                                                        "\\f",
                                                        "\\n",
                                                        "\\r",
                                                        "\\t",
                                                        "\\u00e4",
                                                        "\\u0000",
                                                        "\\u20AC",
                                                        "\\ud83d\\ude00",
                                                        "\\uDBFF\\uDFFF",
                                                        "ä",
                                                        "€",
                                                        "😀",
                                                        "\x7f",
                                                        "plain text of more than eight bytes",
                                                        "{[,:]}",
                                                        "\\u2028"};
  std::string text = "\"";
  for (std::uint64_t left = rng.below(6); left > 0; --left) text += pick(rng, kPieces);
  return text + "\"";
}

std::string random_json(Rng& rng, int depth) {
  constexpr std::array<std::string_view, 3> kWords = {"true", "false", "null"};
  if (depth > 0 && rng.below(2) == 0) return container(rng, depth);
  switch (rng.below(3)) {
    case 0: return random_json_string(rng);
    case 1: return number(rng);
    default: return std::string(pick(rng, kWords));
  }
}

std::string damaged(Rng& rng, std::string text) {
  constexpr std::string_view kBytes =
      "\"\\{}[]:,.0123456789-+eEtfnu \n\x01\x7f\x80\xc3\xe2\xf0\xff";
  for (std::uint64_t left = 1 + rng.below(3); left > 0; --left) {
    const std::size_t at = rng.below(text.size() + 1);
    switch (rng.below(4)) {
      case 0: text.insert(at, 1, kBytes[rng.below(kBytes.size())]); break;
      case 1: text = text.substr(0, at); break;
      case 2: text.erase(at, 1); break;
      default:
        if (at < text.size()) text[at] = kBytes[rng.below(kBytes.size())];
    }
  }
  return text;
}

}  // namespace weir::wire::testing
