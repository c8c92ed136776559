# SPDX-License-Identifier: Apache-2.0
"""What a data folder has stored, read past Weir: to tell whether damage changed anything."""
import hashlib
import shutil
import sqlite3
import struct
import tempfile
from contextlib import closing
from pathlib import Path

LOG_HEADER = 32
FRAME_HEADER = 24


def content_of(folder):
    """A hash over every row of every table; None if SQLite cannot read them all."""
    with tempfile.TemporaryDirectory(prefix="weir-look-") as copy:
        for name in ("weir.db", "weir.db-wal"):
            if (folder / name).exists():
                shutil.copy(folder / name, copy)
        try:
            with closing(sqlite3.connect(Path(copy) / "weir.db")) as db:
                db.text_factory = bytes
                return rows_of(db)
        except sqlite3.Error:
            return None


def rows_of(db):
    told = hashlib.sha256()
    schema = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
    for name, sql in schema:
        told.update(name + b"\0" + sql)
        for row in sorted(db.execute(f'SELECT * FROM "{name.decode()}"'), key=repr):
            told.update(repr(row).encode())
    return told.digest()


def commits_of(log):
    """Where each commit of a log ends, in bytes."""
    if len(log) < LOG_HEADER:
        return []
    page = struct.unpack_from(">I", log, 8)[0]
    ends = range(LOG_HEADER + FRAME_HEADER + page, len(log) + 1, FRAME_HEADER + page)
    return [end for end in ends if struct.unpack_from(">I", log, end - page - FRAME_HEADER + 4)[0] != 0]
