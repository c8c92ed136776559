# SPDX-License-Identifier: Apache-2.0
"""A plugin for nbdkit: a disk with a volatile cache, whose power goes. What was not flushed before is then on the image
or not, sector by sector, in any order.

nbdkit python volatile_disk.py image=FILE told=FILE cut_at=N seed=S    N counts writes and flushes; 0 = never; `told`
                                                                      gets how many there were
"""
import os
import random

API_VERSION = 2
SECTOR = 512


class Disk:
    """The image has what survives; `unsynced` what programs see beyond it, by sector and in order of writing."""

    def __init__(self):
        self.image = self.told = None
        self.cut_at = 0
        self.seed = 0
        self.operations = 0
        self.unsynced = {}

    def begin_operation(self):
        self.operations += 1
        os.pwrite(self.told, str(self.operations).encode(), 0)
        if self.operations == self.cut_at:
            self.cut_power()

    def cut_power(self):
        chance = random.Random(self.seed)
        kept = chance.random()  # from almost nothing to almost everything
        for sector, data in self.unsynced.items():
            if chance.random() < kept:
                os.pwrite(self.image, data, sector * SECTOR)
        os._exit(0)

    def read(self, offset, count):
        return b"".join(self.sector(at) for at in range(offset // SECTOR, (offset + count) // SECTOR))

    def sector(self, number):
        known = self.unsynced.get(number)
        return known if known is not None else os.pread(self.image, SECTOR, number * SECTOR)

    def write(self, offset, data):
        for at in range(0, len(data), SECTOR):
            self.unsynced[(offset + at) // SECTOR] = bytes(data[at:at + SECTOR])

    def flush(self):
        for sector, data in self.unsynced.items():
            os.pwrite(self.image, data, sector * SECTOR)
        self.unsynced.clear()


DISK = Disk()


# --- what nbdkit calls ---


def config(key, value):
    if key == "image":
        DISK.image = os.open(value, os.O_RDWR)
    elif key == "told":
        DISK.told = os.open(value, os.O_RDWR | os.O_CREAT, 0o600)
    elif key == "cut_at":
        DISK.cut_at = int(value)
    elif key == "seed":
        DISK.seed = int(value)
    else:
        raise RuntimeError(f"unknown parameter {key}")


def thread_model():
    import nbdkit  # there only inside nbdkit
    return nbdkit.THREAD_MODEL_SERIALIZE_ALL_REQUESTS


def open(_readonly):
    return DISK


def get_size(disk):
    return os.fstat(disk.image).st_size


def block_size(_disk):
    return (SECTOR, 4096, 1 << 25)


def can_flush(_disk):
    return True


def pread(disk, buffer, offset, _flags):
    buffer[:] = disk.read(offset, len(buffer))


def pwrite(disk, data, offset, _flags):
    disk.begin_operation()
    disk.write(offset, data)


def flush(disk, _flags):
    disk.begin_operation()
    disk.flush()
