// SPDX-License-Identifier: Apache-2.0
#include "app/refusal.h"

#include <doctest/doctest.h>

#include "app/exit_codes.h"

namespace weir::app {
namespace {

TEST_CASE("a problem of the API becomes an error with its hint") {
  const Refusal refusal = to_refusal(
      404, R"({"title":"unknown flow","status":404,"detail":"unknown flow 'sync'","code":"WR1202",)"
           R"("hint":"did you mean 'synch'?"})");
  CHECK(refusal.text == "error[WR1202]: unknown flow 'sync'\nhint: did you mean 'synch'?\n");
  CHECK(refusal.exit == kExitNotFound);
  CHECK(to_refusal(409, R"({"title":"not possible","code":"WR1502"})").text ==
        "error[WR1502]: not possible\n");
}

TEST_CASE("every status has its exit code") {
  struct Case {
    int status;
    std::string_view code;
    int exit;
  };
  const Case cases[] = {
      {400, "WR1002", kExitUsage},       {422, "WR1501", kExitUsage},
      {422, "WR1503", kExitUsage},       {422, "WR1301", kExitFailed},
      {401, "", kExitNotAllowed},        {403, "", kExitNotAllowed},
      {404, "WR1204", kExitNotFound},    {409, "WR1502", kExitConflict},
      {412, "", kExitConflict},          {413, "WR1104", kExitFailed},
      {503, "WR1602", kExitUnreachable}, {503, "WR1405", kExitFailed},
      {500, "WR1001", kExitFailed},
  };
  for (const Case& one : cases) {
    CAPTURE(one.status);
    CAPTURE(one.code);
    CHECK(exit_of(one.status, one.code) == one.exit);
  }
}

TEST_CASE("an error of our own reads the same") {
  const Refusal refusal = to_refusal(
      Error{Code::server_unreachable, "127.0.0.1:8600: refused", "is Weir running?"});
  CHECK(refusal.text == "error[WR1602]: 127.0.0.1:8600: refused\nhint: is Weir running?\n");
  CHECK(refusal.exit == kExitUnreachable);
  CHECK(to_refusal(Error{Code::usage, "x", ""}, true).text ==
        "\x1b[1;31merror[WR1008]\x1b[0m: x\n");
}

TEST_CASE("an answer that is not Weir's is shown, cut and printable") {
  const Refusal refusal = to_refusal(502, "<html>\x1b[2J" + std::string(1000, 'x'));
  CHECK(
      refusal.text.starts_with("error: the server answered 502 Bad Gateway: <html>\\u{1b}[2Jxxx"));
  CHECK(refusal.text.size() < 500);
  CHECK(refusal.exit == kExitFailed);
}

TEST_CASE("line breaks stay, other control characters show") {
  CHECK(printable_lines("2 problems\nweir.yaml:7\x07\n") == "2 problems\nweir.yaml:7\\u{7}\n");
}

}  // namespace
}  // namespace weir::app
