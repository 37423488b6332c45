"""Orders that were split from one another: their value returns through one of them, never through both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db.models import Exists, OuterRef, Q

from loyalty.ledger.ledger import Kind
from orders.kinds import KINDS, reverted
from orders.models import Order

# What tells relatives of an order from one another, and whether their value is back.
_NEEDED: Final = (
    "store_id",
    "platform",
    "external_id",
    "parent_external_id",
    "number",
    *(f"{k}_reverted" for k in KINDS),
)


def was_split() -> Exists:
    """Whether an order of the query has parts that are orders of their own."""
    parts = Order.unscoped.filter(
        store=OuterRef("store"), platform=OuterRef("platform"), parent_external_id=OuterRef("external_id")
    )
    return Exists(parts)


@dataclass(frozen=True, slots=True)
class Families:
    """The relatives of some orders, by the order's id."""

    relatives: Mapping[int, Sequence[Order]] = field(default_factory=dict)
    busy: frozenset[int] = frozenset()

    def returned_elsewhere(self, order: Order) -> dict[Kind, str]:
        """By kind, the number of the relative that has had its value back."""
        found: dict[Kind, str] = {}
        for relative in self.relatives.get(order.pk, ()):
            found |= {kind: relative.number for kind in KINDS if reverted(relative, kind)}
        return found


def lock_families(orders: Sequence[Order], split: Sequence[Order]) -> Families:
    """Read and lock the relatives of locked ``orders``; of those, ``split`` have parts.

    ``busy`` are the orders of which a relative is locked by somebody else or is among ``orders`` with a smaller id:
    they have to wait until that one is decided. No queries for orders without relatives, two for others.
    """
    wanted = _relatives_of(orders, split)
    if not wanted:
        return Families()
    found = list(Order.unscoped.filter(wanted).only(*_NEEDED))
    # Waiting for a relative could wait for somebody who waits for us; what is taken is left for later instead.
    free = Order.unscoped.filter(pk__in=[order.pk for order in found]).only(*_NEEDED).order_by("pk")
    locked = {order.pk: order for order in free.select_for_update(no_key=True, skip_locked=True)}
    relatives = {order.pk: [locked.get(one.pk, one) for one in found if _related(order, one)] for order in orders}
    mine = {order.pk for order in orders}
    busy = (
        pk
        for pk, near in relatives.items()
        if any(one.pk not in locked or (one.pk in mine and one.pk < pk) for one in near)
    )
    return Families(relatives, frozenset(busy))


def _relatives_of(orders: Sequence[Order], split: Sequence[Order]) -> Q:
    wanted = Q()
    for order in orders:
        if order.parent_external_id:
            wanted |= Q(store=order.store_id, platform=order.platform, external_id=order.parent_external_id)
    for order in split:
        wanted |= Q(store=order.store_id, platform=order.platform, parent_external_id=order.external_id)
    return wanted


def _related(one: Order, other: Order) -> bool:
    if (one.store_id, one.platform) != (other.store_id, other.platform):
        return False
    return _is_part_of(one, other) or _is_part_of(other, one)


def _is_part_of(part: Order, whole: Order) -> bool:
    return bool(part.parent_external_id) and part.parent_external_id == whole.external_id
