"""What staff should know before they cancel or return; each warning only when it is true (M3, N3, O6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from loyalty.core.tags import tag_key
from loyalty.ledger.ledger import Kind
from loyalty.ledger.models import MovementType, Origin
from loyalty.platforms.registry import LABELS
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Store
from orders.kinds import KINDS, LEDGERS, applied, currency_of, reverted, show
from orders.models import Order, OrderStatus
from orders.services.reverts.plans import load_used
from orders.services.reverts.write_back import given_back_there

# From this extension of a year on, staff are told.
_MANY_EXTENSIONS: Final = 3


@dataclass(frozen=True, slots=True)
class OrderWarning:
    """A code of the REST contract, and a sentence for people; ``kind`` where it is about one kind alone."""

    code: str
    detail: str
    kind: Kind | None = None


def warnings_for(order: Order, *, store: Store, settings: StoreSettings, now: datetime) -> list[OrderWarning]:
    """What staff should know before they cancel ``order`` or return its value.

    Codes: ``skip_tag``, ``partly_returned``, ``open_on_platform``, ``third_extension``, ``no_email``. Two queries, four
    for a customer who was given extensions before.
    """
    return [
        *_skip_tag(order, settings),
        *_partly_returned(order, store),
        *_open_on_platform(order, settings),
        *_third_extension(order, store, now),
        *_no_email(order),
    ]


def _skip_tag(order: Order, settings: StoreSettings) -> Iterator[OrderWarning]:
    skipping = {tag_key(tag) for tag in settings.spent_revert.skip_tags}
    names = [tag for tag in order.tags if tag_key(tag) in skipping]
    if names:
        yield OrderWarning("skip_tag", f"The tag “{names[0]}” exempts this order from automatic returns.")


def _partly_returned(order: Order, store: Store) -> Iterator[OrderWarning]:
    for kind in KINDS:
        if 0 < reverted(order, kind) < applied(order, kind):
            currency = currency_of(order, kind)
            back, used = show(reverted(order, kind), currency, store), show(applied(order, kind), currency, store)
            yield OrderWarning("partly_returned", f"{back} of {used} are already back with the customer.", kind)


def _open_on_platform(order: Order, settings: StoreSettings) -> Iterator[OrderWarning]:
    name = LABELS.get(order.platform)
    # What the platform has not said yet counts as open; it is closed only when it said so.
    if not name or order.cancelled_by == Trigger.PLATFORM or order.platform_data.get("is_open") is False:
        return
    if order.status == OrderStatus.CANCELLED:
        words = f"The order is still open on {name}; cancel it there."
    elif settings.write_back.cancel_orders:
        kinds = " and ".join(given_back_there(order, settings.write_back))
        back = (
            f"{name} is asked to return the {kinds} of its own that it used" if kinds else "nothing is given back there"
        )
        words = f"The order is open on {name}. It is cancelled there too, and {back}."
    else:
        words = f"This does not cancel the order on {name}; do that there."
    yield OrderWarning("open_on_platform", words)


def _third_extension(order: Order, store: Store, now: datetime) -> Iterator[OrderWarning]:
    if order.customer_id is None:
        return
    earlier = _extended_this_year(order.customer_id, store, now) - {order.pk}
    if len(earlier) + 1 >= _MANY_EXTENSIONS and _has_expired(order, now):
        yield OrderWarning(
            "third_extension", f"Expired value was extended for this customer {len(earlier)} times this year."
        )


def _extended_this_year(customer_id: int, store: Store, now: datetime) -> set[int]:
    """The orders of which something expired came back to this customer since the store's 1 January."""
    start = datetime.combine(now.astimezone(store.tz).date().replace(month=1, day=1), time.min, store.tz)
    return {order_id for kind in KINDS for order_id in _extended_since(kind, customer_id, start)}


def _extended_since(kind: Kind, customer_id: int, start: datetime) -> list[int]:
    tables = LEDGERS[kind].tables
    lots = tables.lot.unscoped.filter(customer=customer_id, origin=Origin.EXTENSION, granted_at__gte=start)
    movements = tables.movement.unscoped.filter(
        lot__in=lots.values("pk"), type=MovementType.REVERT, order__isnull=False
    )
    return list(movements.order_by().values_list("order_id", flat=True).distinct())


def _has_expired(order: Order, now: datetime) -> bool:
    used = load_used([order.pk])
    lots = (lot for kind in KINDS for lot in used[kind].get(order.pk, ()))
    return any(lot.outstanding and lot.is_expired(now) for lot in lots)


def _no_email(order: Order) -> Iterator[OrderWarning]:
    if order.customer is None:
        yield OrderWarning("no_email", "The order has no customer, so nobody can be told.")
    elif not order.customer.email:
        yield OrderWarning("no_email", "The customer has no e-mail address and cannot be told.")
