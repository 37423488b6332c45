"""Recording orders that come from a shop platform: the one door for files, webhooks and polling (O2, O5, O6)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db import IntegrityError, transaction

from loyalty.journal.record import Event, Happening, record
from loyalty.platforms.snapshot import OrderSnapshot
from loyalty.stores.actors import Actor, Trigger
from loyalty.stores.identifying import CustomerFacts, identify
from loyalty.stores.models import Customer, Store
from loyalty.stores.preferences import StoreSettings, current_settings
from orders.models import Order, PaymentStatus
from orders.services.attempts import note_attempts
from orders.services.changing import PAYMENT_FACTS, note_payment, order_updated, unacted
from orders.services.code_uses import codes_there, use_codes
from orders.services.earning import Earner, settle_earned
from orders.services.platform_presence import note_still_there
from orders.services.platform_state import (
    HEARD,
    LAST_SAID,
    OUTSIDE_TOTAL,
    is_repeat,
    is_there_again,
    only_our_tags,
    recorded_standing,
    standing,
    state_after,
    was_paid,
)
from orders.services.rules import Facts, facts_of
from orders.services.unsaid import filled, meant
from orders.services.watching import WATCHED, watch

# An order that first arrives with its payment fallen through longer ago than this is recorded, not acted on (E9).
LATE: Final = timedelta(days=7)
# What is written about a state that says nothing new: only that it has been heard.
_SILENT: Final = ("platform_updated_at", "platform_data", "tags", "tag_keys", "paid_before")

# What says nothing of its own: "tags" tell of their keys, payment and status of what was.
_UNTOLD: Final = ("platform_updated_at", "tag_keys", "paid_before")


class Outcome(StrEnum):
    """What recording a snapshot came to."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    STALE = "stale"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What happened; there is no order for a test delivery. ``left_out`` names what could not be read (O10)."""

    order: Order | None
    outcome: Outcome
    left_out: tuple[str, ...] = ()


@transaction.atomic
def ingest(
    *,
    store: Store,
    platform: str,
    snapshot: OrderSnapshot,
    actor: Actor,
    now: datetime,
    shown_at: datetime | None = None,
) -> IngestResult:
    """Record what ``platform`` says about one order.

    An older state than the recorded one changes nothing, and neither does one that says nothing new: no version, no
    journal (O2). What is new, or said again, the spent-revert rules look at (N2). A cancel made here stands (O6).
    Nothing is taken from the customer (O5). An order that first arrives expired or failed and was placed more than 7
    days ago is marked and not acted on (E9). ``shown_at`` is when the platform showed the order, which may be long
    after its last change: one that is shown is not deleted there any more (O9). A test delivery is recognised and not
    stored. The points of codes issued here that the order came with are points that it used (R7). What could not be
    read stays as it was recorded (O10).
    """
    if snapshot.is_test_delivery:
        return IngestResult(None, Outcome.TEST)
    snapshot = meant(snapshot, now=now)
    order = _existing(store, platform, snapshot)
    if order is None:
        try:
            with transaction.atomic():
                created = _create(store, platform, filled(snapshot, None), actor, now)
                note_attempts(created, snapshot.attempts, actor=actor, now=now)
                return IngestResult(created, Outcome.CREATED, snapshot.left_out)
        except IntegrityError:
            # Another transaction recorded the same order first; the unique key made this one wait for its commit.
            order = _existing(store, platform, snapshot)
            if order is None:
                raise
    snapshot = filled(snapshot, order)
    heard_before = order.platform_updated_at
    outcome = _update(order, snapshot, store, actor, now)
    if note_attempts(order, snapshot.attempts, actor=actor, now=now) and outcome != Outcome.STALE:
        outcome = Outcome.UPDATED
    if is_there_again(order, snapshot, heard_before, shown_at):
        note_still_there(order, actor=actor, now=now)
    return IngestResult(order, outcome, snapshot.left_out)


def _existing(store: Store, platform: str, snapshot: OrderSnapshot) -> Order | None:
    orders = Order.objects.for_store(store).filter(platform=platform, external_id=snapshot.external_id).order_by()
    order: Order | None = orders.select_for_update(of=("self",), no_key=True).first()
    return order


def _create(store: Store, platform: str, snapshot: OrderSnapshot, actor: Actor, now: datetime) -> Order:
    order = Order(store=store, platform=platform, external_id=snapshot.external_id, created_at=now, updated_at=now)
    _set(order, state_after(order, snapshot, store))
    order.customer = _customer(store, platform, snapshot, now)
    fell_through = _fell_through(order) or bool(snapshot.attempts)
    order.arrived_late = fell_through and snapshot.placed_at < now - LATE
    note_payment(order, changed=True, now=now)
    settings = current_settings(store)
    watch(order, None, rules=settings.spent_revert, now=now)
    order.save(force_insert=True)
    data: dict[str, Any] = {"status": order.status, "payment_status": order.payment_status, "platform": platform}
    if order.payment_detail:
        data["payment_detail"] = order.payment_detail
    if order.arrived_late:
        data["arrived_late"] = True
    happening = Happening(store.pk, Event.ORDER_CREATED, order_id=order.pk, customer_id=order.customer_id, data=data)
    record([happening], actor=actor, now=now)
    # What came with it at once is watched as the order itself is: as news.
    if use_codes(order, codes_there(order), actor=actor, now=now):
        _watch_again(order, None, settings, now)
    _settle_earned(order, store, settings, actor, now)
    return order


def _fell_through(order: Order) -> bool:
    return order.payment_status in (PaymentStatus.EXPIRED, PaymentStatus.FAILED)


def _update(order: Order, snapshot: OrderSnapshot, store: Store, actor: Actor, now: datetime) -> Outcome:
    recorded = recorded_standing(order)
    if recorded is not None and (standing(snapshot, order.platform) < recorded or is_repeat(order, snapshot)):
        # Too old to change what the order is; that it was paid once is true whenever it is heard (E10).
        if was_paid(snapshot) and not order.paid_before:
            order.paid_before = True
            order.save(update_fields=["paid_before"])
        return Outcome.STALE
    settings, before = current_settings(store), facts_of(order)
    after = state_after(order, snapshot, store) | _customer_after(order, snapshot, store, now)
    changes = {name: (getattr(order, name), value) for name, value in after.items() if getattr(order, name) != value}
    # The platform tells us of the tag that we put there: no news, and nothing for the rules to look at.
    own_tag = "tags" in changes and only_our_tags(order, *changes["tags"])
    shown = _worth_telling({name: pair for name, pair in changes.items() if not (own_tag and name == "tags")})
    _set(order, after)
    if own_tag:
        before = replace(before, tag_keys=facts_of(order).tag_keys)
    if not shown:
        # Remembered all the same: a state between the recorded one and this one may still arrive, and is older.
        watched = WATCHED if not own_tag and watch(order, before, rules=settings.spent_revert, now=now) else ()
        order.save(update_fields=[*(name for name in _SILENT if name in changes), *watched])
        return Outcome.UNCHANGED
    note_payment(order, changed="payment_status" in changes, now=now)
    order.version += 1
    order.updated_at = now
    if facts_of(order) != before:
        watch(order, before, rules=settings.spent_revert, now=now)
    order.save(update_fields=[*changes, *PAYMENT_FACTS, *WATCHED, "version", "updated_at"])
    order.refresh_from_db()
    told = unacted(order, settings.version) if "payment_status" in changes else []
    record([order_updated(order, shown), *told], actor=actor, now=now)
    if use_codes(order, codes_there(order), actor=actor, now=now):
        _watch_again(order, facts_of(order), settings, now)
    _settle_earned(order, store, settings, actor, now)
    return Outcome.UPDATED


def _watch_again(order: Order, before: Facts | None, settings: StoreSettings, now: datetime) -> None:
    """The order has used something that it had not used before: that may belong back at once (N2)."""
    if watch(order, before, rules=settings.spent_revert, now=now):
        order.save(update_fields=WATCHED)


def _settle_earned(order: Order, store: Store, settings: StoreSettings, actor: Actor, now: datetime) -> None:
    earner = Earner(order, store, settings)
    settle_earned([earner], actor=actor, trigger=Trigger.PLATFORM, now=now)


def _set(order: Order, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(order, name, value)


def _customer_after(order: Order, snapshot: OrderSnapshot, store: Store, now: datetime) -> dict[str, Any]:
    """Who the order belongs to. What it used was this customer's, so from then on it stays with him (T1, L3)."""
    if order.credits_applied or order.points_applied:
        return {}
    customer = _customer(store, order.platform, snapshot, now)
    return {"customer_id": customer.pk} if customer else {}


def _customer(store: Store, platform: str, snapshot: OrderSnapshot, now: datetime) -> Customer | None:
    if snapshot.customer is None:
        return None
    said = snapshot.customer
    facts = CustomerFacts(
        said.external_id or None, said.email, said.name, phone=said.phone, locale=said.locale, platform=platform
    )
    return identify(store, facts, now=now)


def _worth_telling(changes: dict[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """The differences as the journal shows them: without bookkeeping, lines by their number."""
    told = {name: pair for name, pair in changes.items() if name not in _UNTOLD}
    if "lines" in told:
        old, new = told["lines"]
        told["lines"] = (len(old), len(new))
    if "platform_data" in told:
        old, new = told.pop("platform_data")
        names = [name for name in new if name not in (LAST_SAID, HEARD, OUTSIDE_TOTAL) and old.get(name) != new[name]]
        if names:
            told["platform_data"] = ({name: old.get(name) for name in names}, {name: new[name] for name in names})
    return told
