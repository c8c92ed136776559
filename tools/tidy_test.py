#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of tidy.py, on small trees: it fires where it should, and nowhere else."""

import tempfile
import unittest
from pathlib import Path

import reliability
import tidy

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
TABLE = """
# weir_module(commented DEPS out)
weir_module(base)
weir_module(model DEPS base)
weir_module(async DEPS base)
weir_module(policy DEPS model)
weir_module(ports DEPS model async)
weir_module(delivery DEPS policy ports TEST_DEPS store/memory)
weir_module(recovery DEPS policy ports)
weir_module(store/memory DEPS ports)
weir_module(net DEPS async)
weir_module(app DEPS delivery recovery
            store/memory net LIBS something)
"""

STAGES = """
stages: [{name: a, targets: [], run: x, table: {a.cuts: cuts, a.lies: never counted}}]
soak: {table: {}}
"""


class TidyCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("CMakeLists.txt", TABLE)
        self.write("docs/walk.md", "# The life of an event\n")
        self.write("docs/security.md", "".join(f"| SEC{row} | a | why not |\n" for row in range(1, 33)))
        self.write(reliability.STAGES, STAGES)
        self.write(reliability.COUNTERS, '{"a.cuts": 1200}\n')
        self.write(reliability.PAGE, reliability.with_table(
            reliability.BEGIN + reliability.END, reliability.table(self.root)))

    def write(self, path: str, text: str):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def write_cpp(self, path: str, body: str):
        """A file of src/ that breaks no other rule."""
        once = "#pragma once\n" if path.endswith(".h") else "\n"
        self.write(path, SPDX + once + body)
        self.write(str(Path(path).parent / "README.md"), "# A folder\n")

    def assert_found(self, *expected: str):
        """Exactly these findings, each as `path:line: rule`."""
        found = [f"{f.path}:{f.line}: {f.rule}" for f in tidy.findings(self.root, excused={})]
        self.assertEqual(sorted(found), sorted(expected))


class Tiers(TidyCase):
    def test_listed_and_transitive_includes_are_fine(self):
        body = '#include "policy/retry.h"\n#include "base/ids.h"\n#include "delivery/settle.h"\n'
        self.write_cpp("src/delivery/settle.cc", body)
        self.assert_found()

    def test_an_unlisted_include_is_found_with_its_line(self):
        self.write_cpp("src/model/event.cc", '#include "policy/retry.h"\n')
        self.assert_found("src/model/event.cc:3: tier")

    def test_only_tests_may_use_test_deps(self):
        self.write_cpp("src/delivery/settle_test.cc", '#include "store/memory/store.h"\n')
        self.write_cpp("src/delivery/settle.cc", '#include "store/memory/store.h"\n')
        self.assert_found("src/delivery/settle.cc:3: tier")

    def test_an_include_in_a_comment_or_a_string_does_not_count(self):
        body = '// #include "net/http.h"\n/*\n#include "net/http.h"\n*/\n'
        body += 'const char* text = R"(\n#include "net/http.h"\n)";\n'
        self.write_cpp("src/model/event.cc", body)
        self.assert_found()

    def test_includes_are_relative_to_src(self):
        self.write_cpp("src/model/event.cc", '#include "event.h"\n')
        self.assert_found("src/model/event.cc:3: tier")

    def test_a_folder_that_is_no_module(self):
        self.write("src/extra/thing.cc", SPDX)
        self.assert_found("src/extra/thing.cc:1: tier")

    def assert_table(self, table: str, message: str):
        self.write("CMakeLists.txt", table)
        found = tidy.findings(self.root, excused={})
        self.assertIn(message, [f.message for f in found])

    def test_no_dependency_points_upwards(self):
        table = "weir_module(base DEPS net)\nweir_module(net)\n"
        self.assert_table(table, "base: tier 0 must not depend on net, tier 4")

    def test_no_cycles(self):
        table = "weir_module(model DEPS wire)\nweir_module(wire DEPS model)\n"
        self.assert_table(table, "model: depends on itself, through wire")

    def test_unknown_dependency_and_unknown_tier(self):
        self.assert_table("weir_module(base DEPS nothing)", "base: depends on nothing, which is no module")
        self.assert_table("weir_module(extra)", "extra: has no tier in tools/tidy_rules/tiers.py")

    def test_delivery_and_recovery_never_meet(self):
        table = "weir_module(delivery DEPS effects)\nweir_module(effects DEPS recovery)\nweir_module(recovery)\n"
        self.assert_table(table, "delivery: must never meet recovery")

    def test_siblings_never_meet(self):
        table = "weir_module(handlers/http)\nweir_module(handlers/grpc DEPS handlers/http)\n"
        self.assert_table(table, "handlers/grpc: must never meet handlers/http")

    def test_sim_never_reaches_net(self):
        table = "weir_module(net)\nweir_module(telemetry DEPS net)\nweir_module(sim DEPS telemetry)\n"
        self.assert_table(table, "sim: must never meet net")


class Headers(TidyCase):
    def test_every_file_begins_with_its_licence_and_headers_with_pragma_once(self):
        self.write_cpp("src/base/ids.h", "")
        self.write("src/base/rng.h", "// Random numbers.\n" + SPDX)
        self.assert_found("src/base/rng.h:1: pragma-once", "src/base/rng.h:1: spdx")

    def test_third_party_headers_stay_in_cc_files_of_edge_folders(self):
        self.write_cpp("src/store/memory/store.cc", "#include <sqlite3.h>\n#include <vector>\n")
        self.write_cpp("src/store/memory/store.h", "#include <sqlite3.h>\n")
        self.write_cpp("src/policy/retry.cc", "#include <boost/json.hpp>\n#include <fmt/core.h>\n")
        self.assert_found(
            "src/policy/retry.cc:3: third-party", "src/store/memory/store.h:3: third-party"
        )

    def test_async_headers_may_use_the_small_asio_core(self):
        self.write_cpp("src/async/task.h", "#include <boost/asio/awaitable.hpp>\n")
        self.write_cpp("src/async/timer.h", "#include <boost/asio/steady_timer.hpp>\n")
        self.assert_found("src/async/timer.h:3: third-party")

    def test_beast_and_sockets(self):
        self.write_cpp("src/net/http_client.cc", "#include <boost/beast/http.hpp>\n")
        self.write_cpp("src/net/tls.cc", "#include <boost/beast/core.hpp>\n#include <boost/asio/ssl.hpp>\n")
        self.write_cpp("src/app/main.cc", "#include <sys/socket.h>\n")
        self.assert_found("src/app/main.cc:3: third-party", "src/net/tls.cc:3: third-party")

    def test_test_frameworks_stay_in_tests(self):
        self.write_cpp("src/base/rng_test.cc", "#include <doctest/doctest.h>\n")
        self.write_cpp("src/ports/testing/contract.cc", "#include <doctest/doctest.h>\n")
        self.write_cpp("src/base/rng.cc", "#include <rapidcheck.h>\n")
        self.write("src/ports/README.md", "# Ports\n")
        self.assert_found("src/base/rng.cc:3: third-party")


class Sizes(TidyCase):
    def test_file_and_line(self):
        self.write_cpp("src/base/long.cc", "\n" * 499 + "//" + "x" * 119 + "\n")
        self.assert_found("src/base/long.cc:501: file-size", "src/base/long.cc:502: line-length")

    def test_long_functions_are_found(self):
        lines = "  step();\n" * 69
        body = f"void Walk::run(int a) const {{\n{lines}}}\n"
        body += f"Walk::Walk(int a) : a_{{a}}, b_(a) {{\n{lines}}}\n"
        body += f"struct Inner {{\n  int x() {{\n{lines}  }}\n}};\n"
        body += f'TEST_CASE("a {{ brace") {{\n{lines}}}\n'
        self.write_cpp("src/base/walk.cc", body)
        self.assert_found(*(f"src/base/walk.cc:{n}: function-size" for n in (3, 74, 146, 218)))

    def test_long_things_that_are_no_functions(self):
        rows = "  {1, 2},\n" * 72
        members = "  int member = f(1);\n" * 72
        short = "inline int f(char c) {\n  return c == '{' ? 1'000 : 0;\n}\n" * 10
        body = f"namespace weir {{\nconstexpr std::array<Row, 80> rows = {{{{\n{rows}}}}};\n"
        body += f"const Table table = make({{\n{rows}}});\nstd::vector<Row> more{{\n{rows}}};\n"
        body += f"template <class T = void>\nclass Big final : public Small<T> {{\n{members}}};\n"
        body += f"enum class Kind : int {{\n{'  a,' * 3}\n}};\n{short}"
        body += f"/* void f() {{\n{rows} */\n}}  // namespace weir\n"
        self.write_cpp("src/base/table.cc", body)
        self.assert_found()

    def test_python(self):
        body = "    x = 1\n"
        self.write("tools/a.py", f"def short():\n{body * 69}\n\ndef long():\n{body * 70}")
        self.assert_found("tools/a.py:73: function-size")


class Bans(TidyCase):
    CALLS = {
        "clock": ["auto t = std::chrono::system_clock::now();", "auto t = time(nullptr);"],
        "random": ["std::random_device seed;", "int x = std::rand();", "srand(1);"],
        "environment": ['auto home = std::getenv("HOME");', 'setenv("A", "b", 1);'],
        "sleep": ["std::this_thread::sleep_for(1s);", "usleep(5);"],
        "socket": ["int fd = ::socket(AF_INET, SOCK_STREAM, 0);"],
        "output": ["std::cerr << 1;", "#include <iostream>"],
        "detached": ["co_spawn(executor, run(), asio::detached);"],
    }

    def test_each_call_is_found(self):
        for rule, calls in self.CALLS.items():
            for call in calls:
                with self.subTest(call):
                    self.write_cpp("src/policy/retry.cc", call + "\n")
                    self.assert_found(f"src/policy/retry.cc:3: {rule}")

    def test_not_in_strings_comments_or_members(self):
        body = '// std::getenv(\nauto s = "system_clock::now";\nx.time(); rng->rand(); c.sleep_until(t);\n'
        body += "Task<> sleep_until(MonoTime t);\nint runtime(int); brand(1);\nstd::random_shuffle(a);\n"
        self.write_cpp("src/policy/retry.cc", body)
        self.assert_found()

    def test_edges(self):
        self.write_cpp("src/async/clock.cc", "auto t = std::chrono::steady_clock::now();\n")
        self.write_cpp("src/app/main.cc", 'auto v = std::getenv("A"); std::random_device d;\n')
        self.write_cpp("src/net/listen.cc", "int fd = ::socket(AF_INET, SOCK_STREAM, 0);\n")
        self.write("bench/floor.cc", "auto t = std::chrono::steady_clock::now(); std::cout << 1;\n")
        self.assert_found()

    def test_no_test_sleeps(self):
        self.write("test/integration/serve_test.cc", "std::this_thread::sleep_for(1s);\n")
        self.assert_found("test/integration/serve_test.cc:1: sleep")

    def test_using_namespace_only_outside_headers(self):
        self.write_cpp("src/base/a.cc", "using namespace std::literals;\n")
        self.write_cpp("src/base/a.h", "\nusing namespace std;\n")
        self.assert_found("src/base/a.h:4: using-namespace")

    def test_no_locks_in_tiers_2_and_3(self):
        self.write_cpp("src/delivery/a.cc", "std::mutex lock;\n")
        self.write_cpp("src/net/a.cc", "std::mutex lock;\n")
        self.assert_found("src/delivery/a.cc:3: lock")

    def test_statement_expressions(self):
        body = "int a = ({ int b = f(); b; });\ncall({1, 2});\ncall({[] { return 1; }});\n"
        self.write_cpp("src/base/a.cc", body)
        self.assert_found("src/base/a.cc:3: statement-expression")


class Names(TidyCase):
    def test_words_that_say_nothing(self):
        bad = ["class FlowManager {};", "struct StoreInfo {};", "enum class RetryData { a };"]
        bad += ["using HttpContext = int;", "template <class T> struct Base {};", "class UtilBox;"]
        self.write_cpp("src/base/a.h", "\n".join(bad))
        self.assert_found(*(f"src/base/a.h:{line}: type-name" for line in range(3, 9)))

    def test_words_that_only_look_like_them(self):
        good = ["struct DataFolder {};", "struct Database;", "class Informed {};", "struct ssl_data;"]
        good += ["template <class Context>\nvoid f(struct FooData* x);", "// class Manager"]
        self.write_cpp("src/base/a.h", "\n".join(good))
        self.assert_found()

    def test_a_private_nested_pimpl_is_fine(self):
        self.write_cpp("src/base/a.h", "class Store {\n  struct Impl;\n};\n")
        self.write_cpp("src/base/a.cc", "struct Store::Impl {};\nclass StoreImpl {};\n")
        self.assert_found("src/base/a.cc:4: type-name")

    def test_paths(self):
        self.write("tools/util.py", "")
        self.write("test/common/a.py", "")
        self.write("test/common_words.py", "")
        self.assert_found("test/common/a.py:1: path-name", "tools/util.py:1: path-name")


class Docs(TidyCase):
    def test_the_walk(self):
        self.write_cpp("src/base/a.cc", "")
        self.write("docs/walk.md", "See `base/a.cc`, `src/base/a.cc` and `a/b`.\nThen `base/gone.cc`.\n")
        self.assert_found("docs/walk.md:2: walk")

    def test_the_walk_is_short(self):
        names = [f"base/f{n}.cc" for n in range(9)]
        for name in names:
            self.write_cpp(f"src/{name}", "")
        self.write("docs/walk.md", " ".join(f"`{name}`" for name in names[:8]))
        self.assert_found()
        self.write("docs/walk.md", " ".join(f"`{name}`" for name in names))
        self.assert_found("docs/walk.md:1: walk")

    def test_readmes(self):
        self.write("src/base/a.cc", SPDX)
        self.assert_found("src/base/README.md:1: readme")
        self.write("src/base/README.md", "line\n" * 26)
        self.assert_found("src/base/README.md:1: readme")
        self.write("src/base/README.md", "line\n" * 25)
        self.assert_found()
        self.write("src/base/README.md", "1. `a.cc`\n2. `gone.h`\n")
        self.assert_found("src/base/README.md:2: readme")

    def test_error_pages(self):
        self.write("src/base/README.md", "# base\n")
        rows = 'WEIR_ERROR(WR1001, a, "a")\nWEIR_ERROR(WR1002, b, "b")\n'
        self.write("src/base/error_codes.def", rows)
        self.write("docs/errors/WR1001.md", "")
        self.write("docs/errors/WR1003.md", "")
        self.assert_found(
            "src/base/error_codes.def:2: error-page", "docs/errors/WR1003.md:1: error-page"
        )

    def test_the_security_checklist(self):
        self.write_cpp("src/base/a_test.cc", 'TEST_CASE("a name") {}\n')
        rows = [f"| SEC{row} | a | `src/base/a_test.cc: a name` |\n" for row in range(1, 32)]
        rows[1] = "| SEC2 | a |  |\n"
        rows[2] = "| SEC3 | a | `src/base/a_test.cc: another name`, `src/base/a_test.cc` |\n"
        rows[3] = "| SEC4 | a | `src/base/gone_test.cc` |\n"
        self.write("docs/security.md", "".join(rows))
        self.assert_found(*(f"docs/security.md:{line}: security" for line in (1, 2, 3, 4)))
        (self.root / "docs/security.md").unlink()
        self.assert_found("docs/security.md:1: security")

    def test_the_table_of_counters(self):
        page = (self.root / reliability.PAGE).read_text(encoding="utf-8")
        self.assertIn("| 1,200 | cuts |", page)
        self.assertNotIn("never counted", page)
        self.write(reliability.PAGE, "`src/base/gone_test.cc`\n" + page.replace("1,200", "1,300"))
        self.assert_found(*(f"docs/reliability.md:{line}: reliability" for line in (1, 2)))
        self.write(reliability.PAGE, "no table\n")
        self.assert_found("docs/reliability.md:1: reliability")
        (self.root / reliability.PAGE).unlink()
        self.assert_found("docs/reliability.md:1: reliability")

    def test_readers_have_fuzz_targets_and_targets_have_corpora(self):
        reader = "Result<A> parse_a(std::string_view text);\n// parse_b(std::string_view text)\n"
        self.write_cpp("src/base/a.h", reader)
        self.write_cpp("src/base/b.h", "Result<B> decode_b(std::string_view bytes);\n")
        self.assert_found()  # no targets at all
        self.write("test/fuzz/fuzz_a.cc", SPDX + '#include "base/a.h"\n')
        self.write("test/fuzz/corpus/gone/1", "")
        self.assert_found("src/base/b.h:3: fuzz", "test/fuzz/fuzz_a.cc:1: fuzz", "test/fuzz/corpus/gone:1: fuzz")
        self.write("test/fuzz/corpus/a/1", "")
        self.write("test/fuzz/corpus/b/1", "")
        (self.root / "test/fuzz/corpus/gone/1").unlink()
        self.write("test/fuzz/fuzz_b.cc", SPDX + '#include "base/b.h"\n')
        self.assert_found()

    def test_excuses_only_shrink(self):
        self.write_cpp("src/delivery/a.cc", "std::mutex lock;\n")
        self.assertEqual(tidy.findings(self.root, {("lock", "src/delivery/a.cc"): "why"}), [])
        stale = tidy.findings(self.root, {("lock", "src/delivery/a.cc"): "", ("lock", "src/b.cc"): ""})
        self.assertEqual([f.rule for f in stale], ["excuse"])


if __name__ == "__main__":
    unittest.main()
