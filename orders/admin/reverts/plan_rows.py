"""What a form says that shows a plan before it is confirmed, whether of an order or of a redemption (M3, M6, R3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from django.core import signing
from django.forms import BoundField
from django.utils.translation import gettext as _

from loyalty.core.days import last_day_of_use
from loyalty.ledger.ledger import Kind
from loyalty.ledger.models import Origin
from loyalty.ledger.planner import GIVES_BACK, Outcome, PlannedLot, UsedLot
from loyalty.stores.dates import label_of, show_day, show_last_day
from loyalty.stores.models import Store
from orders.admin.reverts.cancel_form import CancelForm
from orders.kinds import allocation_ref, show

_SALT: Final = "orders.cancel-form"


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing the form says; ``was`` is what it said before where that differs, empty where it said nothing."""

    text: str
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody saw: the statements, whether they were about cancelling, and the state that confirming leads to."""

    statements: Mapping[str, str]
    cancels: bool = False
    goal: Sequence[Any] = ()

    def sign(self) -> str:
        """The form that travels in a hidden field."""
        shown = {"cancels": self.cancels, "statements": dict(self.statements), "goal": self.goal}
        return signing.dumps(shown, salt=_SALT, compress=True)

    @classmethod
    def read(cls, value: str) -> Self | None:
        """What was shown, or None when the value is not one of ours."""
        try:
            shown = signing.loads(value, salt=_SALT)
        except signing.BadSignature:
            return None
        return cls(shown["statements"], shown["cancels"], shown["goal"])


class Marker:
    """Collects what a page says, and marks what is different from what was ``seen``."""

    def __init__(self, seen: Seen | None) -> None:
        self._before = None if seen is None else seen.statements
        self.statements: dict[str, str] = {}

    def say(self, key: str, text: str) -> Statement:
        """``text`` with the mark of a difference."""
        self.statements[key] = text
        if self._before is None or self._before.get(key) == text:
            return Statement(text)
        return Statement(text, self._before.get(key, ""))


@dataclass(frozen=True, slots=True)
class ExtendFields:
    """Extend of one expired lot, with the day on which what comes back expires."""

    ref: str
    lot: str
    tick: BoundField
    days: BoundField
    until: BoundField


@dataclass(frozen=True, slots=True)
class LotRow:
    """One lot that was drawn on; ``tone`` is back, lost or done."""

    ref: str
    amount: str
    already: str
    origin: str
    expires: str
    expires_on: str
    expired: bool
    outcome: Statement
    tone: str
    extend: ExtendFields | None


@dataclass(frozen=True, slots=True)
class KindSection:
    """One kind that was used: its tick, its lots, its subtotals."""

    kind: Kind
    title: str
    tick: BoundField | None
    rows: Sequence[LotRow]
    returns: Statement
    stays: Statement
    stays_lost: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the result: before, where that is said, and after; as a badge where it has a ``colour``."""

    key: str
    label: str
    before: str
    after: Statement
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class PlanPage:
    """Everything the form's template shows, but its fields. With ``refused`` there is nothing to confirm."""

    title: str
    sentence: str
    sections: Sequence[KindSection]
    lines: Sequence[Line]
    confirm: Statement
    keep: str
    refused: str
    notice_subject: str
    notice_text: str
    customer_email: str
    shape: str
    token: str
    seen: str


def lot_row(
    kind: Kind,
    lot: UsedLot,
    planned: PlannedLot | None,
    *,
    code: str = "",
    form: CancelForm,
    marker: Marker,
    store: Store,
    now: datetime,
) -> LotRow:
    """One lot with what becomes of it, and Extend where it has expired; ``code`` is the one that it came with (R7)."""
    ref = allocation_ref(kind, lot.allocation_id)
    amount = show(lot.amount, lot.currency, store)
    expires = show_last_day(lot.expires_at, store)
    last_day = last_day_of_use(lot.expires_at, store.tz)
    words, tone = _outcome(lot, planned, store)
    return LotRow(
        ref=ref,
        amount=amount,
        already=_already(lot, store),
        origin=_origin(lot, code),
        expires=expires,
        expires_on=last_day.isoformat() if last_day else "",
        expired=lot.is_expired(now),
        outcome=marker.say(f"lot-{ref}", words),
        tone=tone,
        extend=_extend(ref, _("%(amount)s, expired %(day)s") % {"amount": amount, "day": expires}, form)
        if ref in form.extendable
        else None,
    )


def _origin(lot: UsedLot, code: str) -> str:
    facts = {"origin": label_of(Origin, lot.origin), "code": code}
    if lot.deduction:
        return _("%(origin)s, deducted again") % facts
    return _("%(origin)s, by code %(code)s") % facts if code else facts["origin"]


def _already(lot: UsedLot, store: Store) -> str:
    partly = 0 < lot.returned < lot.amount
    return _("%(amount)s already returned") % {"amount": show(lot.returned, lot.currency, store)} if partly else ""


def _extend(ref: str, lot: str, form: CancelForm) -> ExtendFields:
    return ExtendFields(ref, lot, form[f"extend_{ref}"], form[f"days_{ref}"], form[f"until_{ref}"])


def _outcome(lot: UsedLot, planned: PlannedLot | None, store: Store) -> tuple[str, str]:
    if not lot.outstanding:
        return _("Already returned"), "done"
    if planned is None or planned.outcome not in GIVES_BACK:
        return _("Will not be returned"), "lost"
    amount = show(planned.amount, lot.currency, store)
    if planned.expires_at is None:
        return _("Returns %(amount)s, never expires") % {"amount": amount}, "back"
    facts = {"amount": amount, "day": show_day(last_day_of_use(planned.expires_at, store.tz), store)}
    if planned.outcome is Outcome.EXTENDED:
        return _("Returns %(amount)s, now valid until %(day)s") % facts, "back"
    return _("Returns %(amount)s, valid until %(day)s") % facts, "back"
