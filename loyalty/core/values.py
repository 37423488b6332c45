"""Values as text for programs, out and in: ids, amounts, instants, days (the *Values* bullet of the contract)."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext

from loyalty.core.errors import Invalid
from loyalty.core.money import amount_text, quantise

MAX_DIGITS: Final = 12
_BIGGEST_ID: Final = 2**63 - 1
_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII | re.IGNORECASE,
)


def parse_id(text: str) -> int | None:
    """The key behind an opaque id; None for a text that no id of ours looks like."""
    if not _ID.fullmatch(text):
        return None
    value = int(text)
    return value if value <= _BIGGEST_ID else None


def parse_instant(text: str) -> datetime:
    """An RFC 3339 instant, in UTC. Raises ValueError, also for one that names no offset."""
    if not _INSTANT.fullmatch(text):
        raise ValueError(text)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def value_json(amount: Decimal | int, currency: str) -> str | int:
    """An amount of either kind: credits as decimal strings, points (which have no currency) as a whole number."""
    return amount_text(Decimal(amount), currency) if currency else int(amount)


def instant_text(instant: datetime) -> str:
    """RFC 3339 in UTC: ``2026-01-05T03:00:00Z``."""
    there = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return f"{there.isoformat()[:-6]}Z"


def day_or_none(day: date | None) -> str | None:
    """A calendar day, null for none."""
    return None if day is None else day.isoformat()


def instant_or_none(instant: datetime | None) -> str | None:
    """As :func:`instant_text`, null for none."""
    return None if instant is None else instant_text(instant)


def check_amount(amount: Decimal, currency: str, pointer: str) -> Decimal:
    """The amount with exactly the currency's decimals; the field at ``pointer`` is wrong when that would change it.

    Raises Invalid for more than 12 digits, for an amount finer than the currency's unit and for an unknown currency.
    """
    if digits(amount) > MAX_DIGITS:
        raise Invalid.at(
            pointer,
            gettext("An amount has at most %(max_digits)s digits.") % {"max_digits": MAX_DIGITS},
            code="too-many-digits",
        )
    try:
        return quantise(amount, currency)
    except ValueError as error:
        raise Invalid.at(pointer, str(error), code="too-fine") from error


def digits(amount: Decimal) -> int:
    """How many digits it takes to write the amount, without zeros in front and behind."""
    whole, _, fraction = f"{abs(amount):f}".partition(".")
    return len(whole.lstrip("0")) + len(fraction.rstrip("0"))
