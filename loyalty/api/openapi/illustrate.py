"""Writing the kept examples into the OpenAPI description: beside bodies, answers, parameters and headers."""

import json
import shlex
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final
from urllib.parse import urlencode

from loyalty.api.openapi.examples import JSON, PROBLEM, Example, Examples, Schema

# A host that answers examples; whoever reads them has another one.
ADDRESS: Final = "https://loyalty.example.com"


def illustrate(result: Schema, examples: Examples) -> None:
    """Give each operation what was asked of it and what it answered, and each webhook what it sent."""
    problems = result["components"]["responses"]
    for operation, said in _operations(result):
        named = examples.operations.get(operation, {})
        granted = {name: example for name, example in named.items() if example.granted}
        for parameter in said.get("parameters", ()):
            _show_parameter(parameter, granted)
        for name, example in named.items():
            answer = said["responses"].setdefault(str(example.status), {})
            if "$ref" in answer:
                answer = said["responses"][str(example.status)] = _own(problems, answer)
            _show_answer(answer, name, example)
        for name, example in granted.items():
            if example.body is not None:
                _show(said["requestBody"]["content"][JSON], name, example.title, example.body)
        said["x-codeSamples"] = [
            {"lang": "Shell", "label": example.title, "source": as_curl(example)} for example in granted.values()
        ]


def _operations(result: Schema) -> Iterator[tuple[str, Schema]]:
    for address, operations in result["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {address}", operation


def _own(problems: Mapping[str, Schema], answer: Schema) -> Schema:
    """A refusal that all operations share, for one of them to give its own example of."""
    own = deepcopy(problems[answer["$ref"].rpartition("/")[2]])
    own["content"][PROBLEM].pop("examples")
    return own


def _show_parameter(parameter: Schema, granted: Mapping[str, Example]) -> None:
    """What the page that tries an operation fills in; a version that is to be named may be left out."""
    if parameter["in"] == "header" and not parameter.get("required"):
        return
    place = {"path": "path", "query": "query", "header": "headers"}[parameter["in"]]
    for example in granted.values():
        if (value := getattr(example, place).get(parameter["name"])) is not None:
            parameter["example"] = _typed(value, parameter["schema"].get("type"))
            return


def _typed(value: str, kind: Any) -> Any:
    """What a text in an address says."""
    if kind == "array":
        return value.split(",")
    return int(value) if kind == "integer" else value


def _show_answer(answer: Schema, name: str, example: Example) -> None:
    for content_type in (JSON, PROBLEM):
        if content_type in answer.get("content", {}):
            _show(answer["content"][content_type], name, example.title, example.answer)
    for header in example.answer_headers:
        answer.setdefault("headers", {})[header] = {"$ref": f"#/components/headers/{header}"}


def _show(content: Schema, name: str, title: str, value: Any) -> None:
    content.setdefault("examples", {})[name] = {"summary": title, "value": value}


def as_curl(example: Example) -> str:
    """The request as a command of a shell, its key in ``$KEY``."""
    address = example.address.format(**example.path)
    query = f"?{urlencode(example.query)}" if example.query else ""
    parts = [f"curl {shlex.quote(ADDRESS + address + query)}"]
    if example.method not in ("GET", "POST") or (example.method == "POST" and example.body is None):
        parts[0] = f"curl -X {example.method} {shlex.quote(ADDRESS + address + query)}"
    parts.append('-H "Authorization: Bearer $KEY"')
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in example.headers.items()]
    if example.body is not None:
        parts.append("-H 'Content-Type: application/json'")
        parts.append(f"-d {shlex.quote(json.dumps(example.body, ensure_ascii=False))}")
    return " \\\n  ".join(parts)
