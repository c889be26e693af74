"""The OpenAPI 3.1 document, made from the table of routes and the structs.

    python -m kiosk.dashboard.api.openapi

writes it to docs/openapi.json; a test holds that file and what is served together.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from kiosk.dashboard.api.bodies import Nothing
from kiosk.dashboard.api.problems import CONTENT_TYPE, Problem
from kiosk.dashboard.api.routes import BASE, ROUTES, Route
from kiosk.dashboard.rights import API, RIGHTS
from stream.agenda import TalkId

FILE = Path(__file__).parents[3] / "docs/openapi.json"
_REFERENCE = "#/components/schemas/{name}"
_WHY = {
    400: "Not JSON, or what counts people has no Idempotency-Key.",
    401: "No token, a wrong one, or one that was revoked.",
    403: "The token's role may not.",
    404: "There is no such thing.",
    409: "It cannot be done as things are; the detail says why.",
    413: "The body has more than 16 kB.",
    415: "The body is not called application/json.",
    422: "The request has a mistake in it, or its key was used for something else.",
    429: "Too many wrong tokens from this address.",
    503: "The ledger, the list or the stream's program does not answer, or everything is busy: say it again.",
    504: "The stream's program did not answer in time. Look at the stream before it is said again.",
}
_KEY_SAYS = (
    "Another one for each press, and the same again when an answer was lost: said twice it counts once. Two tokens may "
    "use the same."
)


@cache
def document() -> bytes:
    """The document, as JSON that people can read too."""
    structs = [struct for route in ROUTES for struct in (route.answer, route.body, route.asked) if struct is not None]
    asked = {route.asked for route in ROUTES}
    kinds = [*dict.fromkeys(struct for struct in structs if struct not in asked and struct is not Nothing), Problem]
    _, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    paths: dict[str, Any] = {}
    for route in ROUTES:
        path = BASE + re.sub(r"<(\w+)>", r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return msgspec.json.format(
        msgspec.json.encode(
            {
                "openapi": "3.1.0",
                "info": {
                    "title": "Platypus",
                    "version": "1",
                    "description": "The door and the livestream of a community event, for programs. See docs/api.md.",
                    "license": {"name": "MIT", "identifier": "MIT"},
                },
                "security": [{"token": []}],
                "paths": paths,
                "components": {
                    "securitySchemes": {
                        "token": {
                            "type": "http",
                            "scheme": "bearer",
                            "description": "An organizer makes tokens on the page People.",
                        }
                    },
                    "schemas": components,
                    "responses": {
                        f"Problem{status}": {
                            "description": says,
                            "content": {CONTENT_TYPE: {"schema": {"$ref": _REFERENCE.format(name="Problem")}}},
                        }
                        for status, says in _WHY.items()
                    },
                },
            },
            order="deterministic",
        ),
        indent=2,
    )


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": f"For the role {RIGHTS[API + route.name]}, and those above it.",
        "responses": {
            "200": {"description": "Done." if route.method == "POST" else "The facts.", "content": _content(route)},
            **{str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in _problems(route)},
        },
    }
    if parameters := _parameters(route):
        operation["parameters"] = parameters
    if route.body is not None and route.body is not Nothing:
        schema = {"$ref": _REFERENCE.format(name=route.body.__name__)}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _content(route: Route) -> dict[str, Any]:
    if route.answer is not None:
        return {"application/json": {"schema": {"$ref": _REFERENCE.format(name=route.answer.__name__)}}}
    if route.name == "events":
        says = "Of each event `snapshot` the data is an Evening; after `reload` nothing comes: the token has changed."
        return {"text/event-stream": {"schema": {"type": "string", "description": says}}}
    return {"application/json": {"schema": {"type": "object"}}}


def _problems(route: Route) -> list[int]:
    found = {401, 403, 429, 503}
    if route.body is not None:
        found |= {400, 409, 413, 415, 422}
    if route.asked is not None:
        found |= {422}
    if route.writes == "ledger" or route.names or "<talk>" in route.path:
        found |= {404}
    if route.writes == "stream":
        found |= {504}
    return sorted(found)


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if "<talk>" in route.path:
        talk = {"name": "talk", "in": "path", "required": True, "description": "The id of a talk."}
        found.append({**talk, "schema": msgspec.json.schema(TalkId)})
    if route.asked is not None:
        schema = msgspec.json.schema(route.asked, ref_template=_REFERENCE)["$defs"][route.asked.__name__]
        required = schema.get("required", [])
        for name, each in schema["properties"].items():
            found.append({"name": name, "in": "query", "required": name in required, "schema": each})
    if route.writes == "ledger":
        key = {"name": "Idempotency-Key", "in": "header", "required": True, "description": _KEY_SAYS}
        found.append({**key, "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"}})
    return found


if __name__ == "__main__":
    FILE.write_bytes(document() + b"\n")
