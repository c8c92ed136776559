"""GitHub's webhook examples as CloudEvents, in publishing order."""
import json
import re
from pathlib import Path
from urllib.parse import quote

DEFAULT_PACKAGE = Path(__file__).resolve().parent / "node_modules/@octokit/webhooks-examples"
SYNC_PREFIXES = ("com.github.issue", "com.github.pull_request")
RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
# Where a payload says when its event happened: the most specific part first.
TIMED_PARTS = ("review", "comment", "alert", "issue", "pull_request", "head_commit", "rule", "key", "forkee", "hook")
TIME_FIELDS = ("submitted_at", "updated_at", "completed_at", "published_at", "starred_at", "created_at",
               "started_at", "timestamp", "effective_date")
ACCOUNTS = (("organization",), ("enterprise",), ("installation", "account"), ("marketplace_purchase", "account"),
            ("sponsorship", "sponsorable"), ("sender",))


class PackageError(Exception):
    pass


def load_examples(package):
    """The payloads of github.com as [(event name, index, payload)]; the ghes-* folders repeat them for old servers."""
    path = Path(package) / "api.github.com" / "index.json"
    try:
        families = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PackageError(f"{path} does not exist; `npm install @octokit/webhooks-examples` or pass the package's path")
    except (OSError, ValueError) as error:
        raise PackageError(f"{path} cannot be read: {error}")
    return [(family["name"], index, payload)
            for family in families for index, payload in enumerate(family["examples"])]


def events(examples, prefix="", repeat=1):
    """Every payload as a CloudEvent, `repeat` rounds of them; round 1 has the same ids whatever `repeat` is."""
    for turn in range(1, repeat + 1):
        for name, index, payload in examples:
            yield event(name, payload, event_id(name, index, prefix, turn))


def event_id(name, index, prefix="", turn=1):
    # Some payloads are identical, so the id comes from the place in the package and not from the content.
    return f"{prefix}{name}-{index}" + (f"-r{turn}" if turn > 1 else "")


def event(name, payload, identity):
    made = {"specversion": "1.0", "id": identity, "source": source_of(name, payload), "type": type_of(name, payload)}
    for attribute, value in (("subject", subject_of(payload)), ("time", time_of(name, payload))):
        if value is not None:
            made[attribute] = value
    return made | {"datacontenttype": "application/json", "data": payload}


def type_of(name, payload):
    action = payload.get("action")
    return f"com.github.{name}.{action}" if isinstance(action, str) and action else f"com.github.{name}"


def source_of(name, payload):
    repository = payload.get("repository")
    if repository:
        return "https://github.com/" + quote(repository["full_name"])
    for path in ACCOUNTS:
        account = inside(payload, path)
        if account and path == ("enterprise",):
            return "https://github.com/enterprises/" + quote(account["slug"])
        if account and account.get("login"):
            return "https://github.com/" + quote(account["login"])
    return "https://github.com/advisories" if name == "security_advisory" else "https://github.com"


def subject_of(payload):
    repository = payload.get("repository")
    if not repository:
        return None
    number = number_of(payload)
    return repository["full_name"] + (f"#{number}" if number is not None else "")


def number_of(payload):
    for part in ("issue", "pull_request"):
        if isinstance(payload.get(part), dict) and "number" in payload[part]:
            return payload[part]["number"]
    return payload.get("number")


def time_of(name, payload):
    parts = [payload] + [payload.get(part) for part in (*TIMED_PARTS, name)]
    for part in parts:
        for field in TIME_FIELDS:
            value = part.get(field) if isinstance(part, dict) else None
            if isinstance(value, str) and RFC3339.match(value):
                return value
    return None


def flows_of(event_type):
    """The flows of weir.yaml that an event belongs to."""
    return ("sync-issues", "activity-feed") if event_type.startswith(SYNC_PREFIXES) else ("activity-feed",)


def inside(value, path):
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
