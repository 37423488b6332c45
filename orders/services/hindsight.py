"""When automatic cancelling would have reached an order in the past (E1, E2, E9, F1). Pure: facts in, moments out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from loyalty.stores.actors import Trigger
from loyalty.stores.preferences import AutoCancelSettings
from orders.models import OrderStatus, PaymentStatus

AUTOMATIC: Final = frozenset({Trigger.PAYMENT_EXPIRED, Trigger.PAYMENT_FAILED})
_OPEN: Final = frozenset({OrderStatus.PENDING, OrderStatus.CONFIRMED})


@dataclass(frozen=True, slots=True)
class Since:
    """A status, and the instant from which on it held."""

    at: datetime
    status: str


@dataclass(frozen=True, slots=True)
class History:
    """One order's past: payment and order statuses in the order of time, each beginning when the order arrived here.

    What automatic cancelling itself did (setting a payment to Expired, cancelling) is left out of both.
    """

    placed_at: datetime
    due_at: datetime | None
    payments: Sequence[Since]
    statuses: Sequence[Since]


@dataclass(frozen=True, slots=True)
class Strike:
    """That an order would have been cancelled: why, and when."""

    trigger: Trigger
    at: datetime


@dataclass(frozen=True, slots=True)
class _Span:
    since: datetime
    until: datetime | None
    status: str


def strike(history: History, auto: AutoCancelSettings, *, now: datetime) -> Strike | None:
    """The first moment up to ``now`` at which ``auto`` would have cancelled the order, or None.

    A payment still pending at its due time, the order's own or the window after it was placed, expires then; one that
    arrives at that very instant wins (E6). One that is Expired or Failed counts from the instant it became so, Failed
    after the grace and only if it still is. Orders that were not pending or confirmed then are left alone (E9).
    """
    for span in _spans(history.payments):
        found = _strike_in(span, history, auto)
        if found and _within(found.at, span.until, now) and _open_at(history.statuses, found.at):
            return found
    return None


def _spans(payments: Sequence[Since]) -> Iterator[_Span]:
    for one, after in pairwise(payments):
        yield _Span(one.at, after.at, one.status)
    yield _Span(payments[-1].at, None, payments[-1].status)


def _strike_in(span: _Span, history: History, auto: AutoCancelSettings) -> Strike | None:
    if span.status == PaymentStatus.FAILED and auto.failed != "off":
        return Strike(Trigger.PAYMENT_FAILED, span.since + timedelta(minutes=auto.failed_grace_minutes))
    if auto.expired == "off":
        return None
    if span.status == PaymentStatus.EXPIRED:
        return Strike(Trigger.PAYMENT_EXPIRED, span.since)
    due = _due(history, auto)
    if span.status == PaymentStatus.PENDING and due is not None:
        return Strike(Trigger.PAYMENT_EXPIRED, max(due, span.since))
    return None


def _due(history: History, auto: AutoCancelSettings) -> datetime | None:
    if history.due_at is not None or auto.payment_window_hours is None:
        return history.due_at
    return history.placed_at + timedelta(hours=auto.payment_window_hours)


def _within(at: datetime, until: datetime | None, now: datetime) -> bool:
    return at <= now if until is None else at < until


def _open_at(statuses: Sequence[Since], at: datetime) -> bool:
    """Whether the order was pending or confirmed; what happened at that very instant had happened."""
    before = [one.status for one in statuses if one.at <= at] or [statuses[0].status]
    return before[-1] in _OPEN
