"""Answers held against the schema as it is published."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator


@cache
def published() -> Any:
    """The schema as it is published."""
    return SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]


def disagreements(answer: Any, method: str, address: str, *, status: str = "200") -> list[str]:
    """What an answer is against what the schema says of it; ``address`` is behind ``/api/v1``."""
    responses = published()["paths"][f"/api/v1{address}"][method]["responses"]
    described = responses[status]["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**described, "components": published()["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(answer)]
