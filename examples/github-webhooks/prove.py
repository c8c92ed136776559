#!/usr/bin/env python3
"""Proves from the service's own database: every event applied exactly once per flow, and in order per key.

"In order" is the order in which the events of one subject were published, for the flow sync-issues; that the tickets
ended in the state that this order gives is checked beside it.
"""
import argparse
import sqlite3
import sys
from collections import defaultdict
from pathlib import Path

import github_events
import tickets
from ledger import TICKET_FIELDS

ORDERED_FLOW = "sync-issues"
FLOWS = (ORDERED_FLOW, "activity-feed")
SHOWN = 20


def prove(db, events):
    """(table rows, violations); `events` are the published ones, in order."""
    rows, violations = [], []
    published = {event["id"] for event in events}
    for flow in FLOWS:
        expected = [event for event in events if flow in github_events.flows_of(event["type"])]
        history = read_history(db, flow)
        found = once_violations(flow, expected, history, published)
        order = "-"
        if flow == ORDERED_FLOW:
            found += order_violations(flow, expected, history)
            order = str(len({event.get("subject") for event in expected}))
        others = sum(event_id not in published for event_id in history)
        calls = sum(history[event["id"]]["calls"] for event in expected if event["id"] in history)
        once = sum(history.get(event["id"], {}).get("applied") == 1 for event in expected)
        rows.append((flow, len(expected), calls, once, order, len(found), others))
        violations += found
    if not violations and rows[0][-1] == 0:
        violations += ticket_violations(db, events)
    return rows, violations


def read_history(db, flow):
    """What the log and the counters say of each event id."""
    history = {}
    for event_id, calls, applied, keys, first in db.execute(
            "SELECT event_id, count(*), sum(applied), count(DISTINCT key), min(CASE WHEN applied THEN n END)"
            " FROM log WHERE flow = ? GROUP BY event_id", (flow,)):
        history[event_id] = {"calls": calls, "applied": applied, "keys": keys, "first": first, "counted": (0, 0)}
    for event_id, calls, applications in db.execute(
            "SELECT event_id, sum(calls), sum(applications) FROM received WHERE flow = ? GROUP BY event_id", (flow,)):
        history[event_id]["counted"] = (calls, applications)
    return history


def once_violations(flow, expected, history, published):
    found = []
    for event in expected:
        seen = history.get(event["id"])
        if seen is None:
            found.append(f"{flow}: {event['id']} never arrived")
        elif seen["applied"] != 1:
            found.append(f"{flow}: {event['id']} was applied {seen['applied']} times in {seen['calls']} calls")
        elif seen["keys"] != 1:
            found.append(f"{flow}: {event['id']} came under {seen['keys']} different idempotency keys")
        elif seen["counted"] != (seen["calls"], seen["applied"]):
            found.append(f"{flow}: {event['id']} has counters {seen['counted']}, but its log says otherwise")
    wrong = published.intersection(history) - {event["id"] for event in expected}
    return found + [f"{flow}: {event_id} does not belong to this flow" for event_id in sorted(wrong)]


def order_violations(flow, expected, history):
    by_subject = defaultdict(list)
    for event in expected:
        if history.get(event["id"], {}).get("first") is not None:
            by_subject[event.get("subject")].append((history[event["id"]]["first"], event["id"]))
    return [f"{flow}: key {subject}: {later[1]} (log {later[0]}) was applied before {earlier[1]} (log {earlier[0]})"
            for subject, applied in by_subject.items() for earlier, later in zip(applied, applied[1:])
            if later[0] < earlier[0]]


def ticket_violations(db, events):
    wanted = defaultdict(dict)
    for event in events:
        if ORDERED_FLOW in github_events.flows_of(event["type"]):
            ticket, fields = tickets.sync_ticket(event["data"], version=2)
            wanted[ticket] |= fields | {"last_event_id": event["id"]}
    columns = (*TICKET_FIELDS, "last_event_id")
    rows = {row[0]: row[1:] for row in db.execute(f"SELECT ticket, {', '.join(columns)} FROM tickets")}
    return [f"ticket {ticket} is not in the state that its last event left it in"
            for ticket, fields in wanted.items() if rows.get(ticket) != tuple(fields.get(name) for name in columns)]


def print_table(rows):
    head = ("flow", "events", "calls", "applied once", "keys in order", "violations", "other events")
    table = [head] + [tuple(str(cell) for cell in row) for row in rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for row in table:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells))


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--db", required=True, help="the service's SQLite file; opened read-only")
    parser.add_argument("--package", default=github_events.DEFAULT_PACKAGE, help="default %(default)s")
    parser.add_argument("--prefix", default="", help="as it was given to publish.py")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="as it was given to publish.py")
    parser.add_argument("--limit", type=int, metavar="N", help="as it was given to publish.py")
    return parser.parse_args(arguments)


def main(arguments=None):
    chosen = parse_arguments(arguments)
    try:
        examples = github_events.load_examples(chosen.package)
        events = list(github_events.events(examples, chosen.prefix, chosen.repeat))[:chosen.limit]
        db = sqlite3.connect(Path(chosen.db).resolve().as_uri() + "?mode=ro", uri=True, isolation_level=None)
        db.execute("BEGIN")  # one snapshot, also while the service goes on working
        rows, violations = prove(db, events)
        db.close()
    except (github_events.PackageError, sqlite3.Error) as error:
        print(f"prove: {chosen.db}: {error}" if isinstance(error, sqlite3.Error) else f"prove: {error}", file=sys.stderr)
        return 2
    print_table(rows)
    for violation in violations[:SHOWN]:
        print(f"VIOLATION  {violation}")
    if len(violations) > SHOWN:
        print(f"... and {len(violations) - SHOWN} more")
    print("NOT PROVED" if violations else
          "PROVED: every event was applied exactly once per flow, and in order per key")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
