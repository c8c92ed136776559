# SPDX-License-Identifier: Apache-2.0
"""Answers compared with the OpenAPI document: every route asked, every answer documented, nothing missing or extra."""
import copy
import re
from collections import defaultdict

from jsonschema import Draft202012Validator, FormatChecker, RefResolver


class RecordedApi:
    """Keeps every answer with the operation it belongs to."""

    def __init__(self, document):
        self.document = document
        self.operations = {(method.upper(), path): operation for path, methods in document["paths"].items()
                           for method, operation in methods.items() if method != "parameters"}
        self.answers = []  # (method, path template, status, content type, parsed body or text)
        self._closed = closed(document)
        self._resolver = RefResolver.from_schema(self._closed)
        self._seen = defaultdict(set)

    def record(self, method, path, answer):
        template = self.template_of(method, path.split("?")[0])
        assert template, f"{method} {path} is not in the document"
        type_ = answer.headers.get("content-type", "").split(";")[0]
        body = answer.json if type_.endswith("json") else answer.text
        self.answers.append((method, template, answer.status, type_, body))

    def template_of(self, method, path):
        for known_method, template in self.operations:
            fits = re.fullmatch(re.sub(r"\{[a-z]+\}", "[^/]+", template), path)
            if known_method == method and fits:
                return template
        return None

    def faults(self):
        """What is wrong with the recorded answers, one line each."""
        found = []
        for method, template, status, type_, body in self.answers:
            where = f"{method} {template} -> {status}"
            documented = self.operations[method, template]["responses"]
            response = documented.get(str(status)) or (documented.get("default") if status >= 400 else None)
            if response is None:
                found.append(f"{where}: not documented")
                continue
            content = response.get("content", {})
            if type_ not in content:
                found.append(f"{where}: {type_} is not among {sorted(content)}")
                continue
            schema = content[type_].get("schema")
            if schema is not None:
                found += [f"{where}: {line}" for line in self._schema_faults(schema, body)]
        return found

    def unexercised(self):
        """Operations without an answer of each kind: (method, path, what)."""
        wanted = {(method, path, status) for (method, path), operation in self.operations.items()
                  for status in operation["responses"] if status != "default"}
        return sorted(wanted - {(method, path, str(status)) for method, path, status, _, _ in self.answers})

    def without_error(self):
        """Operations that never answered with a problem."""
        failed = {(method, path) for method, path, status, _, _ in self.answers if status >= 400}
        return sorted(set(self.operations) - failed)

    def unseen_members(self):
        """Documented members of answers that no answer had: "Schema.member"."""
        for method, template, status, type_, body in self.answers:
            documented = self.operations[method, template]["responses"]
            response = documented.get(str(status)) or documented["default"]
            schema = response["content"][type_].get("schema", {})
            self._see(schema, body, "")
        return sorted(f"{where}.{member}" for (where, member), seen in self._members().items() if not seen)

    # --- inside ---

    def _schema_faults(self, schema, body):
        validator = Draft202012Validator(closed(schema), resolver=self._resolver, format_checker=FormatChecker())
        for fault in validator.iter_errors(body):
            yield f"{'/'.join(map(str, fault.absolute_path))}: {fault.message[:300]}"

    def _see(self, schema, body, where):
        if "$ref" in schema:
            where = schema["$ref"].rsplit("/", 1)[1]
            schema = self.document["components"]["schemas"][where]
        if isinstance(body, list) and "items" in schema:
            for one in body:
                self._see(schema["items"], one, where)
        if isinstance(body, dict):
            for member, below in schema.get("properties", {}).items():
                self._seen[where, member].add(member in body)
                if member in body:
                    self._see(below, body[member], f"{where}.{member}")

    def _members(self):
        return {key: True in seen for key, seen in self._seen.items()}


def closed(schema):
    """A copy in which objects have the members they document and no others."""
    schema = copy.deepcopy(schema)
    close(schema)
    return schema


def close(node):
    if isinstance(node, list):
        for one in node:
            close(one)
    if not isinstance(node, dict):
        return
    if node.get("type") == "object" and "properties" in node:
        node.setdefault("additionalProperties", False)
    for one in node.values():
        close(one)


def vague_objects(node, where=""):
    """Objects of which the document says neither which members they have nor that they may have any."""
    if isinstance(node, list):
        return [found for number, one in enumerate(node) for found in vague_objects(one, f"{where}/{number}")]
    if not isinstance(node, dict):
        return []
    found = [where] if node.get("type") == "object" and not node.keys() & {"properties", "additionalProperties"} else []
    for key, one in node.items():
        found += vague_objects(one, f"{where}/{key}")
    return found
