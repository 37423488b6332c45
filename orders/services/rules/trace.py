"""The decision trace: what decided about each kind of an order, and what came of it (N6).

Every decision about a kind is one entry of the journal: ``order.credit_reverted`` or ``order.points_reverted`` when
something came back, ``order.revert_skipped`` when nothing did, and one of ``PERSONS`` when a person decided about what
is left without cancelling or returning. The timeline, the REST decisions and the sentence beside an order's statuses
read these entries and nothing else.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from django.db.models import QuerySet

from loyalty.core.values import value_json
from loyalty.journal.models import JournalEntry
from loyalty.journal.record import Event, Happening
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount, KindPlan
from loyalty.stores.models import Store
from orders.kinds import REVERTED_EVENT, applied, currency_of, reverted
from orders.models import NewRevert, Order, Revert
from orders.services.events import happened_to

PERSONS: Final = (Event.REVERT_UNDONE, Event.REVERT_DISMISSED, Event.REVERT_WAITS_AGAIN)
DECIDING: Final = (*REVERTED_EVENT.values(), Event.REVERT_SKIPPED, *PERSONS)


class MatchedBy(StrEnum):
    """What kind of fact decided."""

    STATUS = "status"
    TAG = "tag"
    SKIP_TAG = "skip_tag"
    SETTING = "setting"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Matched:
    """The fact that decided: a status or tag, a setting by its path; a person needs no value. ``by`` None: nothing."""

    by: MatchedBy | None = None
    value: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """As the journal keeps it."""
        return {"by": self.by, "value": self.value}


BY_PERSON: Final = Matched(MatchedBy.PERSON)
# Why automation does not act on an order at all, whatever triggers (E10): its payment was a test, or was there before.
TEST_ORDER: Final = Matched(None, "test_order")
PAID_BEFORE: Final = Matched(None, "paid_before")


class DecisionOutcome(StrEnum):
    """What came of a decision about one kind."""

    RETURNED = "returned"
    PARTLY_RETURNED = "partly_returned"
    NOT_RETURNED = "not_returned"


def outcome_of(plan: KindPlan) -> DecisionOutcome:
    """What comes of ``plan``; *returned* when nothing remains to be returned afterwards."""
    if not plan.returns:
        return DecisionOutcome.NOT_RETURNED
    return DecisionOutcome.PARTLY_RETURNED if plan.remains else DecisionOutcome.RETURNED


def decision_entry(
    order: Order,
    kind: Kind,
    plan: KindPlan,
    *,
    matched: Matched,
    trigger: str,
    settings_version: int,
    revert: NewRevert | None = None,
    remark_id: int | None = None,
) -> Happening:
    """The journal's entry for one decision; ``revert`` is what was written when something came back."""
    currency = currency_of(order, kind)
    data: dict[str, Any] = {
        "kind": kind,
        "trigger": trigger,
        "settings_version": settings_version,
        "matched": matched.as_json(),
        "outcome": outcome_of(plan).value,
        "code": plan.code,
        "amount": value_json(plan.returns if revert is None else revert.amount, currency),
        "applied": value_json(plan.used, currency),
        "remains": value_json(plan.remains, currency),
        "currency": currency,
    }
    if revert is None:
        return happened_to(order, Event.REVERT_SKIPPED, data, remark_id=remark_id)
    return _of_revert(order, REVERTED_EVENT[kind], data, revert, remark_id)


def unacted_entry(order: Order, kind: Kind, reason: Matched, *, trigger: str, settings_version: int) -> Happening:
    """The journal's entry for what automatic cancelling does not do about ``kind``, and why (E10, N6)."""
    currency = currency_of(order, kind)
    data: dict[str, Any] = {
        "kind": kind,
        "trigger": trigger,
        "settings_version": settings_version,
        "matched": reason.as_json(),
        "outcome": DecisionOutcome.NOT_RETURNED.value,
        "code": "no_trigger",
        "amount": value_json(0, currency),
        "applied": value_json(applied(order, kind), currency),
        "remains": value_json(applied(order, kind) - reverted(order, kind), currency),
        "currency": currency,
    }
    return happened_to(order, Event.REVERT_SKIPPED, data)


def persons_entry(
    order: Order,
    kind: Kind,
    event: Event,
    *,
    code: str,
    trigger: str,
    settings_version: int,
    remark_id: int | None = None,
    amount: Amount = 0,
    revert: Revert | None = None,
) -> Happening:
    """The journal's entry for what a person decided about the part of ``kind`` that is not back (B2, M11, N4).

    ``order`` is as it is afterwards; ``amount`` is what was taken back by undoing ``revert``.
    """
    currency, back = currency_of(order, kind), reverted(order, kind)
    data: dict[str, Any] = {
        "kind": kind,
        "trigger": trigger,
        "settings_version": settings_version,
        "matched": BY_PERSON.as_json(),
        "outcome": (DecisionOutcome.PARTLY_RETURNED if back else DecisionOutcome.NOT_RETURNED).value,
        "code": code,
        "amount": value_json(amount, currency),
        "applied": value_json(applied(order, kind), currency),
        "remains": value_json(applied(order, kind) - back, currency),
        "currency": currency,
    }
    if revert is None:
        return happened_to(order, event, data, remark_id=remark_id)
    return _of_revert(order, event, data, revert, remark_id)


def _of_revert(
    order: Order, event: Event, data: dict[str, Any], revert: Revert | NewRevert, remark_id: int | None
) -> Happening:
    """What happened to an order by ``revert``, and so to its customer: another's than the order's by a code (R7)."""
    data["revert"] = str(revert.id)
    return Happening(order.store_id, event, order.pk, revert.customer_id, remark_id=remark_id, data=data)


def decisions(order: Order, store: Store) -> "QuerySet[JournalEntry]":
    """The decisions about an order of ``store``."""
    return JournalEntry.objects.for_store(store).filter(order=order, event__in=DECIDING)


def last_decisions(orders: Collection[Order], store: Store) -> dict[tuple[int, Kind], JournalEntry]:
    """The newest decision about each kind of these orders of ``store``, where there is one; one query."""
    entries = JournalEntry.objects.for_store(store).filter(order__in=orders, event__in=DECIDING)
    return {(entry.order_id, entry.data["kind"]): entry for entry in entries.order_by("id")}
