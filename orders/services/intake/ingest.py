"""Recording orders that come from a shop platform: the one door for files, webhooks and polling (O2, O5, O6)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from django.db import IntegrityError, transaction

from loyalty.customers.identify import CustomerFacts, identify_all
from loyalty.database.bulk import insert, new_ids, update
from loyalty.journal.record import Event, Happening, record
from loyalty.platforms.snapshot import OrderSnapshot
from loyalty.store_settings.sections import StoreSettings, current_settings
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import Customer, Store
from orders.models import Order, PaymentStatus
from orders.models.order import GENERATED
from orders.services.codes.uses import use_codes_there
from orders.services.earned_points.settle import Earner, settle_in_turns
from orders.services.events import happened_to
from orders.services.intake.change import PAYMENT_FACTS, note_payment, order_updated, unacted
from orders.services.intake.failed_payments import note_attempts
from orders.services.intake.fill_gaps import filled, meant
from orders.services.intake.platform_presence import note_still_there
from orders.services.intake.platform_state import (
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
from orders.services.rules.decide import facts_of
from orders.services.rules.schedule import WATCHED, watch

# An order that first arrives with its payment fallen through longer ago than this is recorded, not acted on (E9).
LATE: Final = timedelta(days=7)
# What says nothing of its own: "tags" tell of their keys, payment and status of what was.
_UNTOLD: Final = ("platform_updated_at", "tag_keys", "paid_before")
_COLUMNS: Final = tuple(column.attname for column in Order._meta.concrete_fields if not column.generated)
# What a platform's word may change.
_CHANGING: Final = (
    "number", "customer_id", "status", "payment_status", "payment_due_at", "placed_at", "currency", "total",
    "refunded_total", "tags", "tag_keys", "lines", "platform_data", "platform_updated_at", "is_test", "cancelled_at",
    "cancelled_by", "version", "updated_at", *PAYMENT_FACTS, *WATCHED,
)  # fmt: skip


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


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a platform says of one order, and when it showed it: perhaps long after the order's last change (O9)."""

    snapshot: OrderSnapshot
    shown_at: datetime | None = None


def ingest(
    *,
    store: Store,
    platform: str,
    snapshot: OrderSnapshot,
    actor: Actor,
    now: datetime,
    shown_at: datetime | None = None,
) -> IngestResult:
    """Record what ``platform`` says about one order, as :func:`ingest_all` does about several."""
    arrivals = [Arrival(snapshot, shown_at)]
    return ingest_all(store=store, platform=platform, arrivals=arrivals, actor=actor, now=now)[0]


@transaction.atomic
def ingest_all(
    *, store: Store, platform: str, arrivals: Sequence[Arrival], actor: Actor, now: datetime
) -> list[IngestResult]:
    """Record what ``platform`` says about orders, each of them named once; all or nothing.

    An older state than the recorded one changes nothing, and neither does one that says nothing new: no version, no
    journal (O2). What is new, or said again, the spent-revert rules look at (N2). A cancel made here stands (O6).
    Nothing is taken from the customer (O5). An order that first arrives expired or failed and was placed more than 7
    days ago is marked and not acted on (E9). One that is shown is not deleted there any more (O9). A test delivery is
    recognised and not stored. The points of codes issued here that an order came with are points that it used (R7).
    What could not be read stays as it was recorded (O10). Statements do not grow with the orders, but for codes issued
    here and orders that come back.
    """
    intake = _Intake(store, platform, actor, now)
    entries = intake.read(arrivals)
    if any(entry.outcome is Outcome.CREATED for entry in entries.values()):
        try:
            with transaction.atomic():
                intake.record(entries.values())
        except IntegrityError:
            # Another transaction recorded one of these orders first; the unique key made this one wait for its commit.
            # What was locked after the orders is let go, so that this one is locked before it, too.
            entries = intake.read(arrivals)
            intake.record(entries.values())
    else:
        intake.record(entries.values())
    return [_result(entries.get(arrival.snapshot.external_id)) for arrival in arrivals]


def _result(entry: "_Entry | None") -> IngestResult:
    if entry is None:
        return IngestResult(None, Outcome.TEST)
    return IngestResult(entry.order, entry.outcome, entry.snapshot.left_out)


@dataclass(slots=True, eq=False)
class _Entry:
    """An order on its way in: what is said of it, what it is, and what that comes to."""

    snapshot: OrderSnapshot
    shown_at: datetime | None
    order: Order
    outcome: Outcome
    heard_before: datetime | None = None
    customer: Customer | None = None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    is_dirty: bool = False

    @property
    def is_news(self) -> bool:
        """Whether the order is new or changed."""
        return self.outcome in (Outcome.CREATED, Outcome.UPDATED)


@dataclass
class _Intake:
    """Takes orders in, one list of them in one transaction."""

    store: Store
    platform: str
    actor: Actor
    now: datetime

    @cached_property
    def settings(self) -> StoreSettings:
        """The settings that govern the store, read once they are needed."""
        return current_settings(self.store)

    def read(self, arrivals: Sequence[Arrival]) -> dict[str, _Entry]:
        """Lock the orders that are known and hold what is said against them; by the platform's ids."""
        real = [arrival for arrival in arrivals if not arrival.snapshot.is_test_delivery]
        known = self._lock([arrival.snapshot.external_id for arrival in real])
        return {
            arrival.snapshot.external_id: self._entry(arrival, known.get(arrival.snapshot.external_id))
            for arrival in real
        }

    def _lock(self, external_ids: Sequence[str]) -> dict[str, Order]:
        orders = Order.objects.for_store(self.store).filter(platform=self.platform, external_id__in=external_ids)
        locked = orders.order_by("pk").select_for_update(of=("self",), no_key=True)
        return {order.external_id: order for order in locked}

    def _entry(self, arrival: Arrival, order: Order | None) -> _Entry:
        snapshot = meant(arrival.snapshot, now=self.now)
        if order is None:
            order = Order(
                store=self.store,
                platform=self.platform,
                external_id=snapshot.external_id,
                created_at=self.now,
                updated_at=self.now,
            )
            return _Entry(filled(snapshot, None), arrival.shown_at, order, Outcome.CREATED)
        snapshot = filled(snapshot, order)
        recorded = recorded_standing(order)
        is_old = recorded is not None and (standing(snapshot, self.platform) < recorded or is_repeat(order, snapshot))
        outcome = Outcome.STALE if is_old else Outcome.UNCHANGED
        return _Entry(snapshot, arrival.shown_at, order, outcome, heard_before=order.platform_updated_at)

    def record(self, entries: Collection[_Entry]) -> None:
        """Write what is said of these orders."""
        self._identify([entry for entry in entries if _may_name_a_customer(entry)])
        new = [entry for entry in entries if entry.outcome is Outcome.CREATED]
        for entry in new:
            self._fill_in(entry)
        _insert([entry.order for entry in new])
        for entry in entries:
            if entry.outcome is not Outcome.CREATED:
                self._change(entry)
        _update([entry.order for entry in entries if entry.is_dirty])
        news = [entry for entry in entries if entry.is_news]
        record([happening for entry in news for happening in self._told(entry)], actor=self.actor, now=self.now)
        self._use_codes(news)
        earners = [Earner(entry.order, self.store, self.settings) for entry in news]
        settle_in_turns(earners, act=Act(self.actor, Trigger.PLATFORM, self.now))
        for entry in entries:
            self._note_attempts(entry)
            if is_there_again(entry.order, entry.snapshot, entry.heard_before, entry.shown_at):
                note_still_there(entry.order, actor=self.actor, now=self.now)

    def _identify(self, entries: Sequence[_Entry]) -> None:
        """Who the orders belong to."""
        said = [_facts(entry.snapshot, self.platform) for entry in entries]
        for entry, customer in zip(entries, identify_all(self.store, said, now=self.now), strict=True):
            entry.customer = customer

    def _fill_in(self, entry: _Entry) -> None:
        """Make the new order what is said of it."""
        order = entry.order
        _set(order, state_after(order, entry.snapshot, self.store))
        order.customer = entry.customer
        fell_through = _fell_through(order) or bool(entry.snapshot.attempts)
        order.arrived_late = fell_through and entry.snapshot.placed_at < self.now - LATE
        note_payment(order, changed=True, now=self.now)
        watch(order, None, rules=self.settings.spent_revert, now=self.now)

    def _change(self, entry: _Entry) -> None:
        """Bring a recorded order up to what is said of it, as far as that is news."""
        order, snapshot = entry.order, entry.snapshot
        if entry.outcome is Outcome.STALE:
            # Too old to change what the order is; that it was paid once is true whenever it is heard (E10).
            entry.is_dirty = was_paid(snapshot) and not order.paid_before
            order.paid_before |= was_paid(snapshot)
            return
        rules, before = self.settings.spent_revert, facts_of(order)
        after = state_after(order, snapshot, self.store)
        after |= {"customer_id": entry.customer.pk} if entry.customer else {}
        changes = {
            name: (getattr(order, name), value) for name, value in after.items() if getattr(order, name) != value
        }
        # The platform tells us of the tag that we put there: no news, and nothing for the rules to look at.
        own_tag = "tags" in changes and only_our_tags(order, *changes["tags"])
        entry.changes = _worth_telling({name: changes[name] for name in changes if not (own_tag and name == "tags")})
        _set(order, after)
        if own_tag:
            before = replace(before, tag_keys=facts_of(order).tag_keys)
        if not entry.changes:
            # Remembered all the same: a state between the recorded one and this one may still arrive, and is older.
            watched = not own_tag and watch(order, before, rules=rules, now=self.now)
            entry.is_dirty = bool(changes) or watched
            return
        entry.outcome, entry.is_dirty = Outcome.UPDATED, True
        note_payment(order, changed="payment_status" in changes, now=self.now)
        order.version += 1
        order.updated_at = self.now
        if facts_of(order) != before:
            watch(order, before, rules=rules, now=self.now)

    def _told(self, entry: _Entry) -> list[Happening]:
        order = entry.order
        if entry.outcome is Outcome.CREATED:
            data: dict[str, Any] = {"status": order.status, "payment_status": order.payment_status}
            data["platform"] = self.platform
            if order.payment_detail:
                data["payment_detail"] = order.payment_detail
            if order.arrived_late:
                data["arrived_late"] = True
            return [happened_to(order, Event.ORDER_CREATED, data)]
        told = unacted(order, self.settings.version) if "payment_status" in entry.changes else []
        return [order_updated(order, dict(entry.changes)), *told]

    def _use_codes(self, entries: Sequence[_Entry]) -> None:
        """Have the orders use the points of codes issued here: that may belong back at once (R7, N2)."""
        is_new = {entry.order.pk: entry.outcome is Outcome.CREATED for entry in entries}
        for order in use_codes_there([entry.order for entry in entries], actor=self.actor, now=self.now):
            # What came with it at once is watched as the order itself is: as news.
            before = None if is_new[order.pk] else facts_of(order)
            if watch(order, before, rules=self.settings.spent_revert, now=self.now):
                order.save(update_fields=WATCHED)

    def _note_attempts(self, entry: _Entry) -> None:
        """Tell the tries to pay that failed, which few orders have (E10)."""
        is_news = note_attempts(entry.order, entry.snapshot.attempts, actor=self.actor, now=self.now)
        if is_news and entry.outcome is Outcome.UNCHANGED:
            entry.outcome = Outcome.UPDATED


def _may_name_a_customer(entry: _Entry) -> bool:
    """Whether who is named may be the order's. What it used was its customer's, so then it stays with him (T1, L3)."""
    used = entry.order.credits_applied or entry.order.points_applied
    return entry.outcome is not Outcome.STALE and not used and entry.snapshot.customer is not None


def _facts(snapshot: OrderSnapshot, platform: str) -> CustomerFacts:
    said = snapshot.customer
    if said is None:
        return CustomerFacts(None, "", "", platform=platform)
    facts = {"phone": said.phone, "locale": said.locale, "platform": platform}
    return CustomerFacts(said.external_id or None, said.email, said.name, **facts)


def _insert(orders: Sequence[Order]) -> None:
    """Write new orders and give them their ids, which follow the order given.

    They are written by their names there, so that two writers of the same orders meet in one sequence only.
    """
    for order, pk in zip(orders, new_ids(Order, len(orders)), strict=True):
        order.pk = pk
    ordered = sorted(orders, key=lambda order: str(order.external_id))
    if orders:
        insert(Order, {name: [getattr(order, name) for order in ordered] for name in _COLUMNS})


def _update(orders: Sequence[Order]) -> None:
    """Write changed orders, and read what the database generates."""
    if not orders:
        return
    columns = {name: [getattr(order, name) for order in orders] for name in _CHANGING}
    generated = update(Order, [order.pk for order in orders], columns, returning=GENERATED)
    for order in orders:
        order.__dict__.update(zip(GENERATED, generated[order.pk], strict=True))


def _fell_through(order: Order) -> bool:
    return order.payment_status in (PaymentStatus.EXPIRED, PaymentStatus.FAILED)


def _set(order: Order, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(order, name, value)


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
