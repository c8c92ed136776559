#!/usr/bin/env python3
"""Publishes GitHub's webhook examples to a stream, as CloudEvents in batches."""
import argparse
import http.client
import json
import sys
import time
from urllib.parse import urlsplit

import github_events

BATCH_EVENTS = 50
BATCH_BYTES = 512 * 1024
TRIES = 10
WAIT_MAX = 10.0


class PublishError(Exception):
    pass


class Client:
    """One keep-alive connection to a stream's ingest."""

    def __init__(self, server, stream):
        url = urlsplit(server)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise PublishError(f"--server {server} is not an http:// or https:// URL")
        self.server = server
        self.path = f"{url.path.rstrip('/')}/v1/streams/{stream}/events"
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        self.connection = kind(url.hostname, url.port, timeout=30)

    def publish(self, body):
        """(status, body) of the answer; waits out 503 and broken connections, a few times."""
        for tried in range(1, TRIES + 1):
            try:
                self.connection.request("POST", self.path, body, {"Content-Type": "application/cloudevents-batch+json"})
                answer = self.connection.getresponse()
                text = answer.read()
            except ConnectionRefusedError:
                raise PublishError(f"nothing listens on {self.server}; is Weir running?")
            except (OSError, http.client.HTTPException) as error:
                # Sending again is safe: what was committed before the connection broke comes back as a duplicate.
                self.connection.close()
                reason, wait = f"{type(error).__name__}: {error}", back_off(tried)
            else:
                if answer.status != 503:
                    return answer.status, text
                reason, wait = "503", retry_after(answer, back_off(tried))
            if tried < TRIES:
                time.sleep(wait)
        raise PublishError(f"{self.server} still fails after {TRIES} tries ({reason})")


def back_off(tried):
    return min(0.2 * 2 ** (tried - 1), WAIT_MAX)


def retry_after(answer, default):
    value = answer.getheader("Retry-After", "")
    return min(float(value), WAIT_MAX) if value.isdecimal() else default


def batches(events, batch_events=BATCH_EVENTS):
    """(count, body) of batches that stay below both bounds; order is kept."""
    lines, size = [], 0
    for event in events:
        line = encoded(event)
        if lines and (len(lines) == batch_events or size + len(line) > BATCH_BYTES):
            yield len(lines), b"[" + b",".join(lines) + b"]"
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 1
    if lines:
        yield len(lines), b"[" + b",".join(lines) + b"]"


def encoded(event):
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def count_results(status, text, sent):
    """(published, duplicates, [reason of each refused event])."""
    try:
        answer = json.loads(text or b"null")
    except ValueError:
        answer = None
    if status not in (200, 201, 202, 207):
        raise PublishError(f"the batch was refused with {status}: {text.decode('utf-8', 'replace')[:500]}")
    results = answer.get("results", []) if isinstance(answer, dict) else answer or []
    refused = [json.dumps(result)[:300] for result in results if is_refused(result)]
    duplicates = sum(is_duplicate(result) for result in results)
    return sent - duplicates - len(refused), duplicates, refused


def is_refused(result):
    status = result.get("status")
    return bool(result.get("error")) or status in ("refused", "conflict", "invalid") or \
        isinstance(status, int) and status >= 400


def is_duplicate(result):
    return result.get("status") == "duplicate" or result.get("duplicate") is True


def send(client, events, rate):
    published, duplicates, refused = 0, 0, []
    started, sent = time.monotonic(), 0
    for count, body in batches(events, min(BATCH_EVENTS, max(1, int(rate))) if rate else BATCH_EVENTS):
        if rate:
            time.sleep(max(0.0, started + sent / rate - time.monotonic()))
        outcome = count_results(*client.publish(body), count)
        published, duplicates, refused = published + outcome[0], duplicates + outcome[1], refused + outcome[2]
        sent += count
    return published, duplicates, refused


def write_lines(path, events):
    count = 0
    with open(path, "wb") as file:
        for count, event in enumerate(events, 1):
            file.write(encoded(event) + b"\n")
    print(f"wrote {count} events to {path}")
    return 0


def rate_argument(text):
    rate = float(text.removesuffix("/s"))
    if rate <= 0:
        raise ValueError
    return rate


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", nargs="?", default=github_events.DEFAULT_PACKAGE,
                        help="folder of the npm package @octokit/webhooks-examples (default %(default)s)")
    parser.add_argument("--server", default="http://127.0.0.1:8600", help="default %(default)s")
    parser.add_argument("--stream", default="github", help="default %(default)s")
    parser.add_argument("--prefix", default="", help="put before every id, so that the set is new again")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="publish the set N times, ids kept distinct")
    parser.add_argument("--limit", type=int, metavar="N", help="stop after N events")
    parser.add_argument("--rate", type=rate_argument, metavar="N/s", help="events per second (default: no limit)")
    parser.add_argument("--out", metavar="FILE", help="write the events as JSON lines instead of sending them")
    return parser.parse_args(arguments)


def main(arguments=None):
    chosen = parse_arguments(arguments)
    try:
        examples = github_events.load_examples(chosen.package)
        events = list(github_events.events(examples, chosen.prefix, chosen.repeat))[:chosen.limit]
        if chosen.out:
            return write_lines(chosen.out, events)
        published, duplicates, refused = send(Client(chosen.server, chosen.stream), events, chosen.rate)
    except (PublishError, github_events.PackageError, OSError) as error:
        print(f"publish: {error}", file=sys.stderr)
        return 1
    for reason in refused[:10]:
        print(f"refused: {reason}", file=sys.stderr)
    print(f"published {published}, duplicates {duplicates}, refused {len(refused)}")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
