# SPDX-License-Identifier: Apache-2.0
"""A full disk: ingest refuses, acks and operator actions go on, and it recovers by itself when there is room."""
import os
import shutil
import subprocess
import unittest
from pathlib import Path

import stub_handler as stub
from server import ServerCase, environment_binary, wait_for

CONFIG = """
streams: { s: { retention: 7d } }
dependencies:
  bad: { url: "{url}", policy: once }
  good: { url: "{url}" }
flows:
  refused:
    from: { stream: s, start: earliest }
    where: { type: [test], id: [wrong-1, wrong-2] }
    to: { http: { dependency: bad } }
    policy: once
  later:
    from: { stream: s, start: earliest }
    where: { id: [{ prefix: later }] }
    to: { http: { dependency: good } }
policies: { once: { retry: { maxAttempts: 1 } } }
"""
MIB = 1 << 20


def can_mount():
    done = subprocess.run(["unshare", "-r", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], check=False, capture_output=True)
    return done.returncode == 0


class DiskCase(ServerCase):
    def start(self, config, **options):
        """Two events in quarantine, one that waits in a paused flow."""
        self.handler = stub.StubHandler()
        self.addCleanup(self.handler.stop)
        for name in ("wrong-1", "wrong-2"):
            self.handler.script(name, *[stub.status(422)] * 3)
        self.weir = self.serve(config.replace("{url}", self.handler.url), **options)
        self.operate("flow", "pause", "later", "--reason", "test")
        self.kept = [self.publish(self.weir, name) for name in ("wrong-1", "wrong-2", "later-1")]
        wait_for(lambda: self.quarantined() == 2, 10, "two in quarantine")

    def operate(self, *arguments):
        done = self.weir.cli(*arguments)
        self.assertEqual(done.code, 0, f"{arguments}: {done}")

    def quarantined(self):
        flows = self.weir.request("GET", "/v1/flows").json["flows"]
        return next(flow["quarantined"] for flow in flows if flow["flow"] == "refused")

    def try_publish(self, event_id, data=b"{}"):
        answer = self.weir.request("POST", "/v1/streams/s/events", data, {
            "ce-specversion": "1.0", "ce-id": event_id, "ce-type": "test", "ce-source": "/test"})
        if answer.status == 201:
            self.kept.append(answer.json["results"][0]["ref"])
        return answer

    def assert_only_ingest_refused(self):
        answer = self.try_publish("refused")
        self.assert_problem(answer, 503, "WR1405", "space")
        self.assertTrue(answer.json["retryable"])
        self.assertGreaterEqual(int(answer.headers["retry-after"]), 1)
        self.operate("quarantine", "discard", "s#1", "--flow", "refused", "--reason", "test", "--yes")
        self.assertEqual(self.quarantined(), 1)
        self.operate("flow", "resume", "later", "--reason", "test")
        wait_for(lambda: self.state("s#3", "later") == "done", 10, "the acknowledgement")
        self.assertEqual(len(self.handler.calls_of("later-1")), 1)
        self.assert_kept(self.weir, self.kept)
        self.assert_logged("store.full", "error")
        wait_for(lambda: "storeFull" in self.alarms(), 10, "the alarm")

    def alarms(self):
        return [alarm["type"] for alarm in self.weir.request("GET", "/v1/status").json["alarms"]]

    def assert_logged(self, event, level):
        wait_for(lambda: self.weir.logged(event), 10, f"a line {event}")
        self.assertEqual([line["level"] for line in self.weir.logged(event)], [level])

    def state(self, reference, flow):
        path = f"/v1/events/{reference.replace('#', '%23')}/explain?flow={flow}"
        return self.weir.request("GET", path).json["deliveries"][0]["state"]

    def assert_recovers(self):
        wait_for(lambda: self.try_publish("later-2").status == 201, 20, "room for new events")
        wait_for(lambda: self.state(self.kept[-1], "later") == "done", 10, "its delivery")
        self.assert_kept(self.weir, self.kept)
        self.assert_logged("store.room", "info")
        wait_for(lambda: "storeFull" not in self.alarms(), 10, "the end of the alarm")
        wait_for(lambda: {"store.full", "store.room"} <= self.audited(), 10, "their entries")
        self.assertTrue(self.weir.running())

    def audited(self):
        return {entry["action"] for entry in self.weir.request("GET", "/v1/audit").json["entries"]}


class FullDisk(DiskCase):
    @unittest.skipUnless(shutil.which("unshare") and can_mount(), "a small disk cannot be mounted here")
    def test_no_space_left(self):
        (self.folder / "store").mkdir()
        small = 'mount -t tmpfs -o size=24m none "$0" && exec "$@"'
        command = ["unshare", "-r", "-m", "sh", "-c", small, str(self.folder / "store"), environment_binary(), "serve",
                   "--config", str(self.folder / "weir.yaml"), "--data", str(self.folder / "store")]
        self.start("limits: { diskFreeMin: 0B }\n" + CONFIG, command=command)
        disk = Path(f"/proc/{self.weir.process.pid}/root{self.folder}/store")
        filler = disk / "filler"
        with filler.open("wb") as file:
            space = os.statvfs(disk)
            os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - MIB)
        answers = (self.try_publish(f"x{number}", b"x" * 100_000).status for number in range(300))
        self.assertEqual(next(status for status in answers if status != 201), 503)
        self.assert_only_ingest_refused()
        filler.unlink()
        self.assert_recovers()


class LowSpace(DiskCase):
    def test_below_the_configured_minimum(self):
        """Needs no rights: the minimum is what is free beside a file that is taken away later."""
        filler = self.folder / "filler"
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 512 * MIB)
        space = os.statvfs(self.folder)
        free = space.f_bavail * space.f_frsize
        self.start(f"limits: {{ diskFreeMin: {free // MIB - 128}MiB }}\n" + CONFIG)
        more = self.folder / "more"
        with more.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 256 * MIB)
        wait_for(lambda: self.try_publish(f"x{len(self.kept)}").status == 503, 20, "the refusal")
        self.assert_only_ingest_refused()
        more.unlink()
        filler.unlink()
        self.assert_recovers()


if __name__ == "__main__":
    unittest.main()
