"""Merging customers: two rows that are one person become one (O7).

The merged one stays as a row that leads to the kept one. What he has is booked over, lot by lot, and the lots, his
orders and redemptions are the kept one's from then on, so whatever returns later reaches that one by itself. There is
no way back: nobody could tell any more what was whose.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from loyalty.core.errors import Invalid, NotFound
from loyalty.core.values import value_json
from loyalty.customers.merged import find_person
from loyalty.journal.record import Event, Happening, record
from loyalty.ledger.ledger import Kind
from loyalty.ledger.merge import hand_over, move_holdings
from loyalty.ledger.planner import Amount
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.notices.unsubscribe import withdraw_reminders
from loyalty.platforms.models import PrivacyRequest
from loyalty.stores.actors import Act, Actor
from loyalty.stores.models import Customer, PlatformId, Remark, Store
from orders.kinds import KINDS, LEDGERS
from orders.models import Order, Redemption
from orders.services.customers.merge_plans import MergeStale, filled, plan_merge, refuse_erased


@dataclass(frozen=True, slots=True)
class Merge:
    """What became of it: the kept customer, and whether anything was to be done: the two may have been one already."""

    kept: Customer
    done: bool


class _Changed(Exception):
    """What was locked is not what there is any more."""


@dataclass(frozen=True, slots=True)
class _Pair:
    store: Store
    merged: Customer
    kept: Customer
    orders: int = 0


@transaction.atomic
def merge_customers(
    *, store: Store, kept_id: int, merged_id: int, reason: str = "", token: str | None = None, act: Act
) -> Merge:
    """Merge one customer into another, for good; of two who are one already nothing is changed.

    Balances, lots with their expiry, debts, orders, redemptions, ids and waiting messages become the kept one's, in a
    number of statements that does not grow with them. What the kept one lacks of name, addresses and own id he takes
    over. With the ``token`` of a MergePlan exactly what was shown is done.

    Raises NotFound for a kept customer whom this store does not have, Invalid at ``/customer`` for a merged one, and
    for merging somebody into himself, NobodyLeft for somebody who was erased, MergeStale for a plan that has changed.
    """
    if kept_id == merged_id:
        raise Invalid.at("/customer", _("A customer cannot be merged with themselves."), code="same")
    pair = _locked(store, kept_id, merged_id)
    if pair.kept == pair.merged:
        return Merge(pair.kept, done=False)
    if token is None:
        refuse_erased(store, pair.merged, pair.kept)
    elif token != plan_merge(store, merged=pair.merged, kept=pair.kept, now=act.now).token:
        raise MergeStale(_("Something has changed since this was shown. Nothing was done."))
    moved = {kind: move_holdings(LEDGERS[kind], pair.merged, pair.kept, act=act) for kind in KINDS}
    _lead(pair, act.now)
    _hand_over(pair, act.now)
    _fill(pair, act.now)
    _record(pair, moved, reason, act.actor, act.now)
    return Merge(pair.kept, done=True)


def orders_of(store: Store, customer: Customer) -> "QuerySet[Order]":
    """The orders that a merge of ``customer`` is about: his own, those that came with his codes, his history's."""
    codes = Redemption.objects.for_store(store).filter(customer=customer, used_order__isnull=False)
    about = Q(customer=customer) | Q(pk__in=codes.values("used_order"))
    for kind in KINDS:
        movements = (
            LEDGERS[kind].tables.movement.objects.for_store(store).filter(customer=customer, order__isnull=False)
        )
        about |= Q(pk__in=movements.values("order_id"))
    return Order.objects.for_store(store).filter(about).order_by("pk")


def _locked(store: Store, kept_id: int, merged_id: int) -> _Pair:
    """Both customers, and before them the orders that change hands, locked (ADR 0003)."""
    while True:
        try:
            # To the savepoint, so that locks are let go of before they are taken again in their order.
            with transaction.atomic():
                return _try_to_lock(store, kept_id, merged_id)
        except _Changed:
            continue


def _try_to_lock(store: Store, kept_id: int, merged_id: int) -> _Pair:
    kept, merged = find_person(store, kept_id), find_person(store, merged_id)
    if kept is None:
        raise NotFound(_("This store has no customer with the id %(id)s.") % {"id": kept_id})
    if merged is None:
        raise Invalid.at("/customer", _("This store has no customer with this id."), code="not-found")
    if kept == merged:
        return _Pair(store, kept, kept)
    orders = orders_of(store, merged)
    held = set(orders.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
    # Not NO KEY: nothing may come to point to the one who goes while he goes.
    both = Customer.objects.for_store(store).filter(pk__in=(kept.pk, merged.pk)).order_by("pk").select_for_update()
    found: dict[int, Customer] = {customer.pk: customer for customer in both}
    if any(customer.merged_into_id for customer in found.values()) or set(orders.values_list("pk", flat=True)) - held:
        raise _Changed
    return _Pair(store, found[merged.pk], found[kept.pk], len(held))


def _lead(pair: _Pair, now: datetime) -> None:
    """From now on the merged one leads to the kept one, and so does everybody who led to him."""
    customers = Customer.objects.for_store(pair.store)
    customers.filter(Q(pk=pair.merged.pk) | Q(merged_into=pair.merged)).update(
        merged_into=pair.kept, merged_at=now, updated_at=now
    )
    ids = PlatformId.objects.for_store(pair.store)
    taken = ids.filter(customer=pair.kept, replaced_at__isnull=True).values("platform")
    ids.filter(customer=pair.merged, replaced_at__isnull=True, platform__in=taken).update(replaced_at=now)
    ids.filter(customer=pair.merged).update(customer=pair.kept)


def _hand_over(pair: _Pair, now: datetime) -> None:
    store, merged, kept = pair.store, pair.merged, pair.kept
    for kind in KINDS:
        hand_over(LEDGERS[kind], merged, kept)
    Order.objects.for_store(store).filter(customer=merged).update(
        customer=kept, version=F("version") + 1, updated_at=now
    )
    Redemption.objects.for_store(store).filter(customer=merged).update(customer=kept, updated_at=now)
    PrivacyRequest.objects.for_store(store).filter(customer=merged).update(customer=kept)
    notices = Notice.objects.for_store(store).filter(customer=merged)
    address = kept.email or merged.email
    notices.filter(status=NoticeStatus.QUEUED).update(to_email=address)
    notices.update(customer=kept)


def _fill(pair: _Pair, now: datetime) -> None:
    missing = filled(pair.merged, pair.kept)
    if "external_id" in missing:
        Customer.objects.for_store(pair.store).filter(pk=pair.merged.pk).update(external_id=None)
    for name, value in missing.items():
        setattr(pair.kept, name, value)
    pair.kept.no_reminders_since = pair.kept.no_reminders_since or pair.merged.no_reminders_since
    pair.kept.updated_at = now
    pair.kept.save(update_fields=[*missing, "no_reminders_since", "updated_at"])
    if pair.kept.no_reminders_since:
        withdraw_reminders(pair.kept)


def _record(pair: _Pair, moved: Mapping[Kind, Mapping[str, Amount]], reason: str, actor: Actor, now: datetime) -> None:
    remark = Remark.objects.create(store=pair.store, reason=reason, created_at=now) if reason else None
    facts = {
        "customer": str(pair.merged.pk),
        "orders": pair.orders,
        "points": value_json(moved["points"].get("", 0), ""),
        "credits": {currency: value_json(amount, currency) for currency, amount in moved["credits"].items()},
    }
    told = (
        (Event.CUSTOMER_MERGED, pair.kept, facts),
        (Event.CUSTOMER_MERGED_AWAY, pair.merged, {"customer": str(pair.kept.pk)}),
    )
    happenings = [
        Happening(pair.store.pk, event, customer_id=who.pk, remark_id=remark.pk if remark else None, data=data)
        for event, who, data in told
    ]
    record(happenings, actor=actor, now=now)
