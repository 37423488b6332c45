"""Giving and removing points of many customers by a table: first what would happen, row by row, then once (R6, L6)."""

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from io import StringIO
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.days import check_last_day, end_of_day, local_day
from loyalty.core.errors import Conflict, Invalid
from loyalty.core.locales import count_text
from loyalty.languages.own_names import own_words
from loyalty.ledger.adjust import Adjustment, adjust
from loyalty.ledger.adjust_notice import Change, tell
from loyalty.ledger.planner import Amount
from loyalty.ledger.posting import lock_customers
from loyalty.ledger.staff_limits import Adjuster, check_within_limit, left_today, lock_left_today, note_adjusted
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.compared import fold_email
from loyalty.stores.models import Customer, PlatformId, Store
from points.expiry_scheme import scheme_last_day
from points.ledger import POINTS

NEEDED: Final = ("customer", "points", "reason")
COLUMNS: Final = (*NEEDED, "expires_on", "note")
MOST_ROWS: Final = 500
_POINTS: Final = re.compile(r"[-+−]?[0-9]{1,12}", re.ASCII)
_REASON_LENGTH: Final = 200
_NOTE_LENGTH: Final = 2000
_NAME_LENGTH: Final = 254


class SheetStale(Conflict):
    """What was shown is no longer what would happen; ``lines`` is what would happen now."""

    code = "preview-stale"
    title = gettext_noop("Something has changed since this was shown.")

    def __init__(self, lines: "Sequence[Line]") -> None:
        super().__init__(_("A customer or a balance has changed since this was shown. Nothing was done."))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was written; ``number`` counts from 1, without the header."""

    number: int
    customer: str
    points: str
    reason: str
    expires_on: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What a row comes to: whom, how many points and until when (None for never), or what is wrong with it."""

    row: Row
    customer: Customer | None = None
    points: int = 0
    last_day: date | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """Who works on the table, in which store and by which settings."""

    adjuster: Adjuster
    settings: StoreSettings

    @property
    def store(self) -> Store:
        """The store whose customers the table names."""
        return self.adjuster.store

    @property
    def actor(self) -> Actor:
        """The person, as the ledger names him."""
        return Actor.user(self.adjuster.user)


def read_sheet(text: str) -> list[Row]:
    """The rows of a CSV table with a header; commas, semicolons or tabs between the columns.

    Raises Invalid at ``/table`` when it is no table, a column is missing or unknown, or there are no rows or more than
    500.
    """
    if "\x00" in text:
        raise Invalid.at("/table", _("The table holds the character NUL, so it is not text. Save it as CSV (UTF-8)."))
    try:
        return _rows(text)
    except csv.Error as error:
        raise Invalid.at(
            "/table", _("This is not a table as CSV files are written: %(error)s.") % {"error": error}
        ) from error


def _rows(text: str) -> list[Row]:
    first = text.lstrip("\ufeff").partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.DictReader(StringIO(text.lstrip("\ufeff")), delimiter=separator, restkey="more", restval="")
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    missing = [name for name in NEEDED if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    twice = [name for name in names if names.count(name) > 1]
    if missing or unknown or twice:
        words = _("The table names %(column)s twice. Its first line names the columns: %(columns)s.")
        if missing:
            words = _("The table has no column %(column)s. Its first line names the columns: %(columns)s.")
        elif unknown:
            words = _(
                "The table has a column that is not known: %(column)s. Its first line names the columns: %(columns)s."
            )
        column = (missing or unknown or twice)[0]
        raise Invalid.at("/table", words % {"column": column, "columns": ", ".join(COLUMNS)})
    rows = [_row(number, values) for number, values in enumerate(reader, start=1)]
    if not 1 <= len(rows) <= MOST_ROWS:
        raise Invalid.at(
            "/table",
            _("A table has 1 to %(most)s rows; this one has %(rows)s.") % {"most": MOST_ROWS, "rows": len(rows)},
        )
    return rows


def _row(number: int, values: Mapping[str, str]) -> Row:
    cells = {name: (values.get(name) or "").strip() for name in COLUMNS}
    return Row(number, **cells)


def check_sheet(rows: Sequence[Row], *, desk: Desk, now: datetime) -> list[Line]:
    """What the rows come to one after the other, in a constant number of statements; nothing is written."""
    return _checked(rows, desk, left_today("points", desk.adjuster, now=now), now)


def _checked(rows: Sequence[Row], desk: Desk, left: Amount | None, now: datetime) -> list[Line]:
    people = _people(desk.store, rows)
    lines = [_read(row, people.get(fold_email(row.customer), []), desk, now) for row in rows]
    available = POINTS.available({line.customer.pk for line in lines if line.customer}, now=now)
    balances = {customer_id: int(points) for (customer_id, _), points in available.items()}
    return _within_limit([_within(line, balances) for line in lines], desk.adjuster, left)


def _within_limit(lines: Iterable[Line], adjuster: Adjuster, left: Amount | None) -> list[Line]:
    """The lines, of which those are wrong that go beyond what is left of the person's day (T7): rows add up."""
    allowed: list[Line] = []
    for line in lines:
        try:
            if not line.error:
                check_within_limit("points", line.points, currency="", adjuster=adjuster, left=left)
                left = None if left is None else left - abs(line.points)
            allowed.append(line)
        except Invalid as error:
            allowed.append(replace(line, error=error.errors[0].detail))
    return allowed


def digest_of(lines: Iterable[Line]) -> str:
    """Equal for tables that come to the same."""
    facts = [
        (line.row, line.customer.pk if line.customer else 0, line.points, line.last_day, line.error) for line in lines
    ]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


@transaction.atomic
def carry_out_sheet(rows: Sequence[Row], *, shown: str, desk: Desk, now: datetime, notify: bool = False) -> list[Line]:
    """Give and remove what the rows say, all in one transaction; rows with an error are left out.

    With ``notify`` each customer is told of all of his rows in one message. ``shown`` is the :func:`digest_of` what was
    shown. Raises :class:`SheetStale` when something else would happen now.
    """
    left = lock_left_today("points", desk.adjuster, now=now)
    lines = _checked(rows, desk, left, now)
    lock_customers({line.customer.pk for line in lines if line.customer})
    # Read again under the locks: whoever spent in between was first.
    lines = _checked(rows, desk, left, now)
    if digest_of(lines) != shown:
        raise SheetStale(lines)
    changes = [_write(line, line.customer, desk, now) for line in lines if line.customer and not line.error]
    if notify:
        tell("points", changes, store=desk.store, actor=desk.actor, now=now)
    note_adjusted("points", sum(abs(line.points) for line in lines if not line.error), desk.adjuster, now=now)
    return lines


def _write(line: Line, customer: Customer, desk: Desk, now: datetime) -> Change:
    expires_at = end_of_day(line.last_day, desk.store.tz) if line.last_day else None
    adjustment = Adjustment(line.points, line.row.reason, note=line.row.note, expires_at=expires_at)
    posted = adjust(
        POINTS,
        store=desk.store,
        customer_id=customer.pk,
        adjustment=adjustment,
        act=Act(desk.actor, Trigger.ADMIN, now),
    )
    return Change.of(customer, adjustment, posted)


def _people(store: Store, rows: Sequence[Row]) -> dict[str, list[Customer]]:
    """The store's customers by what rows call them: own id, a platform's as ``shopify:7001``, or e-mail (O7)."""
    said = {row.customer for row in rows if row.customer}
    folded = {fold_email(name) for name in said}
    found: dict[str, dict[int, Customer]] = defaultdict(dict)
    customers = Customer.objects.for_store(store)
    for customer in customers.filter(external_id__in=said).select_related("merged_into"):
        found[fold_email(str(customer.external_id))][customer.kept.pk] = customer.kept
    ids = PlatformId.objects.for_store(store).filter(
        external_id__in={name.partition(":")[2] for name in said if ":" in name}
    )
    for known in ids.select_related("customer"):
        found[fold_email(f"{known.platform}:{known.external_id}")][known.customer_id] = known.customer
    for customer in customers.filter(folded_email__in=folded).select_related("merged_into").order_by("pk"):
        found[fold_email(customer.email)][customer.kept.pk] = customer.kept
    return {name: list(people.values()) for name, people in found.items()}


def _read(row: Row, people: Sequence[Customer], desk: Desk, now: datetime) -> Line:
    try:
        customer = _only(row, people)
        points = _points(row)
        return Line(row, customer, points, _last_day(row, points, desk, now))
    except Invalid as error:
        return Line(row, error=error.errors[0].detail if error.errors else error.detail)


def _only(row: Row, people: Sequence[Customer]) -> Customer:
    if not row.reason or len(row.reason) > _REASON_LENGTH:
        raise Invalid.at("/reason", _("A reason of 1 to %(most)s letters is needed.") % {"most": _REASON_LENGTH})
    if len(row.note) > _NOTE_LENGTH:
        raise Invalid.at(
            "/note",
            _("A note has at most %(most)s letters.") % {"most": count_text(_NOTE_LENGTH)},
            code="too-long",
        )
    if len(row.customer) > _NAME_LENGTH:
        raise Invalid.at("/customer", _("This is longer than any e-mail or external id."), code="too-long")
    if not people:
        raise Invalid.at("/customer", _("No customer has this e-mail or id."), code="not-found")
    if len(people) > 1:
        raise Invalid.at("/customer", _("More than one customer is called this. Use an id."), code="not-unique")
    return people[0]


def _points(row: Row) -> int:
    if not _POINTS.fullmatch(row.points) or not (points := int(row.points.replace("−", "-"))):
        raise Invalid.at("/points", own_words("Points are a whole number, with a minus to remove some."))
    return points


def _last_day(row: Row, points: int, desk: Desk, now: datetime) -> date | None:
    if points < 0:
        if row.expires_on:
            raise Invalid.at("/expires_on", own_words("Only points that are given have a last day of use."))
        return None
    if not row.expires_on:
        return scheme_last_day(desk.settings.points_expiry, awarded=local_day(now, desk.store.tz))
    if row.expires_on.lower() == "never":
        return None
    try:
        day = date.fromisoformat(row.expires_on)
    except ValueError:
        raise Invalid.at("/expires_on", _("Write the last day of use as 2027-12-31, or never.")) from None
    return check_last_day(day, now=now, tz=desk.store.tz)


def _within(line: Line, balances: dict[int, int]) -> Line:
    """The line, or that it would remove more than there is by then; moves the customer's balance on."""
    if line.customer is None or line.error:
        return line
    after = balances.get(line.customer.pk, 0) + line.points
    if line.points < 0 and after < 0:
        return replace(
            line,
            error=own_words("The customer has %(points)s points by then, fewer than are to be removed.")
            % {"points": after - line.points},
        )
    balances[line.customer.pk] = after
    return line
