// SPDX-License-Identifier: Apache-2.0
#include "app/terminal_text.h"

#include <doctest/doctest.h>

namespace weir::app {
namespace {

TEST_CASE("lines stay, and nothing in them moves the cursor") {
  CHECK(terminal_text("a\nb  c\n", false) == "a\nb  c\n");
  CHECK(terminal_text("ä 😀\n", false) == "ä 😀\n");
  CHECK(terminal_text("a\rb\tc\x7f", false) == "a\\u{d}b\\u{9}c\\u{7f}");
  CHECK(terminal_text("\x1b]0;title\x07", false) == "\\u{1b}]0;title\\u{7}");
  CHECK(terminal_text("\xC2\x9B"
                      "2J",
                      false) == "\\u{9b}2J");
  CHECK(terminal_text("a\xE2\x80\xAE"
                      "b\xE2\x80\x8B",
                      false) == "a\\u{202e}b\\u{200b}");
  CHECK(terminal_text("", false).empty());
}

TEST_CASE("only this program's own colours pass, and only where there are colours") {
  CHECK(terminal_text("\x1b[1mHEAD\x1b[0m\n", true) == "\x1b[1mHEAD\x1b[0m\n");
  CHECK(terminal_text("\x1b[1mHEAD\x1b[0m\n", false) == "\\u{1b}[1mHEAD\\u{1b}[0m\n");
  CHECK(terminal_text("\x1b[2J", true) == "\\u{1b}[2J");
  CHECK(terminal_text("\x1b[8m", true) == "\\u{1b}[8m");
  CHECK(terminal_text("\x1b\x1b[0m", true) == "\\u{1b}\x1b[0m");
  CHECK(terminal_text("\x1b", true) == "\\u{1b}");
}

}  // namespace
}  // namespace weir::app
