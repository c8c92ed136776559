"""What the tracker makes of a payload. Pure: the same payload and version always give the same answer."""


class MissingRepository(Exception):
    """Version 1 cannot file an event that belongs to no repository."""


def feed_entry(event_type, source, payload, version):
    """One line of the activity feed."""
    if version == 1 and "repository" not in payload:
        raise MissingRepository(f"a payload of type {event_type} has no `repository`")
    repository = payload.get("repository")
    place = repository["full_name"] if repository else source.removeprefix("https://github.com/")
    actor = (payload.get("sender") or {}).get("login")
    what = event_type.removeprefix("com.github.").replace(".", " ").replace("_", " ")
    return {"place": place, "actor": actor, "summary": f"{actor or 'somebody'}: {what} in {place}"}


def sync_ticket(payload, version):
    """What an event says about its ticket: (ticket, fields). A field that the payload does not carry is left out."""
    if version == 1 and "repository" not in payload:
        raise MissingRepository("a ticket needs a `repository`")
    item = payload.get("pull_request") or payload["issue"]
    fields = {name: item[name] for name in ("title", "state", "updated_at", "draft", "merged") if name in item}
    fields |= {name: names_in(item[name], key) for name, key in
               (("labels", "name"), ("assignees", "login"), ("requested_reviewers", "login")) if name in item}
    if "milestone" in item:
        fields["milestone"] = item["milestone"]["title"] if item["milestone"] else None
    if "pull_request" in payload:
        fields["auto_merge"] = merges_by_itself_v1(item) if version == 1 else merges_by_itself(item)
    fields["kind"] = "pull_request" if "pull_request" in payload or "pull_request" in item else "issue"
    return f"{payload['repository']['full_name']}#{item['number']}", fields


def merges_by_itself_v1(pull_request):
    return pull_request["auto_merge"] is not None


def merges_by_itself(pull_request):
    return pull_request.get("auto_merge") is not None


def names_in(items, key):
    return ", ".join(item[key] for item in items)
