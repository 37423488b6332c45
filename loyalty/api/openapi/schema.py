"""The OpenAPI description: what the generator cannot see in the code by itself."""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from loyalty.api.answers.codes import FIELDS, PROBLEMS
from loyalty.api.answers.pagination import DEFAULT_LIMIT, MAX_LIMIT, cursor_pattern
from loyalty.api.openapi.describe import link, tighten_bodies, tighten_parameters, with_null
from loyalty.api.openapi.examples import kept_examples
from loyalty.api.openapi.illustrate import illustrate
from loyalty.api.openapi.introduction import TAGS, introduction
from loyalty.api.openapi.webhooks import describe_webhooks
from loyalty.api.values import Body

LONGEST_KEY: Final = 255
# Printable ASCII, which is what every proxy passes on as it is; white space at the ends is no part of a header.
KEY_PATTERN: Final = r"^[!-~]([ -~]*[!-~])?$"
IDEMPOTENCY_KEY: Final = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": KEY_PATTERN},
    OpenApiParameter.HEADER,
    required=True,
    description=(
        "A text of your own for this command, 255 characters at most. The same key and body again answer the stored "
        "response with `Idempotent-Replayed: true`; kept for 7 days."
    ),
)
IF_MATCH: Final = OpenApiParameter(
    "If-Match",
    {"type": "string", "examples": ["*"]},
    OpenApiParameter.HEADER,
    description="The ETag of what the change was made from; an old one is answered 412.",
)
_TEXT: Final = {"type": "string"}
# What answers say beside their bodies.
HEADERS: Final[Mapping[str, Any]] = {
    "ETag": {
        "description": "The version that is shown, for `If-Match`.",
        "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
        "example": '"3"',
    },
    "Location": {"description": "The address of what was made.", "schema": {"type": "string", "format": "uri"}},
    "Idempotent-Replayed": {
        "description": "There when the answer is the stored one, of the first request under this Idempotency-Key.",
        "schema": {"type": "string", "const": "true"},
    },
    "Retry-After": {
        "description": "After how many seconds to try again.",
        "schema": {"type": "string", "pattern": "^[0-9.]+$"},
        "example": "12",
    },
    "WWW-Authenticate": {"description": "How a key is sent.", "schema": _TEXT, "example": "Bearer"},
    "X-Request-ID": {
        "description": "The request's id: the one that came with it, or a new one. Every line of the log has it.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"},
        "example": "5e2f0c7a9b1d4e68a3c1f0b2d4e68a3c",
    },
}
_PROBLEM: Final = "Problem"
# Where what a docstring says first ends: at a full stop, a semicolon, a colon or a bracket.
_FIRST_CLAUSE: Final = re.compile(r"[.;:](?:\s|$)|\s\(")


class Operation(AutoSchema):
    """One operation: commands carry their header, and the scope stands in the description."""

    def get_override_parameters(self) -> list[Any]:
        """The Idempotency-Key of a command."""
        handler = getattr(self.view, self.method.lower())
        return [IDEMPOTENCY_KEY] if getattr(handler, "is_command", False) else []

    def get_description(self) -> str:  # type: ignore[override] # as in the generator itself
        """What the method's docstring says, and the scope it needs."""
        scope = getattr(self.view, "required_scopes", {}).get(self.method)
        text: str = super().get_description()
        return f"{text}\n\nScope: `{scope}`." if scope else text

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        """A body's fields, with what they say of one another."""
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if direction == "request" and isinstance(serializer, Body):
            schema |= {} if serializer.partial else serializer.between_fields
            if serializer.null_is_default:
                schema["properties"] = {name: with_null(inner) for name, inner in schema["properties"].items()}
        return schema

    def get_summary(self) -> str:
        """The docstring's first clause, unless the view says it."""
        said: str = super().get_summary() or ""
        return said or _FIRST_CLAUSE.split(super().get_description(), maxsplit=1)[0].strip()

    def get_tags(self) -> list[str]:
        """The first part of the address, such as customers or orders."""
        return [self._tokenize_path()[0]]


class CursorPages:
    """How the schema describes a page; reading one is :func:`loyalty.api.answers.pagination.read_page`."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The envelope of every list."""
        address = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": address, "previous": address, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The page's parameters, and the list's order where there is a choice."""
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        cursor = {"type": "string", "pattern": cursor_pattern(view.orderings)}
        names = [ordering.name for ordering in view.orderings]
        order = {"type": "string", "enum": names, "default": names[0]}
        return [
            _parameter("limit", "How many rows a page has.", limit),
            _parameter("cursor", "A place in the list, out of `next` or `previous`.", cursor),
            *([_parameter("ordering", "Which rows come first.", order)] if len(names) > 1 else []),
        ]


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def describe_problems(result: dict[str, Any], **_options: Any) -> dict[str, Any]:
    """Add every refusal to every operation that can give it, and the list of codes to the description."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})[_PROBLEM] = _problem_schema()
    answered = set()
    for operations in result["paths"].values():
        for method, operation in operations.items():
            for status in _refusals(method, operation):
                operation["responses"].setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
                answered.add(status)
    components["responses"] = {f"Problem{status}": _problem_response(status) for status in sorted(answered)}
    result["info"]["description"] = introduction()
    result["info"]["contact"] = {"name": "Whoever runs this installation"}
    result["servers"] = [{"url": "/", "description": "This installation"}]
    result["tags"] = [{"name": name, "description": words} for name, words in TAGS.items()]
    components["headers"] = deepcopy(HEADERS)
    _name_headers(result)
    tighten_bodies(result)
    tighten_parameters(result)
    link(result)
    illustrate(result, kept_examples())
    describe_webhooks(result, kept_examples())
    return result


def _name_headers(result: Mapping[str, Any]) -> None:
    """Say which headers answers have, whatever they are: the request's id, and of commands whether it is a repeat."""
    for operations in result["paths"].values():
        for operation in operations.values():
            places = {(parameter["in"], parameter["name"]) for parameter in operation.get("parameters", ())}
            names = ["X-Request-ID"]
            if ("header", IDEMPOTENCY_KEY.name) in places:
                names.append("Idempotent-Replayed")
            for answer in operation["responses"].values():
                if "$ref" not in answer:
                    answer["headers"] = answer.get("headers", {}) | _headers(*names)
    for answer in result["components"]["responses"].values():
        answer["headers"] = answer.get("headers", {}) | _headers("X-Request-ID")


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _refusals(method: str, operation: Mapping[str, Any]) -> list[int]:
    places = {(parameter["in"], parameter["name"]) for parameter in operation.get("parameters", ())}
    refusals = {400, 401, 403, 413, 429, 500, 503}
    if any(place == "path" for place, _ in places):
        refusals.add(404)
    if method in ("post", "patch"):
        refusals |= {415, 422}
    if ("header", IDEMPOTENCY_KEY.name) in places:
        refusals.add(409)
    if ("header", IF_MATCH.name) in places:
        refusals.add(412)
    return sorted(refusals)


def _problem_response(status: int) -> dict[str, Any]:
    codes = {code: title for code, (its_status, title) in PROBLEMS.items() if its_status == status}
    examples = {code: {"summary": title, "value": _problem(code)} for code, title in codes.items()}
    content = {"schema": {"$ref": f"#/components/schemas/{_PROBLEM}"}, "examples": examples}
    response: dict[str, Any] = {
        "description": " ".join(f"`{code}`: {title}" for code, title in codes.items()),
        "content": {"application/problem+json": content},
    }
    headers = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}
    if status in headers:
        response["headers"] = _headers(headers[status])
    return response


def _problem(code: str) -> dict[str, Any]:
    status, title = PROBLEMS[code]
    return {"type": f"/problems/{code}", "title": title, "status": status, "detail": title, "code": code}


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    field = {
        "type": "object",
        "required": ["pointer", "code", "detail"],
        "properties": {
            "pointer": text,
            "code": {"type": "string", "enum": sorted({*FIELDS, *PROBLEMS})},
            "detail": text,
        },
    }
    return {
        "type": "object",
        "description": "RFC 9457 problem details; some codes have members of their own, such as `plan`.",
        "additionalProperties": True,
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "code": {"type": "string", "enum": sorted(PROBLEMS)},
            "errors": {"type": "array", "items": field},
            "parameter": text | {"description": "Which query parameter is wrong."},
            "scope": text | {"description": "The scope that the key lacks."},
        },
    }
