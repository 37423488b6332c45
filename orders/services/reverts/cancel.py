"""Cancelling orders and returning value, by hand and in bulk (M1-M8, B1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.days import local_day
from loyalty.core.errors import Conflict
from loyalty.ledger.planner import ExpiredRule
from loyalty.ledger.posting import posting_together
from loyalty.store_settings.sections import StoreSettings, asking_settings, current_settings
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import Store
from orders.models import Order, OrderStatus
from orders.services.locks import lock_orders, locking, the_one
from orders.services.reverts.apply import CancelResult, Details, Work, apply_plans, decided, decisions_after, skips
from orders.services.reverts.choices import DEFER_ALL, CancelChoice, resolve
from orders.services.reverts.plans import OrderPlan, Preview, UsedByKind, asking_used, load_used, plan_order, preview
from orders.services.reverts.preview_token import CANCEL, Shown


class PreviewStale(Conflict):
    """What was shown is no longer what would happen; ``preview`` is what would happen now (M6)."""

    code = "preview-stale"
    title = gettext_noop("Something has changed since this was shown.")

    def __init__(self, fresh: Preview) -> None:
        super().__init__(_("The order or what would be returned has changed since this was shown. Nothing was done."))
        self.preview = fresh


class NotReturnable(Conflict):
    """Value is returned only on an order that is cancelled or refunded (M8)."""

    code = "not-returnable"
    title = gettext_noop("This order is neither cancelled nor refunded.")


@transaction.atomic
def cancel_order(
    *,
    store: Store,
    order_id: int,
    choice: CancelChoice,
    details: Details,
    token: str | None,
    act: Act,
    version: int | None = None,
) -> CancelResult:
    """Cancel one order and return what was chosen; on a cancelled order return what is left (M7, M8).

    With a ``token`` of a preview, exactly what was shown is applied, or :class:`PreviewStale` is raised (M6). Raises
    NotFound for an order of another store, Invalid for a choice that cannot be, VersionConflict when ``version`` is
    given and old.
    """
    with posting_together():
        found = _find(store, order_id, version)
        return _apply_to_one(found, choice, details, token, store, act, cancels=True)


@transaction.atomic
def return_value(
    *,
    store: Store,
    order_id: int,
    choice: CancelChoice,
    details: Details,
    token: str | None,
    act: Act,
    version: int | None = None,
) -> CancelResult:
    """Return what is left of a refunded or cancelled order and leave its status alone (M8).

    As :func:`cancel_order`; raises :class:`NotReturnable` when the order is neither.
    """
    with posting_together():
        found = _find(store, order_id, version)
        if not found.order.fell_through:
            raise NotReturnable(_("Value can be returned once the order is cancelled or its payment is refunded."))
        return _apply_to_one(found, choice, details, token, store, act, cancels=False)


@transaction.atomic
def cancel_many(
    *, store: Store, order_ids: Sequence[int], details: Details, actor: Actor, now: datetime
) -> dict[int, CancelResult | None]:
    """Cancel several orders and return nothing (B1), in as many statements as for one.

    Answers by id what happened; None for an id that this store does not have. An order that is already cancelled is
    left as it is.
    """
    orders = lock_orders(store, order_ids)
    settings = current_settings(store)
    used = load_used([order.pk for order in orders if order.status != OrderStatus.CANCELLED])
    plans = [
        plan_order(order, DEFER_ALL, used, store=store, rule=ExpiredRule.VALID_ONLY, now=now)
        for order in orders
        if order.status != OrderStatus.CANCELLED
    ]
    work = Work(store, settings, details, Act(actor, Trigger.BULK, now), cancels=True)
    done = {result.order.pk: result for result in apply_plans(plans, work)}
    untouched = {order.pk: CancelResult(order, cancelled_now=False, reverts=(), skipped=()) for order in orders}
    return {order_id: done.get(order_id) or untouched.get(order_id) for order_id in order_ids}


@dataclass(frozen=True, slots=True)
class _Found:
    """A locked order, what it drew on, and the settings that govern it."""

    order: Order
    used: UsedByKind
    settings: StoreSettings


def _find(store: Store, order_id: int, version: int | None) -> _Found:
    """All that is decided by, asked at once; what comes after the lock is read when it is held."""
    locked, used, settings = locking(store, [order_id]), asking_used([order_id]), asking_settings([store.pk])
    return _Found(the_one(locked(), order_id, version=version), used(), settings()[store.pk])


def _apply_to_one(
    found: _Found, choice: CancelChoice, details: Details, token: str | None, store: Store, act: Act, *, cancels: bool
) -> CancelResult:
    order = found.order
    plan = _confirmed_plan(found, choice, token, store, act.now)
    work = Work(store, found.settings, details, act, cancels and order.status != OrderStatus.CANCELLED)
    if not work.cancels and not plan.returns_anything and decisions_after(plan, work) == decided(order):
        return CancelResult(order, cancelled_now=False, reverts=(), skipped=skips(plan))
    return apply_plans([plan], work)[0]


def _confirmed_plan(found: _Found, choice: CancelChoice, token: str | None, store: Store, now: datetime) -> OrderPlan:
    order, settings = found.order, found.settings
    today = local_day(now, store.tz)
    if token is None:
        resolved = resolve(choice, limits=settings.extend, today=today)
        return plan_order(order, resolved, found.used, store=store, rule=ExpiredRule.VALID_ONLY, now=now)
    shown = Shown.read(token, CANCEL)
    if shown and choice == CancelChoice():
        choice = shown.asked
    if shown and shown.is_of(choice) and shown.is_ahead(today):
        plan = plan_order(order, shown.resolved, found.used, store=store, rule=ExpiredRule.VALID_ONLY, now=now)
        if plan.digest == shown.digest:
            return plan
    raise PreviewStale(preview(order, choice, store=store, settings=settings, now=now))
