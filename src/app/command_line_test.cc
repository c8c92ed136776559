// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.h"

#include <vector>

#include <doctest/doctest.h>

#include "app/commands.h"
#include "app/exit_codes.h"

namespace weir::app {
namespace {

int run(std::vector<const char*> words) {
  words.insert(words.begin(), "weir");
  return run_command_line(static_cast<int>(words.size()), words.data());
}

TEST_CASE("what is not understood is wrong usage") {
  CHECK(run({}) == kExitUsage);
  CHECK(run({"flwo"}) == kExitUsage);
  CHECK(run({"flow"}) == kExitUsage);
  CHECK(run({"flow", "lst"}) == kExitUsage);
  CHECK(run({"flow", "get"}) == kExitUsage);
  CHECK(run({"flow", "list", "--srever", "x"}) == kExitUsage);
  CHECK(run({"flow", "list", "extra"}) == kExitUsage);
  CHECK(run({"flow", "list", "-o", "xml"}) == kExitUsage);
  CHECK(run({"audit", "list", "--limit", "1001"}) == kExitUsage);
  CHECK(run({"quarantine", "discard", "--yes"}) == kExitUsage);
  CHECK(run({"flow", "list", "--server", "ftp://nowhere"}) == kExitUsage);
  CHECK(run({"flow", "list", "--server", ""}) == kExitUsage);
  CHECK(run({"events", "--help"}) == kExitUsage);
  CHECK(run({"flow", "lst", "--help"}) == kExitUsage);
  CHECK(run({"help", "nothing"}) == kExitUsage);
}

TEST_CASE("global options are understood behind the command, in every form") {
  for (const char* format : {"table", "json", "jsonl", "yaml", "name"})
    CHECK(run({"version", "-o", format}) == kExitOk);
  CHECK(run({"-q", "version", "--color", "never"}) == kExitOk);
  CHECK(run({"flow", "--help"}) == kExitOk);
  CHECK(run({"help"}) == kExitOk);
  CHECK(run({"help", "flow", "list"}) == kExitOk);
  CHECK(run({"--version"}) == kExitOk);
}

TEST_CASE("paths and queries are percent-encoded") {
  CHECK(path_to("events", "github#42") == "/v1/events/github%2342");
  CHECK(path_to("events", "a/b?c", "explain") == "/v1/events/a%2Fb%3Fc/explain");
  CHECK(query_of({}) == "");
  CHECK(query_of({{"group", ""}, {"since", "15m"}, {"where", "{\"a\":1}"}}) ==
        "?since=15m&where=%7B%22a%22%3A1%7D");
}

}  // namespace
}  // namespace weir::app
