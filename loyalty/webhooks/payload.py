"""What an endpoint is sent: ids, amounts, balances; nothing personal beyond ids.

A payload is made of the journal's entry and the ledger's movements. Neither ever changes, so every attempt, and a
replay months later, sends the same bytes.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, get_args

from django.db.models import Q, QuerySet

from loyalty.core.values import instant_text, value_json
from loyalty.journal.models import JournalEntry
from loyalty.ledger.ledger import Kind
from loyalty.ledger.models import AbstractMovement, MovementType
from loyalty.ledger.registry import ledger_of
from loyalty.outbox.models import Message
from loyalty.webhooks.events import TEST, WebhookEvent

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

# What each event tells of its journal entry: named one by one, so that nothing gets out because somebody recorded it.
_DECISION: Final = ("kind", "trigger", "outcome", "code", "amount", "applied", "remains", "currency", "revert")
FACTS: Final[Mapping[str, tuple[str, ...]]] = {
    WebhookEvent.ORDER_CANCELLED: ("trigger", "reason"),
    WebhookEvent.CREDITS_REVERTED: _DECISION,
    WebhookEvent.POINTS_REVERTED: _DECISION,
    WebhookEvent.REVERT_SKIPPED: _DECISION,
    WebhookEvent.REVERT_UNDONE: ("kind", "trigger", "amount", "currency", "revert"),
    WebhookEvent.BALANCE_CHANGED: (),
    WebhookEvent.REDEMPTION_REVERSED: ("trigger", "points", "returned", "taken", "currency", "forced"),
}
# Events that come with what they changed in the customer's balances.
WITH_CHANGES: Final = frozenset(WebhookEvent) - {WebhookEvent.ORDER_CANCELLED, WebhookEvent.REVERT_SKIPPED}
# Which movements an entry's operation writes: two operations on one order may carry the same instant. Lapsed value is
# booked off by whichever write comes next, and is no part of what that one did.
_WRITES: Final[Mapping[str, tuple[MovementType, ...]]] = {
    "order.spent": (MovementType.SPEND,),
    "order.deducted_again": (MovementType.SPEND,),
    "order.credit_reverted": (MovementType.REVERT,),
    "order.points_reverted": (MovementType.REVERT,),
    "order.revert_undone": (MovementType.UNDO,),
    "order.points_earned": (MovementType.GRANT,),
    "order.points_taken_back": (MovementType.CLAW_BACK,),
    "order.points_given_again": (MovementType.GRANT,),
    "redemption.created": (MovementType.SPEND, MovementType.GRANT),
    "redemption.reversed": (MovementType.REVERT, MovementType.CLAW_BACK, MovementType.ADJUST),
}
_ANY: Final = tuple(type_ for type_ in MovementType if type_ is not MovementType.EXPIRE)


def payload_of(message: Message, entry: JournalEntry | None) -> bytes:
    """The body to send for a message; a test has no ``entry``."""
    event: str = message.body["type"]
    if entry is None:
        data: dict[str, Any] = {"endpoint": str(message.body["endpoint"])}
        return _json(TEST, instant_text(message.created_at), data)
    return _json(event, instant_text(entry.created_at), _data(event, entry))


def _json(event: str, timestamp: str, data: dict[str, Any]) -> bytes:
    return json.dumps({"type": event, "timestamp": timestamp, "data": data}, separators=(",", ":")).encode()


def _data(event: str, entry: JournalEntry) -> dict[str, Any]:
    data: dict[str, Any] = {
        "order": _id(entry.order_id),
        "customer": _id(entry.customer_id),
        "redemption": _id(entry.redemption_id),
        **{name: entry.data[name] for name in FACTS[event] if name in entry.data},
    }
    if event == WebhookEvent.BALANCE_CHANGED:
        data["cause"] = entry.event
    if event in WITH_CHANGES:
        data["changes"] = [change for kind in _kinds(entry) for change in _changes(entry, kind)]
    return data


def _id(key: int | None) -> str | None:
    return None if key is None else str(key)


def _kinds(entry: JournalEntry) -> tuple[Kind, ...]:
    return tuple(kind for kind in KINDS if entry.data.get("kind", kind) == kind)


def _changes(entry: JournalEntry, kind: Kind) -> list[dict[str, Any]]:
    """What the entry's event did to the customer's balance of one kind, by currency (points have none)."""
    sums: dict[str, Any] = {}
    balances: dict[str, Any] = {}
    for movement in _movements(entry, kind):
        currency = movement.currency
        sums[currency] = sums.get(currency, 0) + movement.amount
        balances[currency] = movement.balance_after
    return [
        {
            "kind": kind,
            "currency": currency,
            "amount": value_json(amount, currency),
            "balance_after": value_json(balances[currency], currency),
        }
        for currency, amount in sums.items()
    ]


def _movements(entry: JournalEntry, kind: Kind) -> "QuerySet[AbstractMovement]":
    """The movements that the entry's operation wrote: they carry its instant, and its order, redemption or remark."""
    rows: QuerySet[AbstractMovement] = ledger_of(kind).tables.movement.objects.for_store(entry.store)
    ours = Q(order=entry.order_id) if entry.order_id else Q(order__isnull=True)
    if entry.order_id is None and entry.redemption_id is not None:
        ours = Q(redemption=entry.redemption_id)
    elif entry.order_id is None:
        ours &= Q(redemption__isnull=True, remark=entry.remark_id)
    if revert := entry.data.get("revert"):
        ours &= Q(revert=revert)
    types = _WRITES.get(entry.event, _ANY)
    return rows.filter(ours, customer=entry.customer_id, created_at=entry.created_at, type__in=types).order_by("id")
