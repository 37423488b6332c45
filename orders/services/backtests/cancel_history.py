"""When automatic cancelling would have reached an order in the past (E1, E2, E9, E10, F1). Pure: facts to moments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Final

from loyalty.store_settings.sections import AutoCancelSettings
from loyalty.stores.actors import Trigger
from orders.models import PAID_STATUSES, OrderStatus, PaymentStatus
from orders.services.automation.expire_payments import patience

AUTOMATIC: Final = frozenset({Trigger.PAYMENT_EXPIRED, Trigger.PAYMENT_FAILED})
_OPEN: Final = frozenset({OrderStatus.PENDING, OrderStatus.CONFIRMED})


@dataclass(frozen=True, slots=True)
class Since:
    """A status, and the instant from which on it held; ``detail`` keeps an open payment from running out (E10)."""

    at: datetime
    status: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """One order's past: payment and order statuses in the order of time, each beginning when the order arrived here.

    What automatic cancelling itself did (setting a payment to Expired or Failed, cancelling) is left out of both.
    ``declined`` are the instants at which a card was; ``paid_before`` is of an order that arrived as one that had been
    paid already.
    """

    placed_at: datetime
    due_at: datetime | None
    payments: Sequence[Since]
    statuses: Sequence[Since]
    declined: Sequence[datetime] = ()
    paid_before: bool = False


@dataclass(frozen=True, slots=True)
class Strike:
    """That an order would have been cancelled: why, and when."""

    trigger: Trigger
    at: datetime


@dataclass(frozen=True, slots=True)
class _Span:
    """How long the payment was as it ``said``; ``opened`` is since when it was pending, whatever its detail."""

    since: datetime
    until: datetime | None
    said: Since
    opened: datetime | None


def strike(history: History, auto: AutoCancelSettings, *, now: datetime) -> Strike | None:
    """The first moment up to ``now`` at which ``auto`` would have cancelled the order, or None.

    A payment still pending at its due time, the order's own or the window after it was placed, expires then; one that
    arrives at that very instant wins (E6). One that is Expired or Failed counts from the instant it became so, Failed
    after the grace and only if it still is. A declined card counts as Failed when no other payment followed in time;
    a payment that says failed after it was there, or that money is on its way for, does not count at all (E10). Orders
    that were not pending or confirmed then are left alone (E9).
    """
    for span in _spans(history.payments):
        for found in sorted(_strikes_in(span, history, auto), key=lambda one: one.at):
            if _within(found.at, span.until, now) and _counts(found, history):
                return found
    return None


def _spans(payments: Sequence[Since]) -> Iterator[_Span]:
    opened: datetime | None = None
    for one, after in zip_longest(payments, payments[1:]):
        opened = (opened or one.at) if one.status == PaymentStatus.PENDING else None
        yield _Span(one.at, after.at if after else None, one, opened)


def _strikes_in(span: _Span, history: History, auto: AutoCancelSettings) -> Iterator[Strike]:
    """What could have reached the order while its payment was as the span says."""
    if span.said.status == PaymentStatus.FAILED and auto.failed != "off":
        yield Strike(Trigger.PAYMENT_FAILED, span.since + timedelta(minutes=auto.failed_grace_minutes))
    if span.said.status == PaymentStatus.EXPIRED and auto.expired != "off":
        yield Strike(Trigger.PAYMENT_EXPIRED, span.since)
    if span.opened is not None and not span.said.detail:
        yield from _time_runs_out(span, span.opened, history, auto)


def _time_runs_out(span: _Span, opened: datetime, history: History, auto: AutoCancelSettings) -> Iterator[Strike]:
    """What ends an open payment first; one that only counts as Failed, or Expired, is open no more (E1, E10)."""
    due = auto.due(history.due_at, history.placed_at)
    declined = next((at + patience(auto) for at in history.declined if at >= opened), None)
    if due is not None and (declined is None or due <= declined):
        if auto.expired != "off":
            yield Strike(Trigger.PAYMENT_EXPIRED, max(due, span.since))
    elif declined is not None and auto.failed != "off":
        yield Strike(Trigger.PAYMENT_FAILED, max(declined, span.since))


def _within(at: datetime, until: datetime | None, now: datetime) -> bool:
    return at <= now if until is None else at < until


def _counts(found: Strike, history: History) -> bool:
    if not _open_at(history.statuses, found.at):
        return False
    return found.trigger is not Trigger.PAYMENT_FAILED or not _paid_before(history, found.at)


def _open_at(statuses: Sequence[Since], at: datetime) -> bool:
    """Whether the order was pending or confirmed; what happened at that very instant had happened."""
    before = [one.status for one in statuses if one.at <= at] or [statuses[0].status]
    return before[-1] in _OPEN


def _paid_before(history: History, at: datetime) -> bool:
    """Whether by then the order had been paid or completed (E10)."""
    paid = any(one.status in PAID_STATUSES for one in history.payments if one.at <= at)
    return (
        history.paid_before
        or paid
        or any(one.status == OrderStatus.COMPLETED for one in history.statuses if one.at <= at)
    )
