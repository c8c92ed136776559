// SPDX-License-Identifier: Apache-2.0
// What the command line says when something did not work, and the exit code that goes with it.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::app {

struct Refusal {
  std::string text;  // "error[WR1204]: ...", then "hint: ..."; printable, with a newline at the end
  int exit = 1;      // app/exit_codes.h
};

Refusal to_refusal(const Error& error, bool color = false);
// An answer of the API with a status of 400 or more: RFC 9457 with `code` and `hint`, or whatever
// else came.
Refusal to_refusal(int status, std::string_view body, bool color = false);
// `code` is empty if the answer had none.
int exit_of(int status, std::string_view code);
// Every line printable, the line breaks kept.
std::string printable_lines(std::string_view text);

}  // namespace weir::app
