// SPDX-License-Identifier: Apache-2.0
#include "policy/stack_trace.h"

#include "policy/testing/property.h"

namespace weir::policy {
namespace {

struct Case {
  const char* name;
  const char* body;
  Thrown wanted;
};

const Case kCases[] = {
    {"python",
     "Traceback (most recent call last):\n"
     "  File \"/usr/lib/python3.11/http/server.py\", line 432, in handle\n"
     "    method()\n"
     "  File \"/app/service.py\", line 41, in sync_ticket\n"
     "    repository = payload['repository']\n"
     "                 ~~~~~~~^^^^^^^^^^^^^^\n"
     "  File \"/venv/lib/python3.11/site-packages/lib.py\", line 3, in get\n"
     "    raise KeyError(name)\n"
     "KeyError: 'repository'\n",
     {"KeyError", "service.py:sync_ticket"}},
    {"python, an exception during an exception",
     "Traceback (most recent call last):\n  File \"/app/a.py\", line 1, in f\n    x\nKeyError: "
     "1\n\n"
     "During handling of the above exception, another exception occurred:\n\n"
     "Traceback (most recent call last):\n  File \"/app/b.py\", line 9, in g\n    y\n"
     "app.errors.Stop\n",
     {"app.errors.Stop", "b.py:g"}},
    {"python in JSON",
     R"({"error":"Traceback (most recent call last):\n)"
     R"(  File \"/app/service.py\", line 41, in sync\n    x\nKeyError: 'r'"})",
     {"KeyError", "service.py:sync"}},
    {"java",
     "java.lang.IllegalStateException: no session\n"
     "\tat java.base/java.util.Objects.requireNonNull(Objects.java:233)\n"
     "\tat com.acme.Sync.run(Sync.java:12)\n"
     "\tat com.acme.Main.main(Main.java:3)\n",
     {"java.lang.IllegalStateException", "Sync.java:run"}},
    {"java, with a cause",
     "java.lang.RuntimeException: wrapped\n\tat com.acme.Main.main(Main.java:3)\n"
     "Caused by: java.sql.SQLException: gone\n\tat org.postgresql.Driver.x(Driver.java:1)\n"
     "\tat com.acme.Db.query(Db.java:7)\n\t... 1 more\n",
     {"java.sql.SQLException", "Driver.java:x"}},
    {"javascript",
     "TypeError: Cannot read properties of undefined (reading 'id')\n"
     "    at Layer.handle (/app/node_modules/express/lib/router/layer.js:95:5)\n"
     "    at async syncTicket (/app/src/service.js:10:5)\n"
     "    at node:internal/process/task_queues:95:5\n",
     {"TypeError", "service.js:syncTicket"}},
    {"javascript without a function",
     "RangeError: x\n    at file:///app/main.mjs:3:1\n",
     {"RangeError", "main.mjs"}},
    {"dotnet",
     "System.NullReferenceException: Object reference not set\n"
     "   at System.Linq.Enumerable.First(IEnumerable`1 source)\n"
     "   at Acme.Sync.Run(String name, Int32 n) in /src/Sync.cs:line 12\n",
     {"System.NullReferenceException", "Sync.cs:Run"}},
    {"go",
     "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\n"
     "runtime.gopanic({0x1, 0x2})\n\t/usr/local/go/src/runtime/panic.go:770 +0x132\n"
     "main.(*Server).sync(0xc000)\n\t/app/main.go:12 +0x1d\n",
     {"panic: runtime error: index out of range [<n>] with length <n>",
      "main.go:main.(*Server).sync"}},
    {"ruby",
     "/app/sync.rb:12:in `run': undefined method `id' for nil (NoMethodError)\n"
     "\tfrom /app/main.rb:3:in `<main>'\n",
     {"NoMethodError", "sync.rb:run"}},
    {"php",
     "PHP Fatal error:  Uncaught TypeError: bad in /app/sync.php:12\nStack trace:\n"
     "#0 /app/vendor/x/y.php(3): z()\n#1 /app/sync.php(12): sync()\n#2 {main}\n",
     {"TypeError", "sync.php:sync"}},
    {"rust",
     "thread 'main' panicked at src/main.rs:12:5:\nindex out of bounds\n",
     {"panic", "main.rs"}},
    {"only library frames",
     "ValueException: x\n\tat java.util.List.get(List.java:1)\n\tat "
     "java.util.Map.get(Map.java:2)\n",
     {"ValueException", "List.java:get"}},
};
TEST_CASE("type and innermost frame of our own code") {
  for (const auto& row : kCases) {
    CAPTURE(row.name);
    const auto thrown = find_thrown(row.body);
    REQUIRE(thrown);
    CHECK(thrown->type == row.wanted.type);
    CHECK(thrown->frame == row.wanted.frame);
  }
}

TEST_CASE("without a frame or a type there is nothing thrown") {
  for (const char* body :
       {"", "KeyError: 'x'", "an Error happened", R"({"error":"ValidationError: name"})",
        "at lunch (12:30)", "Traceback (most recent call last):\nKeyError: 1\n",
        "    at foo (/app/x.js:1:1)\n", "<html><body>500</body></html>",
        "TypeError: x\n    at a:1/\n"}) {  // the last: fuzz corpus answer-text/frame-of-nothing
    CAPTURE(body);
    CHECK_FALSE(find_thrown(body));
  }
}

TEST_CASE("the line number is not part of the place") {
  const std::string head = "TypeError: x\n    at f (/app/a.js:";
  CHECK(find_thrown(head + "1:1)\n") == find_thrown(head + "200:17)\n"));
}

TEST_CASE("total over arbitrary bytes, and over damaged traces") {
  const std::string trace =
      "Traceback (most recent call last):\n  File \"/app/a.py\", line 1, in f\n    x\nKeyError: 1\n"
      "\tat com.acme.Db.query(Db.java:7)\n   at A.B(x) in /s.cs:line 1\n/app/m.go:1 +0x1\n"
      "#0 /a.php(1): f()\n/a.rb:1:in `x'\npanicked at s.rs:1:1\nCaused by: E\n";
  CHECK(testing::holds("stack trace is total", [&](const std::string& noise, std::uint16_t at) {
    std::string damaged = trace;
    damaged.insert(at % damaged.size(), noise);
    damaged.erase((at * 7u) % damaged.size(), at % 13);
    (void)find_thrown(noise);
    (void)find_thrown("{" + damaged);
    if (const auto thrown = find_thrown(damaged)) RC_ASSERT(!thrown->type.empty());
  }));
}

}  // namespace
}  // namespace weir::policy
