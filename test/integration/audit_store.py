# SPDX-License-Identifier: Apache-2.0
"""The audit table of a stopped store, for those who would bend it: reads and writes its rows, checksums included."""
import sqlite3
import struct

POLYNOMIAL = 0x82F63B78  # CRC-32C, reflected


def crc32c(data, seed=0):
    value = seed ^ 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def seal(bound, payload):
    return b"\x01" + struct.pack("<I", crc32c(payload, crc32c(bound))) + payload


def row_key(number):
    return struct.pack("<q", number)


class AuditStore:
    """`with AuditStore(folder) as store`: what was done is committed at the end."""

    def __init__(self, folder):
        self.db = sqlite3.connect(folder / "weir.db")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.db.commit()
        self.db.close()

    def numbers(self):
        return [number for (number,) in self.db.execute("SELECT number FROM audit ORDER BY number")]

    def payload(self, number):
        ((record,),) = self.db.execute("SELECT record FROM audit WHERE number = ?", (number,))
        return record[5:]

    def put(self, number, payload):
        """As Weir would write it, with a checksum that fits."""
        self.db.execute("INSERT OR REPLACE INTO audit VALUES(?, ?)", (number, seal(row_key(number), payload)))

    def delete(self, number):
        self.db.execute("DELETE FROM audit WHERE number = ?", (number,))

    def head(self):
        ((record,),) = self.db.execute("SELECT record FROM meta WHERE CAST(key AS TEXT) = 'audit.head'")
        return record[5:].decode()

    def put_head(self, number, digest):
        self.db.execute("UPDATE meta SET record = ? WHERE CAST(key AS TEXT) = 'audit.head'",
                        (seal(b"audit.head", f"{number} {digest}".encode()),))
        self.db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'audit'", (number,))
