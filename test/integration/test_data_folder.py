# SPDX-License-Identifier: Apache-2.0
"""Data folders that cannot be served, each refused with its own words; store commands; how the server ends."""
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import threading
import unittest
from http.client import HTTPException

import stub_handler as stub
from server import Server, ServerCase, free_port, run_cli, wait_for

CONFIG = """
streams: { s: { retention: 7d } }
dependencies: { d: { url: "{url}" } }
flows: { one: { from: { stream: s, start: earliest }, to: { http: { dependency: d } } } }
"""
STORE_REFUSED = 75
UNSOUND = 8
PAGE = 8192


class FolderCase(ServerCase):
    """A store with three events, whose server has ended."""

    def setUp(self):
        super().setUp()
        self.weir = self.serve(CONFIG.replace("{url}", "http://127.0.0.1:9"))
        self.kept = [self.publish(self.weir, str(number), b'{"find": "me"}') for number in range(3)]

    def assert_refused(self, code, *texts, exit_code=STORE_REFUSED):
        """`weir serve` leaves at once, with these words."""
        done = run_cli("serve", "--config", self.weir.config, "--data", self.weir.data, timeout=20)
        self.assertEqual(done.code, exit_code, done)
        self.assertEqual(done.out, "", "it said that it was ready")
        self.assert_says(done.err, f"error[{code}]", *texts)

    def assert_serves(self):
        self.weir.start()
        self.assert_kept(self.weir, self.kept)

    def edit(self, statement, *values):
        with sqlite3.connect(self.weir.data / "weir.db") as database:
            self.assertGreaterEqual(abs(database.execute(statement, values).rowcount), 1)
        database.close()


class Refused(FolderCase):
    def test_in_use_by_another_process(self):
        other = Server(self.folder, CONFIG.replace("{url}", "http://127.0.0.1:9"), port=free_port())
        self.assert_refused("WR1401", f"process {self.weir.process.pid}", "another data folder")
        self.assertFalse(other.running())
        self.assert_kept(self.weir, self.kept)

    def test_free_again_after_a_crash(self):
        self.weir.kill()
        self.assert_serves()

    def test_from_a_newer_format_or_an_older(self):
        self.weir.stop()
        self.edit("PRAGMA user_version=99")
        self.assert_refused("WR1402", "format 99", "hint: ")
        self.edit("PRAGMA user_version=1")
        self.assert_refused("WR1408", "format 1", "hint: ")
        self.edit("PRAGMA user_version=7")
        self.assert_serves()

    def test_a_file_in_place_of_the_folder(self):
        self.weir.stop()
        self.weir.data.rename(self.folder / "aside")
        self.weir.data.write_text("not a folder")
        self.assert_refused("WR1404", str(self.weir.data), "hint: ")
        self.weir.data.unlink()
        (self.folder / "aside").rename(self.weir.data)
        self.assert_serves()

    def test_a_folder_in_place_of_the_database(self):
        self.weir.stop()
        database = self.weir.data / "weir.db"
        database.rename(self.folder / "aside.db")
        database.mkdir()
        self.assert_refused("WR1404", "weir.db")
        database.rmdir()
        (self.folder / "aside.db").rename(database)
        self.assert_serves()

    @unittest.skipIf(os.geteuid() == 0, "permissions do not stop root")
    def test_no_permission(self):
        self.weir.stop()
        self.weir.data.chmod(0)
        self.assert_refused("WR1404", str(self.weir.data), "permissions")
        self.weir.data.chmod(0o700)
        self.assert_serves()

    def test_a_parent_that_takes_no_folder(self):
        done = run_cli("serve", "--config", self.weir.config, "--data", "/proc/nowhere/store")
        self.assertEqual(done.code, STORE_REFUSED, done)
        self.assert_says(done.err, "error[WR1404]", "/proc/nowhere")

    def test_a_database_that_is_none(self):
        self.weir.stop()
        database = self.weir.data / "weir.db"
        good = database.read_bytes()
        database.write_bytes(b"x" * len(good))
        self.assert_refused("WR1403", "weir.db", "restore")
        database.write_bytes(b"")
        self.assert_refused("WR1403", "is empty")
        database.unlink()
        self.assert_refused("WR1403", "is missing")
        database.write_bytes(good[:len(good) // 2])
        self.assert_refused("WR1403", "weir.db")
        self.assertEqual(database.stat().st_size, len(good) // 2)
        database.write_bytes(good)
        self.assert_serves()

    def test_a_page_that_is_torn(self):
        self.weir.stop()
        database = self.weir.data / "weir.db"
        good = database.read_bytes()
        page = good.rindex(b'{"find": "me"}') // PAGE * PAGE
        database.write_bytes(good[:page] + bytes(16) + good[page + 16:])
        self.assert_refused("WR1403", "weir.db", "restore")
        done = run_cli("store", "check", "--data", self.weir.data)
        self.assertEqual(done.code, UNSOUND, done)
        self.assert_says(done.out, "The store is damaged: 1 problem.")
        database.write_bytes(good)
        self.assert_serves()

    def test_a_port_in_use(self):
        self.weir.stop()
        with socket.create_server(("127.0.0.1", self.weir.port)):
            self.assert_refused("WR1601", f"127.0.0.1:{self.weir.port}", "choose another address", exit_code=1)
        self.assert_serves()


class Damaged(FolderCase):
    def test_a_flipped_byte_in_a_record_is_found_and_named(self):
        self.weir.stop()
        self.edit("UPDATE events SET record = CAST(replace(record, CAST('me' AS BLOB), CAST('mE' AS BLOB)) AS BLOB) "
                  "WHERE pos = (SELECT min(pos) FROM events)")
        done = run_cli("store", "check", "--data", self.weir.data, "-o", "json")
        self.assertEqual(done.code, UNSOUND, done)
        report = json.loads(done.out)
        self.assertFalse(report["sound"])
        self.assertEqual(report["problemsTotal"], 1)
        self.assert_says(report["problems"][0], "event", "#1", "damaged")
        told = run_cli("store", "check", "--data", self.weir.data)
        self.assertEqual(told.code, UNSOUND)
        self.assert_says(told.out, report["problems"][0], "damaged: 1 problem")

    def test_a_damaged_event_is_never_delivered_or_shown(self):
        self.weir.stop()
        with stub.StubHandler() as handler:
            self.edit("UPDATE events SET record = CAST(replace(record, CAST('me' AS BLOB), CAST('mE' AS BLOB)) "
                      "AS BLOB) WHERE pos = (SELECT min(pos) FROM events)")
            self.weir.write_config(CONFIG.replace("{url}", handler.url))
            self.weir.launch()
            wait_for(lambda: not self.weir.running() or "WR1403" in self.weir.output.read_text(), 20, "the damage")
            self.assertEqual(handler.calls_of("0"), [])
        self.assert_says(self.weir.output.read_text(), "WR1403", "checksum")


class StoreCommands(FolderCase):
    def test_beside_a_running_server_and_after_it(self):
        backup = self.folder / "live.backup"
        for state in ("live", "stopped"):
            info = run_cli("store", "info", "--data", self.weir.data, "-o", "json")
            self.assertEqual(info.code, 0, info)
            self.assertEqual((json.loads(info.out)["format"], json.loads(info.out)["quarantined"]), (7, 0))
            self.assert_says(info.out, "s: 3 events", "one: ")
            check = run_cli("store", "check", "--data", self.weir.data, "-o", "json")
            self.assertEqual(check.code, 0, check)
            self.assertEqual((json.loads(check.out)["sound"], json.loads(check.out)["events"]), (True, 3))
            done = run_cli("store", "backup", "--data", self.weir.data, self.folder / f"{state}.backup")
            self.assertEqual(done.code, 0, done)
            if state == "live":
                self.assert_kept(self.weir, self.kept)
                self.weir.stop()
        self.restore(backup)
        self.restore(self.folder / "stopped.backup")

    def restore(self, backup):
        folder = self.folder / f"{backup.stem}-restored"
        done = run_cli("store", "restore", "--data", folder, backup)
        self.assertEqual(done.code, 0, done)
        self.assertEqual(run_cli("store", "check", "--data", folder).code, 0)
        shutil.rmtree(self.weir.data)
        folder.rename(self.weir.data)
        self.assert_serves()
        self.publish(self.weir, f"after-{backup.stem}")
        self.weir.stop()

    def test_nothing_is_overwritten(self):
        backup = self.folder / "backup"
        self.assertEqual(run_cli("store", "backup", "--data", self.weir.data, backup).code, 0)
        again = run_cli("store", "backup", "--data", self.weir.data, backup)
        self.assertEqual(again.code, 2, again)
        self.assert_says(again.err, str(backup), "exists", "another file name")
        over_live = run_cli("store", "restore", "--data", self.weir.data, backup)
        self.assert_says(over_live.err, "WR1401")
        self.weir.stop()
        over_stopped = run_cli("store", "restore", "--data", self.weir.data, backup)
        self.assertNotEqual(over_stopped.code, 0, over_stopped)
        self.assert_says(over_stopped.err, str(self.weir.data), "hint: ")
        self.assert_serves()

    def test_a_backup_that_is_none(self):
        backup = self.folder / "backup"
        backup.write_bytes(b"no database" * 1000)
        done = run_cli("store", "restore", "--data", self.folder / "new", backup)
        self.assertNotEqual(done.code, 0)
        self.assert_says(done.err, "WR1403", str(backup))
        self.assertFalse((self.folder / "new/weir.db").exists())

    def test_a_folder_without_a_store(self):
        for command in ("check", "info"):
            done = run_cli("store", command, "--data", self.folder / "absent")
            self.assertNotEqual(done.code, 0)
            self.assert_says(done.err, "WR1404", "absent")
        self.assertFalse((self.folder / "absent").exists())


class PrivateFiles(ServerCase):
    """Under any umask of whoever starts it."""

    def run_cli(self, *arguments):
        done = run_cli(*arguments, umask=0o022)
        self.assertEqual(done.code, 0, done)

    def assert_private(self, path):
        for found in (path, *path.rglob("*")):
            self.assertEqual(found.stat().st_mode & 0o077, 0, found)

    def test_nobody_else_reads_what_is_made(self):
        weir = self.serve(CONFIG.replace("{url}", "http://127.0.0.1:9"), umask=0o022)
        self.publish(weir, "one")
        self.assertTrue((weir.data / "weir.db").exists())
        self.assert_private(weir.data)
        self.assertEqual(weir.logged("store.open_folder"), [])
        backup, restored = self.folder / "backup", self.folder / "restored"
        self.run_cli("store", "backup", "--data", weir.data, backup)
        self.run_cli("store", "restore", "--data", restored, backup)
        self.assert_private(backup)
        self.assert_private(restored)

    def test_a_wider_folder_is_left_and_told(self):
        (self.folder / "store").mkdir(mode=0o755)
        weir = self.serve(CONFIG.replace("{url}", "http://127.0.0.1:9"), umask=0o022)
        self.assertEqual(weir.data.stat().st_mode & 0o777, 0o755)
        wait_for(lambda: weir.logged("store.open_folder"), 10, "the warning")
        line, = weir.logged("store.open_folder")
        self.assertEqual(line["level"], "warning")
        self.assert_says(json.dumps(line), "0755", "chmod -R go=")


class Ending(ServerCase):
    def test_sigterm_lets_running_calls_end(self):
        with stub.StubHandler() as handler:
            called, go_on = threading.Event(), threading.Event()

            def answer(peer, call):
                called.set()
                return stub.when(go_on, stub.status(204))(peer, call)

            handler.default(answer)
            weir = self.serve(CONFIG.replace("{url}", handler.url))
            kept = [self.publish(weir, "slow")]
            self.assertTrue(called.wait(10))
            weir.process.terminate()
            wait_for(lambda: self.refuses(weir), 10, "refusing connections")
            self.assertTrue(weir.running(), "it left while a call was running")
            go_on.set()
            self.assertEqual(weir.process.wait(20), 0)
            weir.start()
            self.assert_kept(weir, kept)
            told = weir.request("GET", "/v1/events/s%231/explain?flow=one").json
            self.assertEqual(told["deliveries"][0]["state"], "done")
            self.assertEqual(len(handler.calls_of("slow")), 1)

    def refuses(self, weir):
        try:
            return weir.request("GET", "/readyz").status == 503
        except (OSError, HTTPException):
            return True

    def test_a_second_signal_ends_it_at_once(self):
        with stub.StubHandler() as handler:
            handler.default(stub.hang())
            weir = self.serve(CONFIG.replace("{url}", handler.url))
            kept = [self.publish(weir, "stuck")]
            wait_for(lambda: handler.calls_of("stuck"), 10, "the call")
            weir.process.terminate()
            wait_for(lambda: self.refuses(weir), 10, "refusing connections")
            weir.process.terminate()
            self.assertNotEqual(weir.process.wait(10), 0)
            weir.start()
            self.assert_kept(weir, kept)

    def test_the_reader_of_its_output_may_go_away(self):
        weir = Server(self.folder, CONFIG.replace("{url}", "http://127.0.0.1:9"), stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE)
        self.addCleanup(weir.kill_if_running)
        weir.start()
        weir.process.stdout.close()
        weir.process.stderr.close()
        for _ in range(3):
            answer = weir.request("POST", "/v1/config/reload", b"{}")  # is logged
            self.assertEqual(answer.status, 200, answer.text)
        kept = [self.publish(weir, "after")]
        self.assertTrue(weir.running())
        self.assert_kept(weir, kept)
        self.assertEqual(weir.stop(), 0)


class Memory(ServerCase):
    def test_the_status_promises_no_more_than_the_store_keeps(self):
        lasting = self.serve(CONFIG.replace("{url}", "http://127.0.0.1:9"))
        self.assertIn("on disk", lasting.request("GET", "/v1/status").json["durability"])
        command = [*lasting.command[:-1], ":memory:"]
        self.assertEqual(lasting.stop(), 0)
        passing = self.serve(CONFIG.replace("{url}", "http://127.0.0.1:9"), command=command)
        self.publish(passing, "kept in memory")
        told = passing.cli("status")
        self.assertEqual(told.code, 0, told)
        self.assertIn("in memory", told.out)
        self.assertNotIn("is on disk", told.out)


if __name__ == "__main__":
    unittest.main()
