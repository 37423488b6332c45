"""What will be cancelled automatically: now, under settings that are only being considered, and in the next hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from django.db.models import Count, DateTimeField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from loyalty.store_settings.sections import AutoCancelSettings, StoreSettings
from loyalty.stores.models import Store
from orders.models import ATTEMPT_FAILED, AUTO_CANCELLABLE, RUNS_OUT, Order, OrderStatus, PaymentStatus
from orders.services.automation.cancel_unpaid import Rule, due_orders, rules_of
from orders.services.automation.expire_payments import patience

# A count beyond this is shown as "more than"; the database looks at no more rows than that.
COUNTED_TO: Final = 10_000
AHEAD: Final = timedelta(hours=24)
# E9 for an order whose payment is still pending: what the sweep would pass over once it expired is left out here too.
CANCELLABLE: Final = Q(
    status__in=(OrderStatus.PENDING, OrderStatus.CONFIRMED), held_at__isnull=True, arrived_late=False, is_test=False
)
USED: Final = Q(credits_applied__gt=0) | Q(points_applied__gt=0)


@dataclass(frozen=True, slots=True)
class Affected:
    """How many orders, and how many of them used credits or points; both end at one more than ``COUNTED_TO``."""

    orders: int = 0
    with_value: int = 0

    def __add__(self, other: "Affected") -> "Affected":
        return Affected(self.orders + other.orders, self.with_value + other.with_value)


def due_before(moment: datetime, auto: AutoCancelSettings) -> Q:
    """Unpaid orders whose payment is due before ``moment``: by their own due time, else by the store's window (E1)."""
    own = Q(payment_due_at__lt=moment)
    if auto.payment_window is None:
        return RUNS_OUT & own
    return RUNS_OUT & (own | Q(payment_due_at__isnull=True, placed_at__lt=moment - auto.payment_window))


def would_cancel_expired(store: Store, settings: StoreSettings, now: datetime) -> Affected:
    """What ``settings``, saved or not, would cancel at ``now`` because the payment expired or is overdue (E1, E2)."""
    if settings.auto_cancel.expired == "off":
        return Affected()
    return _would_cancel(store, settings, PaymentStatus.EXPIRED, now) + would_cancel_overdue(store, settings, now)


def would_cancel_failed(store: Store, settings: StoreSettings, now: datetime) -> Affected:
    """What ``settings``, saved or not, would cancel at ``now`` because the payment failed, or no try worked (F1)."""
    if settings.auto_cancel.failed == "off":
        return Affected()
    given_up = _declined(store, settings.auto_cancel).filter(due__lte=now)
    return _would_cancel(store, settings, PaymentStatus.FAILED, now) + _count(given_up)


def would_cancel_overdue(store: Store, settings: StoreSettings, now: datetime) -> Affected:
    """What ``settings`` would cancel at ``now`` of the orders whose payment is still pending but overdue (E1, E9)."""
    if settings.auto_cancel.expired == "off":
        return Affected()
    arms = _unpaid_arms(store, settings.auto_cancel, "lte", now)
    return sum((_count(arm) for arm in arms), Affected())


def upcoming(store: Store, settings: StoreSettings, now: datetime, *, most: int) -> list[tuple[int, datetime]]:
    """Ids and due times of the orders that the store's settings will cancel in the next 24 hours, oldest due first.

    A declined card that no other payment follows is announced for when it counts as failed (E10). Held orders are left
    out. One statement, which reads at most ``most`` orders from each of five indexes.
    """
    until = now + AHEAD
    arms: list[QuerySet[Any]] = []
    for rule in rules_of(store, settings):
        if rule.payment_status == PaymentStatus.EXPIRED:
            arms += _unpaid_arms(store, settings.auto_cancel, "lt", until)
        else:
            arms.append(_declined(store, settings.auto_cancel).filter(due__lt=until).order_by("due"))
        arms.append(_waiting(rule, until))
    if not arms:
        return []
    rows = [arm.values_list("pk", "due")[:most] for arm in arms]
    found = rows[0].union(*rows[1:], all=True).order_by("due", "pk") if len(rows) > 1 else rows[0]
    return list(found[:most])


def held_orders(store: Store) -> "QuerySet[Order]":
    """The orders that staff hold and that are not cancelled."""
    orders: QuerySet[Order] = Order.objects.for_store(store)
    return orders.filter(~Q(status=OrderStatus.CANCELLED), held_at__isnull=False).order_by("-placed_at", "-pk")


def due_at(order: Order, auto: AutoCancelSettings) -> datetime | None:
    """When the order's payment is due: its own time, else by the store's window; None for never (E1)."""
    return auto.due(order.payment_due_at, order.placed_at)


def declined_until(order: Order, auto: AutoCancelSettings) -> datetime | None:
    """Until when another payment may follow the order's declined card; None without one, or once it is due (E10)."""
    if order.attempt_failed_at is None:
        return None
    until, due = order.attempt_failed_at + patience(auto), due_at(order, auto)
    return until if due is None or until < due else None


def _unpaid_arms(
    store: Store, auto: AutoCancelSettings, lookup: Literal["lt", "lte"], moment: datetime
) -> "Sequence[QuerySet[Order]]":
    """Unpaid orders that are due before (``lt``) or up to (``lte``) ``moment``, oldest due first."""
    # Two queries rather than one with OR: each walks its own index in the order of the due time.
    unpaid = _unpaid(store)
    own = unpaid.filter(**{f"payment_due_at__{lookup}": moment}).annotate(due=F("payment_due_at"))
    arms = [(own, "payment_due_at")]
    if (window := auto.payment_window) is not None:
        without = unpaid.filter(**{f"placed_at__{lookup}": moment - window}, payment_due_at__isnull=True)
        arms.append((without.annotate(due=_later("placed_at", window)), "placed_at"))
    # One whose card was declined may count as failed before that, and has no open payment then.
    first = Q(attempt_failed_at__isnull=True) | Q(due__lte=_later("attempt_failed_at", patience(auto)))
    return [arm.filter(first).order_by(walked) for arm, walked in arms]


def _declined(store: Store, auto: AutoCancelSettings) -> "QuerySet[Any]":
    """Unpaid orders whose card was declined, with when that counts as failed unless they are paid or due before."""
    tried = _unpaid(store).filter(ATTEMPT_FAILED, paid_before=False)
    tried = tried.annotate(due=_later("attempt_failed_at", patience(auto)))
    own = Q(payment_due_at__gt=F("due"))
    if auto.payment_window is None:
        return tried.filter(own | Q(payment_due_at__isnull=True))
    by_window = Q(payment_due_at__isnull=True, placed_at__gt=F("due") - auto.payment_window)
    return tried.filter(own | by_window)


def _unpaid(store: Store) -> "QuerySet[Order]":
    unpaid: QuerySet[Order] = Order.objects.for_store(store).filter(RUNS_OUT, CANCELLABLE)
    return unpaid


def _later(column: str, span: timedelta) -> "ExpressionWrapper[Any]":
    return ExpressionWrapper(F(column) + Value(span), output_field=DateTimeField())


def _waiting(rule: Rule, until: datetime) -> "QuerySet[Order]":
    """Orders whose payment has fallen through and that wait for the sweep, or for the end of their grace."""
    orders: QuerySet[Order] = Order.objects.for_store(rule.store)
    since = Coalesce("payment_changed_at", "placed_at")
    due = ExpressionWrapper(since + Value(rule.grace), output_field=DateTimeField())
    waiting = orders.filter(AUTO_CANCELLABLE, payment_status=rule.payment_status).annotate(due=due)
    return waiting.filter(due__lt=until).order_by("due")


def _would_cancel(store: Store, settings: StoreSettings, status: PaymentStatus, now: datetime) -> Affected:
    rules = (rule for rule in rules_of(store, settings) if rule.payment_status == status)
    return sum((_count(due_orders(rule, now)) for rule in rules), Affected())


def _count(orders: "QuerySet[Order]") -> Affected:
    looked_at = orders.order_by()[: COUNTED_TO + 1]
    counts = looked_at.aggregate(all=Count("pk"), used=Count("pk", filter=USED))
    return Affected(counts["all"], counts["used"])
