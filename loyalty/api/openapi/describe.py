"""What a request may say, written into the OpenAPI description as exactly as JSON Schema can.

A body that keeps to the description is refused only for what is stored, for what the clock says, and for what the
store's currency and settings say. One that does not keep to it is always refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from drf_spectacular.extensions import OpenApiSerializerFieldExtension

from loyalty.api.values import Described

Schema = dict[str, Any]

_COMPONENTS: Final = "#/components/schemas/"
# Without NUL, and of more than white space where a text may not be blank (Python's `strip` knows four more).
ANY_TEXT: Final = r"^[^\u0000]*$"
SOME_TEXT: Final = r"^[^\u0000]*[^\s\u0000\u001c-\u001f\u0085][^\u0000]*$"
_SAYS_WHICH: Final = frozenset({"enum", "const", "format", "pattern"})
_INSIDE: Final = ("properties", "patternProperties")
_WITHIN: Final = ("items", "additionalProperties", "not")
_ONE_OF: Final = ("oneOf", "anyOf", "allOf")


class DescribedField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call] # registers itself
    """A field that says itself what it takes. What is answered has no bounds: it may be a sum, or a debt."""

    target_class = Described
    match_subclasses = True

    def map_serializer_field(self, _auto_schema: Any, direction: str) -> Schema:
        """The field's own words."""
        described: Schema = self.target.described()
        unbounded = {"minimum", "maximum", "not"} if direction == "response" else set()
        return {key: value for key, value in described.items() if key not in unbounded}


def with_null(schema: Schema) -> Schema:
    """The same, or null."""
    return schema if _takes_null(schema) else {"anyOf": [schema, {"type": "null"}]}


def _takes_null(schema: Schema) -> bool:
    kinds = schema.get("type", ())
    return "null" in ([kinds] if isinstance(kinds, str) else kinds) or any(
        _takes_null(inner) for way in ("oneOf", "anyOf") for inner in schema.get(way, ())
    )


def tighten_bodies(result: Mapping[str, Any]) -> None:
    """Close every object that a request may hold, and keep out of every text what cannot be stored."""
    components = result["components"]["schemas"]
    done: set[str] = set()
    for operation in _operations(result):
        if any("anyOf" in _resolved(schema, components) for schema in _bodies(operation)):
            operation["requestBody"]["required"] = True
    waiting = [schema for operation in _operations(result) for schema in _bodies(operation)]
    while waiting:
        schema = waiting.pop()
        name = schema.get("$ref", "").removeprefix(_COMPONENTS)
        if name and name not in done:
            done.add(name)
            waiting.append(components[name])
        waiting.extend(_inner(schema))
        _tighten(schema)


def _resolved(schema: Schema, components: Mapping[str, Schema]) -> Schema:
    return components.get(schema.get("$ref", "").removeprefix(_COMPONENTS), schema)


def _operations(result: Mapping[str, Any]) -> Iterator[Schema]:
    for operations in result["paths"].values():
        yield from operations.values()


def _bodies(operation: Schema) -> Iterator[Schema]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield content["schema"]


def _inner(schema: Schema) -> Iterator[Schema]:
    for key in _INSIDE:
        yield from schema.get(key, {}).values()
    for key in _WITHIN:
        if isinstance(schema.get(key), dict):
            yield schema[key]
    for key in _ONE_OF:
        yield from schema.get(key, ())


def _tighten(schema: Schema) -> None:
    kinds = schema.get("type", ())
    if schema.get("type") == "object" and "properties" in schema:
        schema["additionalProperties"] = False
    elif "additionalProperties" in schema:
        schema["propertyNames"] = {"pattern": ANY_TEXT}
    if "string" in ([kinds] if isinstance(kinds, str) else kinds) and not _SAYS_WHICH & schema.keys():
        schema["pattern"] = SOME_TEXT if schema.get("minLength") else ANY_TEXT


def tighten_parameters(result: Mapping[str, Any]) -> None:
    """Keep out of every text in an address what cannot be stored."""
    for operation in _operations(result):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query":
                _tighten(parameter["schema"])


def link(result: Mapping[str, Any]) -> None:
    """Say where the ids of an answer lead: from what is made, and from the first of a list, to all that is its own."""
    for address, operations in result["paths"].items():
        for method, status, pointer in (("post", "201", "/id"), ("get", "200", "/results/0/id")):
            answer = operations.get(method, {}).get("responses", {}).get(status)
            links = _links_from(result, address, pointer) if answer else {}
            if links:
                answer["links"] = links


def _links_from(result: Mapping[str, Any], address: str, pointer: str) -> Schema:
    links = {}
    for below, operations in result["paths"].items():
        rest = below.removeprefix(address)
        if below == rest or not rest.startswith("{") or rest.count("{") > 1:
            continue
        ids = {part: f"$request.path.{part}" for part in _parts(address)}
        ids |= dict.fromkeys(_parts(rest), f"$response.body#{pointer}")
        for operation in operations.values():
            links[operation["operationId"]] = {"operationId": operation["operationId"], "parameters": ids}
    return links


def _parts(address: str) -> list[str]:
    return [piece.partition("}")[0] for piece in address.split("{")[1:]]
