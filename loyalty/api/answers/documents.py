"""Answers, declared once: the serializers called documents describe them to the schema and render them.

They are the framework's, so the description of each field is too. Rendering is not: a page of fifty orders is made of
two thousand values, and the framework would ask every field of every row anew for what it knows already.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, make_dataclass
from functools import cache, partial
from operator import attrgetter
from typing import Any, cast

from django.db.models import QuerySet
from rest_framework import serializers

from loyalty.api.values import AMOUNT_FIELDS
from loyalty.core.values import value_json
from loyalty.stores.actors import ActorType

JSON = dict[str, Any]
_Write = Callable[[Any], Any]


class Document(serializers.Serializer[Any]):
    """The shape of an answer; every member is always there.

    A member is the row's attribute of its name, or of its ``source``, as its field writes it; null is null. Amounts are
    in the row's ``currency``, and a choice that may be null is null for what is none of the choices.
    """

    @classmethod
    def of(cls, row: object = None, /, **given: Any) -> JSON:
        """One row as JSON; what it cannot say by itself is ``given``, as JSON, under the members' names.

        Raises AttributeError for a member that neither has, and TypeError for something given that is no member.
        """
        plan = _plan(cls, tuple(given))
        return {**plan.blank, **plan.render(row), **given} if given else plan.render(row)


class PlainRows:
    """The rows of a query as plain values, with what a document shows of them: a page needs no model of each.

    ``related`` are the documents of rows that the query joins, by member; each shows its row's id, or there is none.
    """

    def __init__(self, document: type[Document], **related: type[Document]) -> None:
        own = [name for name in _members(document) if name not in related]
        parts = {name: _members(part) for name, part in related.items()}
        self._own, self._row = len(own), _plain([*own, *related])
        self._parts = [(len(members), _plain(members)) for members in parts.values()]
        self.columns = (*own, *(f"{name}__{member}" for name, members in parts.items() for member in members))

    def of(self, rows: "QuerySet[Any]") -> "QuerySet[Any, Any]":
        """The query for them."""
        return rows.values_list(*self.columns)

    def read(self, values: Sequence[Any]) -> Any:
        """One row, with its values as attributes."""
        row, end = [*values[: self._own]], self._own
        for size, part in self._parts:
            start, end = end, end + size
            joined = part(*values[start:end])
            row.append(None if joined.id is None else joined)
        return self._row(*row)


def _plain(names: Sequence[str]) -> type[Any]:
    """A class of things with these attributes and nothing else."""
    return make_dataclass("Plain", names, slots=True)


def _members(document: type[Document]) -> list[str]:
    return list(document().fields.keys())


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a document is rendered when some of its members are given."""

    blank: JSON
    names: Sequence[str]
    values_of: Callable[[Any], Sequence[Any]]
    writes: Sequence[tuple[str, _Write]]
    amounts: Sequence[str]

    def render(self, row: Any) -> JSON:
        """What the row says itself. What a JSON column holds is in its shape already."""
        if isinstance(row, dict):
            return row
        answer = dict(zip(self.names, self.values_of(row), strict=True))
        for name, write in self.writes:
            if (value := answer[name]) is not None:
                answer[name] = write(value)
        for name in self.amounts:
            answer[name] = value_json(answer[name], row.currency)
        return answer


@cache
def _plan(document: type[Document], given: tuple[str, ...]) -> _Plan:
    fields = document().fields
    strangers = set(given) - fields.keys()
    if strangers:
        raise TypeError(f"{document.__name__} has no member {', '.join(sorted(strangers))}.")
    asked = {name: field for name, field in fields.items() if name not in given}
    writes = {name: _write(field) for name, field in asked.items()}
    return _Plan(
        blank=dict.fromkeys(fields),
        names=tuple(asked),
        values_of=_attributes([str(field.source) for field in asked.values()]),
        writes=[(name, write) for name, write in writes.items() if write is not None],
        amounts=[name for name, field in asked.items() if isinstance(field, AMOUNT_FIELDS)],
    )


def _attributes(sources: Sequence[str]) -> Callable[[Any], Sequence[Any]]:
    """All of them at once, which is quick; with fewer than two, attrgetter answers no tuple."""
    each = [attrgetter(source) for source in sources]
    return attrgetter(*sources) if len(sources) > 1 else lambda row: [value(row) for value in each]


def _write(field: Any) -> _Write | None:
    if isinstance(field, Document):
        return _plan(type(field), ()).render
    if isinstance(field, serializers.ListSerializer):
        return partial(_each, _plan(type(cast(Document, field.child)), ()).render)
    if isinstance(field, serializers.ChoiceField) and field.allow_null:
        return {choice: choice for choice in field.choices}.get
    return getattr(field, "write", None)


def _each(render: _Write, rows: Any) -> list[JSON]:
    return [render(row) for row in rows]


class ActorDocument(Document):
    """Who did something."""

    type = serializers.ChoiceField(choices=[actor.value for actor in ActorType])
    id = serializers.CharField()
    name = serializers.CharField()


def actor_json(ref: str, name: str) -> JSON:
    """A reference such as ``api_key:3`` taken apart, and a name for people."""
    actor_type, _, key = ref.partition(":")
    return ActorDocument.of(type=actor_type, id=key, name=name)
