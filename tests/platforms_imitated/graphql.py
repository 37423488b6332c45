"""As much of GraphQL as a client's own queries need: fields, arguments, variables, fragments; unknown fields fail."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r'\.\.\.|[{}():!\[\]]|\$?\w+|"(?:[^"\\]|\\.)*"|,|=')


class Undefined(Exception):
    """The schema has no such field."""


@dataclass
class Field:
    """One selected field."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    selection: "list[Selected] | None" = None


@dataclass
class Spread:
    """The fields of a fragment: a named one, or one on a type in place."""

    fragment: str = ""
    on: str = ""
    selection: "list[Selected]" = field(default_factory=list)


Selected = Field | Spread
# An object's fields: values, or functions of the arguments. The type's name is under __typename.
Thing = Mapping[str, Any]


@dataclass
class Operation:
    """One parsed request."""

    kind: str
    selection: list[Selected]
    fragments: dict[str, list[Selected]]


def parse(text: str, variables: Mapping[str, Any]) -> Operation:
    """The request's one operation, its variables filled in."""
    return _Parser([token for token in _TOKEN.findall(text) if token != ","], variables).document()


def select(thing: Thing | None, selection: list[Selected], fragments: Mapping[str, list[Selected]]) -> Any:
    """What is selected of an object. Raises Undefined for a field it does not have."""
    if thing is None:
        return None
    chosen: dict[str, Any] = {}
    for one in selection:
        if isinstance(one, Spread):
            if not one.on or one.on == thing["__typename"]:
                chosen |= select(thing, fragments[one.fragment] if one.fragment else one.selection, fragments)
        else:
            chosen[one.name] = _value(thing, one, fragments)
    return chosen


def _value(thing: Thing, one: Field, fragments: Mapping[str, list[Selected]]) -> Any:
    if one.name not in thing:
        raise Undefined(f"Field '{one.name}' doesn't exist on type '{thing['__typename']}'")
    value = thing[one.name]
    if isinstance(value, Callable):  # type: ignore[arg-type]
        value = value(**one.arguments)
    if one.selection is None:
        return value
    if isinstance(value, list):
        return [select(entry, one.selection, fragments) for entry in value]
    return select(value, one.selection, fragments)


class _Parser:
    def __init__(self, tokens: list[str], variables: Mapping[str, Any]) -> None:
        self.tokens, self.variables, self.at = tokens, variables, 0

    def document(self) -> Operation:
        operation: tuple[str, list[Selected]] = ("query", [])
        fragments: dict[str, list[Selected]] = {}
        while self.at < len(self.tokens):
            word = self.take()
            if word == "fragment":
                name, _on, _type = self.take(), self.take(), self.take()
                fragments[name] = self.selection()
            else:
                self.skip_definitions()
                operation = (word, self.selection())
        return Operation(*operation, fragments)

    def selection(self) -> list[Selected]:
        assert self.take() == "{"
        selected: list[Selected] = []
        while self.peek() != "}":
            selected.append(self.spread() if self.peek() == "..." else self.one())
        self.take()
        return selected

    def spread(self) -> Spread:
        self.take()
        if self.peek() != "on":
            return Spread(fragment=self.take())
        self.take()
        return Spread(on=self.take(), selection=self.selection())

    def one(self) -> Field:
        found = Field(self.take())
        if self.peek() == "(":
            self.take()
            while self.peek() != ")":
                name, _colon = self.take(), self.take()
                found.arguments[name] = self.value()
            self.take()
        if self.peek() == "{":
            found.selection = self.selection()
        return found

    def value(self) -> Any:
        token = self.take()
        if token.startswith("$"):
            return self.variables.get(token[1:])
        if token == "{":
            fields = {}
            while self.peek() != "}":
                name, _colon = self.take(), self.take()
                fields[name] = self.value()
            self.take()
            return fields
        return json.loads(token) if token[0] in '"0123456789' or token in ("true", "false", "null") else token

    def skip_definitions(self) -> None:
        if self.peek() == "(":
            while self.take() != ")":
                pass

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]
