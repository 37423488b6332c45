"""What a bulk cancel would do before it is confirmed: how many, how much value, which orders stand out (B1)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from loyalty.core.tags import tag_key
from loyalty.ledger.ledger import Kind, currency_for
from loyalty.ledger.planner import Amount
from loyalty.platforms.registry import LABELS
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.models import Store
from orders.kinds import KINDS
from orders.models import BulkCancel, BulkItem, Order, OrderStatus, PaymentStatus
from orders.services.bulk_cancels.run import PAID

_CANCELLED: Final = Q(status=OrderStatus.CANCELLED)
_SETTLED: Final = Q(payment_status__in=PAID) | Q(status=OrderStatus.COMPLETED)


@dataclass(frozen=True, slots=True)
class Stake:
    """How much of one kind, in one currency (points: none), the orders used and how much of it is back already."""

    kind: Kind
    currency: str
    used: Amount
    back: Amount

    @property
    def stays(self) -> Amount:
        """What will not be with the customers afterwards."""
        return self.used - self.back


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of the orders that would be cancelled, by what is to be known about them, and the value they used."""

    total: int
    going: int
    already: int
    changed: int
    spent: int
    counts: Mapping[str, int]
    stakes: tuple[Stake, ...]


def summary_of(
    bulk: BulkCancel, store: Store, settings: StoreSettings, *, leave_paid: bool, leave_completed: bool
) -> Summary:
    """What confirming ``bulk`` like this would do to its orders as they are now; two statements."""
    orders = orders_of(bulk, store)
    open_ones = orders.filter(~_CANCELLED)
    unseen = BulkItem.objects.for_store(store).filter(bulk=bulk, order=OuterRef("pk"), settled=False)
    changed = Exists(unseen) & _SETTLED
    counted = open_ones.aggregate(
        open=Count("pk"), changed=Count("pk", filter=changed), **_counts(~changed, settings.spent_revert.skip_tags)
    )
    going = going_orders(bulk, store, leave_paid=leave_paid, leave_completed=leave_completed)
    spent = Count("pk", filter=Q(credits_applied__gt=0) | Q(points_applied__gt=0))
    rows = list(going.order_by().values("currency").annotate(orders=Count("pk"), spent=spent, **_sums()))
    return Summary(
        total=bulk.total,
        going=sum(row["orders"] for row in rows),
        already=bulk.total - counted.pop("open"),
        changed=counted.pop("changed"),
        spent=sum(row["spent"] for row in rows),
        counts=counted,
        stakes=tuple(_stakes(rows)),
    )


def orders_of(bulk: BulkCancel, store: Store) -> "QuerySet[Order]":
    """The orders of a bulk cancel, whatever became of them."""
    items = BulkItem.objects.for_store(store).filter(bulk=bulk)
    return Order.objects.for_store(store).filter(pk__in=items.values("order"))


def going_orders(bulk: BulkCancel, store: Store, *, leave_paid: bool, leave_completed: bool) -> "QuerySet[Order]":
    """The orders that confirming would cancel: the same question that is asked under their locks."""
    orders = orders_of(bulk, store).exclude(_CANCELLED)
    unseen = BulkItem.objects.for_store(store).filter(bulk=bulk, order=OuterRef("pk"), settled=False)
    orders = orders.exclude(_SETTLED & Exists(unseen))
    if leave_paid:
        orders = orders.exclude(payment_status__in=PAID)
    return orders.exclude(status=OrderStatus.COMPLETED) if leave_completed else orders


def _counts(shown: Any, skip_tags: Iterable[str]) -> dict[str, Count]:
    tags = [tag_key(tag) for tag in skip_tags]
    conditions: dict[str, Q] = {
        "paid": Q(payment_status__in=PAID),
        "completed": Q(status=OrderStatus.COMPLETED),
        "refunded": Q(payment_status=PaymentStatus.REFUNDED),
        "back": Q(credits_reverted__gt=0) | Q(points_reverted__gt=0),
        "skip_tag": Q(tag_keys__overlap=tags),
        "platform": Q(platform__in=LABELS),
    }
    return {name: Count("pk", filter=Q(shown) & condition) for name, condition in conditions.items()}


def _sums() -> dict[str, Any]:
    names = [f"{kind}_{fact}" for kind in KINDS for fact in ("applied", "reverted")]
    return {f"sum_{name}": Coalesce(Sum(name), Decimal(0) if name.startswith("credits") else 0) for name in names}


def _stakes(rows: Iterable[Mapping[str, Any]]) -> list[Stake]:
    by_currency: dict[tuple[Kind, str], list[Amount]] = {}
    for row in rows:
        for kind in KINDS:
            sums = by_currency.setdefault((kind, currency_for(kind, row["currency"])), [0, 0])
            sums[0] += row[f"sum_{kind}_applied"]
            sums[1] += row[f"sum_{kind}_reverted"]
    return [Stake(*key, *sums) for key, sums in sorted(by_currency.items()) if sums[0]]
