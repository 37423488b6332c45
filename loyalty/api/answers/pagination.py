"""Cursor pages: a place in an ordering, not a number of rows to skip, so that page 1,000 costs what page 1 does."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext
from rest_framework.request import Request

from loyalty.api.answers.problems import Problem

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
_LIMIT: Final = re.compile(r"[0-9]{1,3}", re.ASCII)
PARAMETERS: Final = frozenset({"limit", "cursor"})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# No row lies beyond either end of time.
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ordering:
    """One column, then the id in the same direction. Rows without a value in a ``nullable`` column come last."""

    column: str = "id"
    descending: bool = True
    nullable: bool = False

    @property
    def name(self) -> str:
        """As the ``ordering`` parameter says it: ``-placed_at``."""
        return f"-{self.column}" if self.descending else self.column


NEWEST: Final = Ordering()


@dataclass(frozen=True, slots=True)
class Place:
    """Just after (or, going backwards, just before) the row with this value and id."""

    value: Any
    id: int
    backwards: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows, with the addresses of its neighbours."""

    rows: Sequence[Any]
    next: str | None
    previous: str | None


def read_page(
    rows: "QuerySet[Any, Any]",
    request: Request,
    *,
    ordering: Ordering = NEWEST,
    read: Callable[[Any], Any] | None = None,
) -> Page:
    """The page of ``rows`` that the request's ``limit`` and ``cursor`` name; one query, never a count.

    ``read`` makes what is shown of each: it has the row's ``id`` and the column of the ordering.

    Raises Problem ``invalid-parameter`` for a limit out of range or a cursor that is none of ours for this ordering.
    """
    limit = _limit(request)
    place = _read_cursor(request, ordering)
    found = _fetch(rows, ordering, place, limit + 1)
    more, found = len(found) > limit, [read(row) for row in found[:limit]] if read else found[:limit]
    backwards = place is not None and place.backwards
    if backwards:
        found.reverse()
    has_next, has_previous = (True, more) if backwards else (more, place is not None)
    return Page(
        rows=found,
        next=_address(request, ordering, found[-1], backwards=False) if found and has_next else None,
        previous=_address(request, ordering, found[0], backwards=True) if found and has_previous else None,
    )


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if _LIMIT.fullmatch(text) and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    raise Problem(
        "invalid-parameter",
        gettext("“limit” is a number from 1 to %(max_limit)s.") % {"max_limit": MAX_LIMIT},
        members={"parameter": "limit"},
    )


def _fetch(rows: "QuerySet[Any, Any]", ordering: Ordering, place: Place | None, count: int) -> list[Any]:
    backwards = place is not None and place.backwards
    descending = ordering.descending != backwards
    found: list[Any] = []
    # Rows with and without a value are two stretches of the index; a page reads the second only where it crosses over.
    for stretch in _stretches(ordering, place, backwards=backwards):
        wanted = rows.filter(stretch).order_by(*_columns(ordering, descending=descending))
        found += wanted[: count - len(found)]
        if len(found) == count:
            break
    return found


def _columns(ordering: Ordering, *, descending: bool) -> list[Any]:
    names = ["id"] if ordering.column == "id" else [ordering.column, "id"]
    return [F(name).desc() if descending else F(name).asc() for name in names]


def _stretches(ordering: Ordering, place: Place | None, *, backwards: bool) -> list[Q]:
    if not ordering.nullable:
        return [_beyond(ordering, place)]
    empty = Q(**{f"{ordering.column}__isnull": True})
    stretches = [empty, ~empty] if backwards else [~empty, empty]
    if place is None:
        return stretches
    starts_empty = place.value is None
    if starts_empty == backwards:
        return [stretches[0] & _beyond(ordering, place), stretches[1]]
    return [stretches[1] & _beyond(ordering, place)]


def _beyond(ordering: Ordering, place: Place | None) -> Q:
    if place is None:
        return Q()
    after = "lt" if ordering.descending != place.backwards else "gt"
    by_id = Q(**{f"id__{after}": place.id})
    if ordering.column == "id" or place.value is None:
        return by_id
    column = ordering.column
    return Q(**{f"{column}__{after}e": place.value}) & (Q(**{f"{column}__{after}": place.value}) | by_id)


def cursor_pattern(orderings: Sequence[Ordering]) -> str:
    """What the cursors of a list look like: an ordering, forwards or backwards, its value in microseconds, an id."""
    return f"^({'|'.join(_pattern(ordering) for ordering in orderings)})$"


def _pattern(ordering: Ordering) -> str:
    value = "" if ordering.column == "id" else r"-?[0-9]{1,18}\."
    return rf"{ordering.name}\.[fb]\.{f'({value})?' if ordering.nullable else value}[0-9]{{1,18}}"


def _address(request: Request, ordering: Ordering, row: Any, *, backwards: bool) -> str:
    value = None if ordering.column == "id" else getattr(row, ordering.column)
    micros = [] if value is None else [str((value - _EPOCH) // _MICROSECOND)]
    cursor = ".".join([ordering.name, "b" if backwards else "f", *micros, str(row.id)])
    parameters = {**request.query_params.dict(), "cursor": cursor}
    return request.build_absolute_uri(f"{request.path}?{urlencode(parameters)}")


def _read_cursor(request: Request, ordering: Ordering) -> Place | None:
    cursor = request.query_params.get("cursor")
    if cursor is None:
        return None
    if not re.fullmatch(_pattern(ordering), cursor, re.ASCII):
        raise Problem(
            "invalid-parameter", gettext("This cursor is not one of this list."), members={"parameter": "cursor"}
        )
    _, direction, *micros, row_id = cursor.split(".")
    return Place(_instant(int(micros[0])) if micros else None, int(row_id), direction == "b")


def _instant(micros: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return _LAST if micros > 0 else _FIRST
