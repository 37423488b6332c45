"""Cancelling any number of orders as a piece of work: chosen, confirmed, carried out batch by batch (B1).

One way for one order and for a hundred thousand: a request carries a short one out by itself, the worker a long one.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.clock import Clock, ticking
from loyalty.core.errors import Invalid, NotFound
from loyalty.core.locales import count_text
from loyalty.database.bulk import array, insert
from loyalty.database.busy import raise_if_away
from loyalty.database.halves import in_halves
from loyalty.database.named_stores import in_store
from loyalty.jobs.periodic import wake
from loyalty.jobs.retries import words_of
from loyalty.stores.actors import Actor
from loyalty.stores.models import Remark, Store
from orders.models import BulkCancel, BulkItem, BulkState, Order, OrderStatus, Outcome, PaymentStatus
from orders.services.locks import lock_orders
from orders.services.reverts.apply import CancelResult, Details
from orders.services.reverts.cancel import cancel_many

logger = logging.getLogger(__name__)

JOB: Final = "orders.bulk_cancel"
# How many orders one bulk cancel may have, so that choosing them stays one short request.
MOST: Final = 100_000
# Up to here a request carries it out by itself instead of leaving it to the worker.
AT_ONCE: Final = 500
# Large enough that a batch costs little more than its rows, small enough to hold locks for well under a second.
BATCH: Final = 400
# How long a bulk cancel that nobody confirmed is kept.
DRAFTS_LAST: Final = timedelta(days=1)
PAID: Final = frozenset({PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED})

ALREADY: Final = "already_cancelled"
CHANGED: Final = "changed_meanwhile"
WORDS: Final[Mapping[str, str]] = {
    ALREADY: gettext_noop("It was cancelled already."),
    "paid": gettext_noop("It is paid, and paid orders were left out."),
    "completed": gettext_noop("It is completed, and completed orders were left out."),
    CHANGED: gettext_noop("It was paid or completed after it had been chosen."),
    "not_found": gettext_noop("It is not there any more."),
}


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one order."""

    outcome: Outcome
    code: str = ""
    error: str = ""


@transaction.atomic
def choose(*, store: Store, orders: "QuerySet[Order]", filters: str, actor: Actor, now: datetime) -> BulkCancel:
    """A bulk cancel of exactly these orders of ``store``, not confirmed yet; ``filters`` is the list's query.

    Raises Invalid for no order at all, and for more than :data:`MOST`.
    """
    chosen = orders.filter(store=store).order_by("pk").values_list("pk", "status", "payment_status")
    rows = list(chosen[: MOST + 1])
    if not rows:
        raise Invalid.at("/orders", _("Choose the orders to cancel in the list first."), code="required")
    if len(rows) > MOST:
        too_many = _("At most %(most)s orders can be cancelled at once. Narrow the list down.") % {
            "most": count_text(MOST)
        }
        raise Invalid.at("/orders", too_many, code="max")
    bulk: BulkCancel = BulkCancel.objects.create(
        store=store, filters=filters, actor=actor.ref, total=len(rows), created_at=now
    )
    columns: dict[str, list[Any]] = {
        "store_id": [store.pk] * len(rows),
        "bulk_id": [bulk.pk] * len(rows),
        "order_id": [order_id for order_id, _status, _payment in rows],
        "settled": [is_settled(status, payment) for _id, status, payment in rows],
        **{name: [""] * len(rows) for name in ("outcome", "code", "error")},
    }
    insert(BulkItem, columns)
    return bulk


def is_settled(status: str, payment_status: str) -> bool:
    """Whether an order is paid or completed: nobody should find it cancelled who had not seen that."""
    return payment_status in PAID or status == OrderStatus.COMPLETED


@transaction.atomic
def confirm(
    *,
    store: Store,
    bulk_id: int,
    details: Details,
    leave_paid: bool,
    leave_completed: bool,
    actor: Actor,
    now: datetime,
) -> BulkCancel:
    """Have the chosen orders cancelled. Safe to repeat: what is confirmed already is answered as it is.

    Raises NotFound for a bulk cancel of another store (T1). A long one is the worker's; a short one is the caller's
    to :func:`carry_out`.
    """
    bulk = _lock(store, bulk_id)
    if bulk.state != BulkState.DRAFT:
        return bulk
    if details.reason or details.note:
        bulk.remark = Remark.objects.create(store=store, reason=details.reason, note=details.note, created_at=now)
    bulk.leave_paid, bulk.leave_completed = leave_paid, leave_completed
    bulk.actor, bulk.state, bulk.confirmed_at = actor.ref, BulkState.OPEN, now
    bulk.save_changes()
    if bulk.total > AT_ONCE:
        wake(JOB)
    return bulk


@transaction.atomic
def stop(*, store: Store, bulk_id: int, actor: Actor, now: datetime) -> BulkCancel:
    """Look at no more of its orders; what is cancelled stays so. Waits for the batch that is being written."""
    bulk = _lock(store, bulk_id)
    if bulk.state == BulkState.OPEN:
        bulk.state, bulk.stopped_by, bulk.finished_at = BulkState.STOPPED, actor.ref, now
        bulk.save(update_fields=["state", "stopped_by", "finished_at"])
    return bulk


@transaction.atomic
def go_on(*, store: Store, bulk_id: int) -> BulkCancel:
    """Look at what is left of one that was stopped, and again at the orders that could not be cancelled."""
    bulk = _lock(store, bulk_id)
    if bulk.state == BulkState.DRAFT:
        return bulk
    failed = BulkItem.objects.for_store(store).filter(bulk=bulk, outcome=Outcome.FAILED)
    failed.update(outcome=Outcome.WAITING, code="", error="")
    bulk.failed = 0
    if bulk.waiting:
        bulk.state, bulk.stopped_by, bulk.finished_at = BulkState.OPEN, "", None
        wake(JOB)
    bulk.save(update_fields=["failed", "state", "stopped_by", "finished_at"])
    return bulk


def _lock(store: Store, bulk_id: int) -> BulkCancel:
    bulks = BulkCancel.objects.for_store(store).select_for_update(no_key=True)
    bulk: BulkCancel | None = bulks.filter(pk=bulk_id).first()
    if bulk is None:
        raise NotFound(_("This store has no bulk cancel with the id %(id)s.") % {"id": bulk_id})
    return bulk


def bulk_cancel(now: datetime) -> dict[str, int]:
    """The job: a batch of each confirmed bulk cancel in turn, until all are through; answers what came of the orders.

    May run in several workers at once and be killed at any moment (E8): a batch is one transaction with the outcomes
    of its orders in it, and whoever has claimed a bulk cancel with SKIP LOCKED is alone with it.
    """
    counts = {"cancelled": 0, "skipped": 0, "failed": 0}
    _forget_drafts(now)
    clock = ticking(now)
    while sum(_run_or_leave(bulk_id, clock, counts) for bulk_id in _open()):
        logger.debug("Bulk cancels: %s", counts)
    return counts


def carry_out(bulk: BulkCancel, now: datetime) -> BulkCancel:
    """Carry a short bulk cancel out now, and answer how it stands; whoever is at it already is left alone."""
    counts: dict[str, int] = {"cancelled": 0, "skipped": 0, "failed": 0}
    if bulk.total <= AT_ONCE:
        clock = ticking(now)
        while run_batch(bulk.pk, clock, counts):
            logger.debug("Bulk cancel %s: %s", bulk.pk, counts)
        bulk.refresh_from_db()
    return bulk


def _open() -> list[int]:
    return list(BulkCancel.unscoped.filter(state=BulkState.OPEN).order_by("pk").values_list("pk", flat=True))


def _run_or_leave(bulk_id: int, clock: Clock, counts: dict[str, int]) -> int:
    """A batch of one bulk cancel; one that cannot go on is left to its next turn and holds up none of the others."""
    try:
        return run_batch(bulk_id, clock, counts)
    except Exception as error:
        raise_if_away(error)
        logger.exception("Bulk cancel %s could not go on.", bulk_id)
        return 0


@transaction.atomic
def run_batch(bulk_id: int, clock: Clock, counts: dict[str, int]) -> int:
    """Cancel the next orders of one bulk cancel; adds to ``counts`` and answers how many it looked at.

    The row of the bulk cancel is a claim: taken first and never waited for, so it stands outside the order of locks.
    """
    claims = BulkCancel.unscoped.filter(pk=bulk_id, state=BulkState.OPEN).select_related("store", "remark")
    bulk = claims.select_for_update(of=("self",), no_key=True, skip_locked=True).first()
    if bulk is None:
        return 0
    with in_store(bulk.store_id):
        waiting = BulkItem.unscoped.filter(bulk=bulk, outcome=Outcome.WAITING).order_by("pk")
        items = list(waiting.only("order_id", "settled")[:BATCH])
        now = clock()
        done = _cancel_or_note(bulk, items, now)
        _write(items, done)
        _count(bulk, done.values(), now)
    for name in counts:
        counts[name] += sum(what.outcome == name for what in done.values())
    return len(items)


def _cancel_or_note(bulk: BulkCancel, items: Sequence[BulkItem], now: datetime) -> dict[int, Done]:
    """Cancel the orders; when they fail together, find the one that fails by halves and note its error (E7)."""
    done = in_halves(items, lambda some: _cancel(bulk, some, now))
    return {item.order_id: _noted(item, result) for item, result in zip(items, done, strict=True)}


def _noted(item: BulkItem, result: Done | Exception) -> Done:
    if isinstance(result, Done):
        return result
    logger.error("Order %s could not be cancelled in bulk.", item.order_id, exc_info=result)
    return Done(Outcome.FAILED, "error", words_of(result))


def _cancel(bulk: BulkCancel, items: Sequence[BulkItem], now: datetime) -> list[Done]:
    seen = {item.order_id: item.settled for item in items}
    # What is left out is decided under the lock: a payment that arrived in between wins (E6).
    left = {order.pk: _left_out(order, bulk, seen[order.pk]) for order in lock_orders(bulk.store, list(seen))}
    results = cancel_many(
        store=bulk.store,
        order_ids=[order_id for order_id in seen if not left.get(order_id)],
        details=Details(bulk.remark.reason, bulk.remark.note) if bulk.remark else Details(),
        actor=Actor.from_ref(bulk.actor),
        now=now,
    )
    skipped = {order_id: Done(Outcome.SKIPPED, code) for order_id, code in left.items() if code}
    done = skipped | {order_id: _outcome(result) for order_id, result in results.items()}
    return [done[item.order_id] for item in items]


def _left_out(order: Order, bulk: BulkCancel, settled: bool) -> str:
    if order.status == OrderStatus.CANCELLED:
        return ALREADY
    if bulk.leave_paid and order.payment_status in PAID:
        return "paid"
    if bulk.leave_completed and order.status == OrderStatus.COMPLETED:
        return "completed"
    return CHANGED if is_settled(order.status, order.payment_status) and not settled else ""


def _outcome(result: CancelResult | None) -> Done:
    if result is None:
        return Done(Outcome.FAILED, "not_found")
    return Done(Outcome.CANCELLED) if result.cancelled_now else Done(Outcome.SKIPPED, ALREADY)


def _write(items: Sequence[BulkItem], done: Mapping[int, Done]) -> None:
    outcomes = [done[item.order_id] for item in items]
    values = [
        array(item.pk for item in items),
        array(what.outcome.value for what in outcomes),
        array(what.code for what in outcomes),
        array(what.error for what in outcomes),
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{BulkItem._meta.db_table}" AS item SET outcome = made.outcome, code = made.code, '
            "error = made.error FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS made(id, outcome, "
            "code, error) WHERE item.id = made.id",
            values,
        )


def _count(bulk: BulkCancel, done: Iterable[Done], now: datetime) -> None:
    for what in done:
        setattr(bulk, what.outcome, getattr(bulk, what.outcome) + 1)
    if not bulk.waiting:
        bulk.state, bulk.finished_at = BulkState.DONE, now
    bulk.save(update_fields=["cancelled", "skipped", "failed", "state", "finished_at"])


def _forget_drafts(now: datetime) -> None:
    """Delete what was chosen and never confirmed."""
    old = BulkCancel.unscoped.filter(state=BulkState.DRAFT, created_at__lt=now - DRAFTS_LAST)
    with transaction.atomic():
        ids = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:100])
        BulkItem.unscoped.filter(bulk__in=ids).delete()
        BulkCancel.unscoped.filter(pk__in=ids).delete()
