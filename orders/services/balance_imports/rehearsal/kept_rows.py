"""The rows that an import keeps, person by person, some thousand at a time."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from loyalty.customers.identify import CustomerFacts
from orders.models import BalanceImport, BalanceImportRow

# So many rows are taken up together, and as many more as their last person has.
BATCH: Final = 3_000
_ORDER: Final = ("person", "position", "part")


class Kept(NamedTuple):
    """One kept row, as :class:`~orders.models.balance_import.BalanceImportRow` describes it."""

    id: int
    position: int
    part: int
    what: str
    person: str
    platform: str
    external_id: str
    email: str
    name: str
    phone: str
    locale: str
    kind: str
    amount: Decimal
    currency: str
    at: datetime
    expires_at: datetime | None
    type: str
    reason: str
    code: str
    value: Decimal
    key: str


Person = tuple[str, list[Kept]]

# The rows without a problem of people who stand together in the order of keys.
SPAN: Final = "r.balance_import_id = %(import)s AND r.problem = '' AND r.person BETWEEN %(first)s AND %(last)s"
_NEXT: Final = """
SELECT person, count(*) FROM (
    SELECT person FROM orders_balanceimportrow
    WHERE balance_import_id = %s AND problem = '' AND person > %s ORDER BY person LIMIT %s
) AS next
GROUP BY person ORDER BY person
"""
_SAID: Final = f"""
SELECT r.person, r.external_id, r.email, r.name, r.phone, r.locale, r.platform
FROM orders_balanceimportrow AS r WHERE {SPAN} GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, min(r.position)
"""


def span(held: BalanceImport, people: Sequence[str]) -> dict[str, Any]:
    """The parameters of :data:`SPAN` for these people, who stand together in the order of keys."""
    return {"import": held.pk, "first": people[0], "last": people[-1]}


def next_people(held: BalanceImport, after: str) -> dict[str, int]:
    """The next people behind the key ``after`` and how many rows each has, in the order of keys."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [held.pk, after, BATCH])
        found = dict(cursor.fetchall())
    if sum(found.values()) == BATCH:
        last, _ = found.popitem()
        # Somebody with more rows than are taken up together is taken up alone.
        if not found:
            found = {last: _rows(held).filter(person=last).count()}
    return found


def facts_of(held: BalanceImport, people: Sequence[str]) -> dict[str, CustomerFacts]:
    """What the rows of each of these people say of him together: the first that is not empty, of each."""
    with connection.cursor() as cursor:
        cursor.execute(_SAID, span(held, people))
        ordered = groupby(cursor.fetchall(), key=itemgetter(0))
        return {
            person: _together([CustomerFacts(row[1] or None, *row[2:]) for row in some]) for person, some in ordered
        }


def _together(said: Sequence[CustomerFacts]) -> CustomerFacts:
    if len(said) == 1:
        return said[0]
    email, name, phone, locale = (
        next((text for facts in said if (text := getattr(facts, field))), "")
        for field in ("email", "name", "phone", "locale")
    )
    named = next((facts for facts in said if facts.external_id), said[0])
    return CustomerFacts(named.external_id, email, name, phone, locale, named.platform)


def rows_of(held: BalanceImport, people: Sequence[str], what: str) -> list[Kept]:
    """What these people's rows say of one sort, person by person."""
    rows = _rows(held).filter(person__gte=people[0], person__lte=people[-1], what=what)
    return [Kept(*row) for row in rows.order_by(*_ORDER).values_list(*Kept._fields)]


def people(held: BalanceImport, what: str) -> Iterator[Person]:
    """Everybody of whom rows say something of one sort, each with those rows, in the order of keys."""
    rows = _rows(held).filter(what=what).order_by(*_ORDER).values_list(*Kept._fields).iterator(BATCH)
    return ((person, list(some)) for person, some in groupby(map(Kept._make, rows), key=attrgetter("person")))


def _rows(held: BalanceImport) -> "QuerySet[BalanceImportRow]":
    return BalanceImportRow.objects.for_store(held.store).filter(balance_import=held, problem="")
