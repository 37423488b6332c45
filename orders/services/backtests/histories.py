"""Reading orders' pasts out of the journal and the ledger, for the back-test; a constant number of queries a batch."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Q

from loyalty.journal.models import JournalEntry
from loyalty.journal.record import Event
from loyalty.ledger.ledger import Kind
from loyalty.ledger.models import MovementType
from loyalty.ledger.planner import Amount, UsedLot
from loyalty.stores.actors import Actor
from orders.kinds import LEDGERS
from orders.models import PAID_STATUSES, CodeOutcome, CodeUse, Order, OrderStatus, PaymentStatus
from orders.services.automation.expire_payments import JOB as EXPIRING
from orders.services.backtests.cancel_history import AUTOMATIC, History, Since

_OUR_JOB = Actor.job(EXPIRING).ref


def read_histories(orders: Sequence[Order]) -> dict[int, History]:
    """The past of each order by its id; one query.

    Where the journal has no beginning (rows made in bulk), the payment is taken to have been pending until it last
    changed, and the order open until it was cancelled.
    """
    told = JournalEntry.unscoped.filter(order__in=[order.pk for order in orders]).order_by("id")
    about = Q(event__in=(Event.ORDER_CANCELLED, Event.PAYMENT_ATTEMPT_FAILED)) | Q(
        data__has_any_keys=["status", "payment_status", "payment_detail"]
    )
    entries: dict[int, list[JournalEntry]] = defaultdict(list)
    for entry in told.filter(about).only("order_id", "event", "actor", "data", "created_at"):
        entries[entry.order_id or 0].append(entry)
    return {order.pk: _history(order, entries[order.pk]) for order in orders}


def _history(order: Order, entries: Sequence[JournalEntry]) -> History:
    complete = any(entry.event == Event.ORDER_CREATED for entry in entries)
    payments = [
        *([] if complete else _payments_without_journal(order, entries)),
        *(one for entry in entries if (one := _payment(entry))),
    ]
    statuses = [
        *([] if complete else _statuses_without_journal(order, entries)),
        *(one for entry in entries if (one := _status(entry))),
    ]
    return History(
        placed_at=order.placed_at,
        due_at=order.payment_due_at,
        payments=_with_details(payments, _details(order, entries)),
        statuses=statuses,
        declined=[entry.created_at for entry in entries if entry.event == Event.PAYMENT_ATTEMPT_FAILED],
        paid_before=order.paid_before and not _tells_of_money(payments, statuses),
    )


def _tells_of_money(payments: Sequence[Since], statuses: Sequence[Since]) -> bool:
    paid = any(one.status in PAID_STATUSES for one in payments)
    return paid or any(one.status == OrderStatus.COMPLETED for one in statuses)


def _payment(entry: JournalEntry) -> Since | None:
    """The payment status an event brought; not when a job of ours set it, which other settings would not have."""
    status = _said(entry.data, "payment_status")
    return None if status is None or entry.actor == _OUR_JOB else Since(entry.created_at, status)


def _details(order: Order, entries: Sequence[JournalEntry]) -> list[tuple[datetime, str]]:
    """What kept the payment open, and from when on; the first change that is told says what was before it."""
    told = [(entry.created_at, entry.data["payment_detail"]) for entry in entries if "payment_detail" in entry.data]
    if not told:
        return [(order.created_at, order.payment_detail)]
    first = told[0][1]
    before = [(order.created_at, first["from"])] if isinstance(first, Mapping) else []
    return before + [(at, said["to"] if isinstance(said, Mapping) else said) for at, said in told]


def _with_details(payments: Sequence[Since], details: Sequence[tuple[datetime, str]]) -> list[Since]:
    """The payments with what was known of them; a detail that came or went begins a payment of its own."""
    moments = sorted({one.at for one in payments} | {at for at, _ in details if at > payments[0].at})
    return [
        replace(
            [one for one in payments if one.at <= moment][-1],
            at=moment,
            detail=next((detail for at, detail in reversed(details) if at <= moment), ""),
        )
        for moment in moments
    ]


def _status(entry: JournalEntry) -> Since | None:
    if entry.event == Event.ORDER_CANCELLED:
        automatic = entry.data.get("trigger") in AUTOMATIC
        return None if automatic else Since(entry.created_at, OrderStatus.CANCELLED)
    status = _said(entry.data, "status")
    return None if status is None else Since(entry.created_at, status)


def _said(data: Mapping[str, Any], name: str) -> str | None:
    """``to`` of a change, or the plain value of a beginning."""
    said = data.get(name)
    value = said.get("to") if isinstance(said, Mapping) else said
    return value if isinstance(value, str) else None


def _payments_without_journal(order: Order, entries: Sequence[JournalEntry]) -> list[Since]:
    beginning = Since(order.created_at, PaymentStatus.PENDING)
    if any("payment_status" in entry.data for entry in entries):
        return [beginning]
    changed_at = order.payment_changed_at
    if changed_at is None or changed_at <= order.created_at:
        return [Since(order.created_at, order.payment_status)]
    return [beginning, Since(changed_at, order.payment_status)]


def _statuses_without_journal(order: Order, entries: Sequence[JournalEntry]) -> list[Since]:
    cancelled_at = order.cancelled_at
    if cancelled_at is None:
        return [Since(order.created_at, order.status)]
    beginning = Since(order.created_at, OrderStatus.PENDING)
    told = order.cancelled_by in AUTOMATIC or any(entry.event == Event.ORDER_CANCELLED for entry in entries)
    return [beginning] if told else [beginning, Since(cancelled_at, OrderStatus.CANCELLED)]


def used_then(kind: Kind, moments: Mapping[int, datetime]) -> dict[int, list[UsedLot]]:
    """What these orders had drawn on at their ``moments`` and was not back by then, as the ledger tells; two queries.

    What automatic cancelling gave back is as if it were not. An allocation of which nothing was out then is left out.
    """
    then = lots_then(kind, moments, without=AUTOMATIC)
    return {
        order_id: [replace(lot, amount=lot.outstanding, returned=0) for lot in lots if lot.outstanding]
        for order_id, lots in then.items()
    }


def lots_then(kind: Kind, moments: Mapping[int, datetime], *, without: Collection[str]) -> dict[int, list[UsedLot]]:
    """What these orders drew on, with what was back at their ``moments``, as the ledger tells; three queries at most.

    What the triggers ``without`` gave back is as if it were not; what was spent later, or by a code that the order was
    not known to have come with yet (R7), counts as back. Whether a lot had expired is told by the moment.
    """
    used = LEDGERS[kind].used_lots(list(moments))
    moved = _moved(kind, used, moments, without)
    return {
        order_id: [
            replace(lot, returned=lot.amount - max(moved[lot.allocation_id], 0), booked_off=False) for lot in lots
        ]
        for order_id, lots in used.items()
    }


def _moved(
    kind: Kind, used: Mapping[int, Sequence[UsedLot]], moments: Mapping[int, datetime], without: Collection[str]
) -> Mapping[int, Amount]:
    coded_at = _coded_at({lot.redemption_id for lots in used.values() for lot in lots if lot.redemption_id is not None})
    until = {
        lot.allocation_id: moments[order_id]
        for order_id, lots in used.items()
        for lot in lots
        if lot.redemption_id is None or coded_at[lot.redemption_id] <= moments[order_id]
    }
    types = (MovementType.SPEND, MovementType.REVERT, MovementType.UNDO)
    # What an order used with a code was spent by the code's redemption (R7).
    ours = Q(order__in=list(moments)) | Q(redemption__in=coded_at) if coded_at else Q(order__in=list(moments))
    rows = LEDGERS[kind].tables.movement.unscoped.filter(ours, type__in=types).exclude(trigger__in=without)
    out: dict[int, Amount] = defaultdict(int)
    for allocation_id, amount, created_at in rows.values_list("allocation_id", "amount", "created_at"):
        if allocation_id in until and created_at <= until[allocation_id]:
            out[allocation_id] -= amount
    return out


def _coded_at(redemption_ids: Collection[int]) -> dict[int, datetime]:
    """When the orders that these redemptions paid for were known to have come with their codes."""
    if not redemption_ids:
        return {}
    uses = CodeUse.unscoped.filter(redemption__in=redemption_ids, outcome=CodeOutcome.USED)
    return dict(uses.values_list("redemption", "created_at"))
