# SPDX-License-Identifier: Apache-2.0
"""Ways in which the files of a data folder go bad at rest."""
import shutil
from dataclasses import dataclass
from pathlib import Path

PAGE = 8192
LOG_HEADER = 32
FRAME_HEADER = 24
DATABASE, LOG = "weir.db", "weir.db-wal"


@dataclass(frozen=True)
class Damage:
    """`kind` is flip (the byte at `at`), cut (to `at` bytes), zero or swap (a page with its neighbour), remove, or
    replace (by the file of that name in `at`)."""

    kind: str
    file: str
    at: object = None

    def __str__(self):
        return f"{self.kind} {self.file}" + ("" if self.at is None else f" {self.at}")

    def do(self, folder):
        path = folder / self.file
        if self.kind == "remove":
            path.unlink()
            return
        if self.kind == "replace":
            shutil.copy(Path(self.at) / self.file, path)
            return
        data = bytearray(path.read_bytes())
        if self.kind == "flip":
            data[self.at] ^= 1 << self.at % 8
        elif self.kind == "cut":
            del data[self.at:]
        elif self.kind == "zero":
            data[self.at:self.at + PAGE] = bytes(PAGE)
        else:
            one, other = data[self.at:self.at + PAGE], data[self.at + PAGE:self.at + 2 * PAGE]
            data[self.at:self.at + 2 * PAGE] = other + one
        path.write_bytes(data)


def flips_of_pages(size, start, head, chance, each):
    """Offsets in a file of blocks: all of the first one's header by itself, then some of each head and of each body."""
    offsets = []
    block = PAGE + head
    for first in range(start, size - block + 1, block):
        offsets += [first + chance.randrange(max(head, 12)) for _ in range(each)]
        offsets += [first + head + chance.randrange(PAGE) for _ in range(each)]
    return offsets


def damage_of(folder, older, chance, each, everything):
    """What is done to one folder: every byte of it, or of each page `each` bytes of its head and of its body. `older`
    has files of an earlier time."""
    sizes = {path.name: path.stat().st_size for path in folder.iterdir() if path.name not in ("lock", "reserve")}
    sizes.pop(LOG + "-shm", None), sizes.pop("weir.db-shm", None)
    done = [Damage("remove", name) for name in sizes]
    if older:
        done += [Damage("replace", name, str(older)) for name in (DATABASE, LOG)]
    for name, size in sizes.items():
        if size == 0:
            continue
        if everything or size < 40:
            offsets = range(size)
        elif name == DATABASE:
            offsets = [*range(100), *flips_of_pages(size, 0, 0, chance, each)]
        elif name == LOG:
            offsets = [*range(LOG_HEADER), *flips_of_pages(size, LOG_HEADER, FRAME_HEADER, chance, each)]
        else:
            offsets = chance.sample(range(size), min(size, 12))
        done += [Damage("flip", name, at) for at in sorted(set(offsets))]
        step = 1 if everything else max(size // 16, 1)
        done += [Damage("cut", name, at) for at in sorted({*range(0, size, step), size - 1})]
    pages = range(0, sizes[DATABASE] - PAGE, PAGE)
    return done + [Damage(kind, DATABASE, at) for kind in ("zero", "swap") for at in pages]
