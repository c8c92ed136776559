"""The tracker's SQLite file: what it was called for, what it applied, and the state that came of it."""
import sqlite3
import threading
from dataclasses import dataclass

TICKET_FIELDS = ("kind", "title", "state", "labels", "assignees", "requested_reviewers", "milestone", "draft", "merged",
                 "auto_merge", "updated_at")
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS received (
  key TEXT PRIMARY KEY, flow TEXT NOT NULL, event_id TEXT NOT NULL, type TEXT, subject TEXT,
  calls INTEGER NOT NULL, applications INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS feed (
  key TEXT PRIMARY KEY, event_id TEXT NOT NULL, time TEXT, place TEXT, actor TEXT, summary TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tickets (
  ticket TEXT PRIMARY KEY, {", ".join(TICKET_FIELDS)}, last_event_id TEXT, changes INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log (
  n INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, flow TEXT NOT NULL, event_id TEXT NOT NULL, subject TEXT,
  key TEXT NOT NULL, attempt INTEGER, replay TEXT, status INTEGER NOT NULL, applied INTEGER NOT NULL);
"""


@dataclass(frozen=True)
class Call:
    """One call of this service, as its headers tell it."""
    at: float  # seconds since 1970, when the call came in
    key: str
    flow: str
    event_id: str
    source: str
    type: str
    subject: str | None
    time: str | None
    attempt: int | None
    replay: str | None


class Ledger:
    def __init__(self, path):
        self.lock = threading.Lock()
        self.db = sqlite3.connect(path, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(SCHEMA)

    def apply(self, call, effect):
        """Runs `effect(ledger)` unless this key was applied before; the effect, the count and the log are one commit."""
        with self.lock, self.db:
            row = self.db.execute("SELECT applications FROM received WHERE key = ?", (call.key,)).fetchone()
            fresh = row is None or row[0] == 0
            if fresh:
                effect(self)
            self._record(call, 200, fresh)
        return fresh

    def refuse(self, call, status):
        """A call that was answered with a failure: counted, not applied."""
        with self.lock, self.db:
            self._record(call, status, False)

    def put_feed(self, call, entry):
        self.db.execute("INSERT OR REPLACE INTO feed VALUES (?, ?, ?, ?, ?, ?)",
                        (call.key, call.event_id, call.time, entry["place"], entry["actor"], entry["summary"]))

    def put_ticket(self, call, ticket, fields):
        self.db.execute("INSERT OR IGNORE INTO tickets (ticket, changes) VALUES (?, 0)", (ticket,))
        columns = "".join(f"{name} = :{name}, " for name in TICKET_FIELDS if name in fields)
        self.db.execute(f"UPDATE tickets SET {columns}last_event_id = :event_id, changes = changes + 1"
                        " WHERE ticket = :ticket", {**fields, "event_id": call.event_id, "ticket": ticket})

    def stats(self):
        with self.lock:
            flows = {flow: {"events": events, "calls": calls, "applied": applied, "notApplied": events - applied}
                     for flow, events, calls, applied in self.db.execute(
                         "SELECT flow, count(*), sum(calls), sum(applications) FROM received GROUP BY flow")}
            for flow, status, count in self.db.execute("SELECT flow, status, count(*) FROM log GROUP BY flow, status"):
                flows[flow].setdefault("answers", {})[str(status)] = count
            tickets = self.db.execute("SELECT count(*) FROM tickets").fetchone()[0]
        return {"flows": flows, "tickets": tickets}

    def close(self):
        # The lock stays taken: a request that is still running must not find a closed database and answer 500.
        self.lock.acquire()
        self.db.close()

    def _record(self, call, status, applied):
        self.db.execute(
            "INSERT INTO received VALUES (?, ?, ?, ?, ?, 1, ?) ON CONFLICT (key) DO UPDATE SET"
            " calls = calls + 1, applications = applications + excluded.applications",
            (call.key, call.flow, call.event_id, call.type, call.subject, applied))
        self.db.execute(
            "INSERT INTO log (at, flow, event_id, subject, key, attempt, replay, status, applied)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            (call.at, call.flow, call.event_id, call.subject, call.key, call.attempt, call.replay, status, applied))
