"""What rows say, one thing after the other and judged by itself, as it is kept until the import is over. No query."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from loyalty.core.days import end_of_day, local_day
from loyalty.core.instants import EARLIEST, furthest
from loyalty.core.money import is_currency, quantise
from loyalty.core.storable_text import storable
from loyalty.customers.identify import CustomerFacts
from loyalty.stores.compared import fold_email
from loyalty.stores.models import Store
from orders.services.balance_imports.problems import NO_FAULT
from orders.services.balance_imports.rows import Lot, OpenCode, PastMovement, PastType, Problem, Row

# The columns of a kept row, in the order in which they are made.
COLUMNS: Final = (
    *("position", "part", "what", "person", "platform", "external_id", "email", "name", "phone", "locale"),
    *("kind", "amount", "currency", "at", "expires_at", "type", "reason", "code", "value", "key"),
    *("problem", "column", "said"),
)
PERSON: Final = "person"
LOT: Final = "lot"
PAST: Final = "past"
CODE: Final = "code"
BAD: Final = "bad"
# Somebody without a number goes by his e-mail address, behind everybody with one.
BY_EMAIL: Final = "~"
_MOST_PROBLEMS: Final = 3
_MOST_DIGITS: Final = 12
_LONGEST: Final = {"external_id": 100, "email": 254, "name": 200, "phone": 50, "locale": 20}
_LONGEST_PLATFORM: Final = 20
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_FIRST_DAY: Final = EARLIEST.date()
_PERCENT: Final = 100

Values = tuple[Any, ...]
Said = Lot | PastMovement | OpenCode


class _Fault(Exception):
    """What is wrong with one thing that a row says."""

    def __init__(self, code: str, column: str, value: object = "") -> None:
        super().__init__(code)
        self.problem = Problem(code, column, str(value))


@dataclass(frozen=True, slots=True)
class Stage:
    """Judges rows of one file for one store at one instant; ``sha256`` is the file's."""

    store: Store
    sha256: str
    now: datetime

    def values(self, row: Row) -> list[Values]:
        """What is kept of a row, a tuple of :data:`COLUMNS` for each thing it says.

        A row with a fault says nothing but what is wrong with it. What has expired is left out for that alone.
        """
        facts, wrong = _facts(row.person)
        faults = list(row.problems) or ([wrong] if wrong else [])
        things: list[Values] = []
        everything: tuple[Said, ...] = row.lots + row.past + row.codes
        for said in everything:
            try:
                if not said_nothing(said):
                    things.append(self._thing(said, f"{row.position}:{len(things)}"))
            except _Fault as fault:
                faults.append(fault.problem)
        if faults:
            return [
                (row.position, part, BAD, *facts, *_NOTHING, one.code, one.column[:100], _begin(one.value))
                for part, one in enumerate(faults[:_MOST_PROBLEMS])
            ]
        return [
            (row.position, part, thing[0], *facts, *thing[1:])
            for part, thing in enumerate(things or [(PERSON, *_NOTHING, "", "", "")])
        ]

    def _thing(self, said: Said, place: str) -> Values:
        if isinstance(said, Lot):
            return self._lot(said, place)
        return self._past(said, place) if isinstance(said, PastMovement) else self._code(said)

    def _lot(self, lot: Lot, place: str) -> Values:
        currency = self._currency(lot)
        if lot.amount <= 0:
            raise _Fault("not-positive", lot.kind, lot.amount)
        amount = _amount(lot.amount, currency, lot.kind)
        at = self._since(lot.granted_on, "granted_on")
        until = f"{lot.kind}_expires_on"
        expires_at, problem = self._until(lot.expires_on, until)
        key = f"r:{lot.reference}" if lot.reference else f"{self.sha256}:{place}"
        reason = lot.reason if not lot.origin else f"{lot.origin}: {lot.reason}" if lot.reason else lot.origin
        said = str(lot.expires_on) if problem else ""
        things = (LOT, lot.kind, amount, currency, at, expires_at, "", storable(reason)[:200], "", None)
        return (*things, _key(key), problem, until if problem else "", said)

    def _past(self, past: PastMovement, place: str) -> Values:
        currency = self._currency(past)
        amount = _amount(past.amount, currency, past.kind)
        wrong = amount < 0 if past.type is PastType.GRANTED else amount > 0
        if wrong and past.type is not PastType.ADJUSTED:
            raise _Fault("wrong-sign", past.kind, past.amount)
        if past.at < EARLIEST:
            raise _Fault("too-early", "at", past.at)
        if past.at > self.now:
            raise _Fault("in-the-future", "at", past.at)
        key = f"h:{past.reference}" if past.reference else f"{self.sha256}:{place}"
        things = (PAST, past.kind, amount, currency, past.at, None, past.type.value, storable(past.reason)[:200])
        return (*things, "", None, _key(key), "", "", "")

    def _code(self, code: OpenCode) -> Values:
        if not 0 < len(code.code) <= 40 or storable(code.code) != code.code:  # noqa: PLR2004 -- as the column is long
            raise _Fault("too-long" if code.code else "empty", "code", storable(code.code))
        if code.currency and not is_currency(code.currency):
            raise _Fault("no-currency", "currency", code.currency)
        points = _amount(code.points, "", "points")
        value = _amount(code.value, code.currency, "value") if code.currency else code.value
        if points <= 0 or value <= 0 or (not code.currency and value > _PERCENT):
            raise _Fault("code-without-worth", "points" if points <= 0 else "value", code.value)
        at = self._since(code.redeemed_on, "redeemed_on")
        expires_at, problem = self._until(code.expires_on, "expires_on")
        things = (CODE, "points", points, code.currency, at, expires_at, "", "", code.code, value, f"c:{code.code}")
        return (*things, problem, "expires_on" if problem else "", str(code.expires_on) if problem else "")

    def _currency(self, said: "Lot | PastMovement") -> str:
        if said.kind == "points":
            return ""
        currency = said.currency or self.store.currency
        if not is_currency(currency):
            raise _Fault("no-currency", "currency", currency)
        return currency

    def _since(self, day: date | None, column: str) -> str:
        return str(self.now) if day is None else _since(day, column, self.now, self.store.tz)

    def _until(self, last_day: date | None, column: str) -> tuple[str | None, str]:
        return (None, "") if last_day is None else _until(last_day, column, self.now, self.store.tz)


_NOTHING: Final[Values] = ("", None, "", None, None, "", "", "", None, "")


def said_nothing(said: Said) -> bool:
    """Whether a balance or a movement is of nothing: there is nobody's lot of zero."""
    return not isinstance(said, OpenCode) and said.amount == 0


def is_fault(problem: str) -> bool:
    """Whether somebody has to mend the row."""
    return bool(problem) and problem not in NO_FAULT


def person_key(person: CustomerFacts) -> str:
    """By whom a row goes: the number that somebody has, else his e-mail address as such are compared (O7)."""
    if person.external_id:
        return f"{person.platform}:{person.external_id}"
    return f"{BY_EMAIL}{fold_email(person.email)}"


@lru_cache(maxsize=1024)
def _facts(person: CustomerFacts) -> tuple[Sequence[str], Problem | None]:
    """The columns of who it is, and what is wrong with them; rows of one person often stand together."""
    texts = (person.platform, person.external_id or "", person.email.strip(), person.name, person.phone, person.locale)
    longest = (_LONGEST_PLATFORM, *_LONGEST.values())
    facts = [storable(text)[:most] for text, most in zip(texts, longest, strict=True)]
    return (storable(person_key(person))[:400], *facts), _wrong(person)


def _wrong(person: CustomerFacts) -> Problem | None:
    for name, longest in _LONGEST.items():
        text = getattr(person, name) or ""
        if len(text) > longest:
            return Problem("too-long", name, text)
        if storable(text) != text:
            return Problem("not-storable", name, storable(text))
    if person.email.strip() and not _EMAIL.fullmatch(person.email.strip()):
        return Problem("no-email", "email", person.email)
    if not person.external_id and not person.email.strip():
        return Problem("nobody", "email")
    return None


def _key(text: str) -> str:
    return storable(text)[:400]


def _begin(text: str) -> str:
    return storable(text)[:100]


@lru_cache(maxsize=8192)
def _amount(amount: Decimal, currency: str, column: str) -> Decimal:
    if not amount.is_finite() or abs(amount) >= 10**_MOST_DIGITS:
        raise _Fault("too-large", column, amount)
    try:
        exact = quantise(amount, currency) if currency else amount.quantize(Decimal(1))
    except ValueError:
        raise _Fault("too-fine", column, amount) from None
    if exact != amount:
        raise _Fault("too-fine", column, amount)
    if len(exact.as_tuple().digits) > _MOST_DIGITS:
        raise _Fault("too-large", column, amount)
    return exact


# Files have a few days over and over; so instants are texts from here on, which the database would be sent anyway.
@lru_cache(maxsize=4096)
def _since(day: date, column: str, now: datetime, tz: ZoneInfo) -> str:
    if day < _FIRST_DAY:
        raise _Fault("too-early", column, day)
    if day > local_day(now, tz):
        raise _Fault("in-the-future", column, day)
    return str(min(end_of_day(day - timedelta(days=1), tz), now))


@lru_cache(maxsize=4096)
def _until(last_day: date, column: str, now: datetime, tz: ZoneInfo) -> tuple[str | None, str]:
    if last_day > furthest(now).date():
        raise _Fault("too-far", column, last_day)
    if last_day < _FIRST_DAY:
        raise _Fault("too-early", column, last_day)
    ends = end_of_day(last_day, tz)
    return str(ends), "expired" if ends <= now else ""
