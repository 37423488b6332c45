"""The rows that an import keeps, person by person, some thousand at a time."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Final, NamedTuple

from loyalty.customers.identify import CustomerFacts
from orders.models import BalanceImport, BalanceImportRow

# So many rows are taken up together, and as many more as their last person has.
BATCH: Final = 3_000


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

    @property
    def facts(self) -> CustomerFacts:
        """Who it is about."""
        return CustomerFacts(self.external_id or None, self.email, self.name, self.phone, self.locale, self.platform)


Person = tuple[str, list[Kept]]


def next_people(held: BalanceImport, after: str, *, what: str = "") -> list[Person]:
    """The rows without a problem of the next people behind the key ``after``, each person's whole."""
    rows = BalanceImportRow.objects.for_store(held.store).filter(balance_import=held, problem="")
    if what:
        rows = rows.filter(what=what)
    ordered = rows.order_by("person", "position", "part").values_list(*Kept._fields)
    found = [Kept(*row) for row in ordered.filter(person__gt=after)[:BATCH]]
    if len(found) == BATCH:
        last = found[-1].person
        found = [row for row in found if row.person != last]
        # Somebody with more rows than are taken up together is taken up alone.
        found = found or [Kept(*row) for row in ordered.filter(person=last)]
    return [(person, list(some)) for person, some in groupby(found, key=lambda row: row.person)]


def people(held: BalanceImport, *, what: str = "") -> Iterator[Person]:
    """Everybody, in the order of keys."""
    after = ""
    while some := next_people(held, after, what=what):
        yield from some
        after = some[-1][0]


def merged_facts(rows: Sequence[Kept]) -> CustomerFacts:
    """What the rows of one person say of him together: the first that is not empty, of each."""
    first = rows[0].facts
    if len(rows) == 1:
        return first
    email, name, phone, locale = (
        next((text for row in rows if (text := getattr(row, field))), "")
        for field in ("email", "name", "phone", "locale")
    )
    named = next((row for row in rows if row.external_id), rows[0])
    return CustomerFacts(named.external_id or None, email, name, phone, locale, named.platform)
