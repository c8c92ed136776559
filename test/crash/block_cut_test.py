#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real binary on a real ext4 whose disk has a volatile cache (nbdkit, nbdfuse and a loop device), and the power goes.
What was flushed is there afterwards, of the rest some sectors; then the scenario goes on and every promise is checked.

usage: block_cut_test.py [--cuts N] [--seed S] [--json FILE]     WEIR_BINARY names the binary; needs root and /dev/fuse
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

from points import conclude, run_all
from reference_run import Died, ReferenceRun
from processes import wait_for  # found by way of reference_run

SKIPPED = 77
TOOLS = ("nbdkit", "nbdfuse", "losetup", "mkfs.ext4", "fusermount3")
PLUGIN = Path(__file__).with_name("volatile_disk.py")
IMAGE_BYTES = 64 << 20


def why_not():
    missing = [tool for tool in TOOLS if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if os.geteuid() != 0:
        return "only root can mount"
    for device in ("/dev/fuse", "/dev/loop-control"):
        if not os.path.exists(device):
            return f"there is no {device}"
    return None


def command(*words):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{words}: {done.stderr}")
    return done.stdout.strip()


class Machine:
    """A disk with a volatile cache, mounted at `place` until its power goes."""

    def __init__(self, folder, place, cut_at, seed):
        self.image, self.told, self.place = folder / "disk.img", folder / "told", place
        with self.image.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        command("mkfs.ext4", "-q", "-O", "^metadata_csum_seed", self.image)
        self.door, socket = folder / "disk", folder / "socket"
        self.door.touch()
        self.server = subprocess.Popen(["nbdkit", "-f", "-U", socket, "python", PLUGIN, f"image={self.image}",
                                        f"told={self.told}", f"cut_at={cut_at}", f"seed={seed}"])
        wait_for(socket.exists, 10, "nbdkit")
        self.fuse = subprocess.Popen(["nbdfuse", self.door, "--unix", socket], stderr=subprocess.DEVNULL)
        wait_for(lambda: self.door.stat().st_size == IMAGE_BYTES, 10, "nbdfuse")
        self.loop = command("losetup", "-f", "--show", self.door)
        place.mkdir()
        try:
            command("mount", self.loop, place)
        except RuntimeError:
            if self.has_power():
                raise

    def has_power(self):
        return self.server.poll() is None

    def operations(self):
        return int(self.told.read_text() or 0) if self.told.exists() else 0

    def lose_power(self):
        """What is left of the mounts goes away; the image is what the disk kept."""
        if self.fuse.poll() is not None:
            return
        if self.has_power():
            self.server.kill()
        self.server.wait()
        for words in (["umount", "-l", self.place], ["losetup", "-d", self.loop], ["fusermount3", "-u", "-z", self.door]):
            subprocess.run(list(map(str, words)), capture_output=True, check=False)
        self.fuse.terminate()
        self.fuse.wait(10)


def cut(folder, cut_at, seed):
    """One life that ends in a power cut, and the rest on what the disk kept. (operations, what went wrong)"""
    run = ReferenceRun(folder)
    machine = Machine(folder, run.data, cut_at, seed)
    mounted = False
    try:
        try:
            if machine.has_power():
                run.launch()
                run.drive()
        except (Died, RuntimeError, TimeoutError):
            if machine.has_power():
                raise
        operations = machine.operations()
        run.weir.kill_if_running()
        machine.lose_power()
        command("mount", "-o", "loop", machine.image, run.data)
        mounted = True
        run.crashes += 1
        return operations, run.finish()
    finally:
        run.end()
        machine.lose_power()
        if mounted:
            command("umount", run.data)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cuts", type=int, default=24)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--json")
    arguments = parser.parse_args()
    if reason := why_not():
        print(f"SKIPPED: NO POWER CUT AT BLOCK LEVEL WAS TRIED HERE: {reason}")
        return SKIPPED
    print(f"seed {arguments.seed}", flush=True)
    began = time.monotonic()
    results, found = run_all(cut, [("no cut but at the end", 0, arguments.seed)])
    chance = random.Random(arguments.seed)
    operations = next(iter(results.values())) or 1
    jobs = [(f"cut at {at} seed {seed}", at, seed) for at, seed in
            ((chance.randrange(1, operations + 1), chance.randrange(10**6)) for _ in range(arguments.cuts))]
    more, wrong = run_all(cut, jobs)
    counters = {"block.cuts": len(results) + len(more), "block.operations": operations,
                "block.failures": len(found + wrong), "block.seconds": round(time.monotonic() - began)}
    return conclude("power cuts at block level", counters, found + wrong, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
