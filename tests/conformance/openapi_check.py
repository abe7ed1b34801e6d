#!/usr/bin/env python3
"""Holds real answers against the OpenAPI document that the gateway serves.

    openapi_check.py DOCUMENT EXCHANGES

EXCHANGES has one JSON object a line: method, path (without query), status, fields (names in lower
case), body, and the request's body as "sent". The document's own form is checked too: its schemas,
references, parameters and operation ids. Every status that it describes must have been seen.
Exit code 1 with one line for each fault. The validator is Debian's python3-jsonschema.
"""

import json
import re
import sys

from jsonschema import Draft202012Validator, FormatChecker

# What every answer of HTTP may have, and what the document says of no operation.
COMMON_FIELDS = {"date", "connection", "content-type", "content-length", "content-encoding",
                 "cache-control", "vary"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d*[1-9])?Z")
CHECKER = FormatChecker()
CHECKER.checks("date-time")(lambda text: not isinstance(text, str) or bool(TIME.fullmatch(text)))
CHECKER.checks("int32")(lambda number: not isinstance(number, int) or -2**31 <= number < 2**31)

document = json.load(open(sys.argv[1], encoding="utf-8"))
faults = []
seen = set()


def fault(where, what):
    faults.append(f"{where}: {what}")


def resolve(node):
    """The node, or what its reference names."""
    while isinstance(node, dict) and "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def validate(where, schema, value):
    # References of a schema are found from the document's root.
    root = {"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [schema],
            "components": document["components"]}
    for error in Draft202012Validator(root, format_checker=CHECKER).iter_errors(value):
        path = "/".join(str(part) for part in error.absolute_path)
        fault(where, f"{path}: {error.message[:200]}")


def walk(node, where="#"):
    """Checks what must hold wherever it stands."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            try:
                resolve(node)
            except KeyError:
                fault(where, f"{node['$ref']} names nothing")
        if "schema" in node and isinstance(node["schema"], dict):
            Draft202012Validator.check_schema(node["schema"])
        for name, child in node.items():
            walk(child, f"{where}/{name}")
    elif isinstance(node, list):
        for child in node:
            walk(child, where)


def operations():
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def check_document():
    if not document["openapi"].startswith("3.1."):
        fault("document", "not OpenAPI 3.1")
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
    walk(document)
    ids = [operation["operationId"] for _, _, operation in operations()]
    if len(ids) != len(set(ids)):
        fault("document", "an operationId comes twice")
    for path, method, operation in operations():
        named = re.findall(r"\{(\w+)\}", path)
        declared = [p["name"] for p in operation.get("parameters", []) if p["in"] == "path"]
        if named != declared:
            fault(f"{method} {path}", f"path parameters {declared}, not {named}")
        for scheme in operation.get("security", document["security"]):
            for name in scheme:
                if name not in document["components"]["securitySchemes"]:
                    fault(f"{method} {path}", f"no security scheme {name}")


def path_of(target):
    for path in document["paths"]:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
        if re.fullmatch(pattern, target):
            return path
    return None


def response_of(exchange):
    """The described response, and under what it was seen."""
    path = path_of(exchange["path"])
    item = document["paths"].get(path, {})
    operation = item.get(exchange["method"].lower())
    status = str(exchange["status"])
    # No such route, no such method: what the answers to all others are.
    if operation is None:
        name = f"Error{status}"
        return document["components"]["responses"].get(name)
    seen.add((path, exchange["method"].lower(), status))
    return resolve(operation["responses"].get(status))


def check_fields(where, response, fields):
    described = {name.lower(): header for name, header in response.get("headers", {}).items()}
    for name, header in described.items():
        if name not in fields:
            if header["required"]:
                fault(where, f"no header {name}")
            continue
        value = fields[name]
        if header["schema"].get("type") == "integer" and value.isdigit():
            value = int(value)
        validate(f"{where}, header {name}", header["schema"], value)
    for name in fields:
        if name not in described and name not in COMMON_FIELDS:
            fault(where, f"header {name} is not described")


def check_body(where, response, exchange):
    content = response.get("content")
    if content is None:
        if exchange["body"]:
            fault(where, "a body that is not described")
        return
    kind = exchange["fields"].get("content-type", "").split(";")[0]
    if kind not in content:
        fault(where, f"content-type {kind!r} is not described")
        return
    body = exchange["body"]
    if kind == "application/json":
        body = json.loads(body)
    validate(where, content[kind]["schema"], body)


def check_request(where, exchange):
    """What was accepted must be what the document accepts."""
    operation = document["paths"][path_of(exchange["path"])][exchange["method"].lower()]
    content = operation["requestBody"]["content"]
    if "application/json" in content:
        validate(f"{where}, request", content["application/json"]["schema"],
                 json.loads(exchange["sent"]))


def check_exchange(exchange):
    where = f"{exchange['method']} {exchange['path']} {exchange['status']}"
    response = response_of(exchange)
    if response is None:
        fault(where, "the status is not described")
        return
    check_fields(where, response, exchange["fields"])
    check_body(where, response, exchange)
    if exchange["status"] == 202:
        check_request(where, exchange)


check_document()
count = 0
for line in open(sys.argv[2], encoding="utf-8"):
    check_exchange(json.loads(line))
    count += 1
statuses = {status for _, _, status in seen}
for path, method, operation in operations():
    for status in operation["responses"]:
        if status in ("200", "202") and (path, method, status) not in seen:
            fault(f"{method} {path}", f"{status} was never seen")
        # A wrong method is no operation: it has no place of its own.
        if status not in statuses and status != "405":
            fault(f"{method} {path}", f"{status} was never seen anywhere")
for line in sorted(set(faults)):
    print(line)
print(f"{count} answers, {len(seen)} kinds, {len(set(faults))} faults")
sys.exit(1 if faults or count == 0 else 0)
