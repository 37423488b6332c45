"""What staff should know before they cancel or return; each warning only when it is true (M3, N3, O6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.core.phrases import listed
from loyalty.core.tags import tag_key
from loyalty.ledger.ledger import Kind
from loyalty.ledger.models import MovementType, Origin
from loyalty.platforms.registry import LABELS
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Store
from orders.kinds import KINDS, LEDGERS, OWN, applied, currency_of, reverted, show
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
        yield OrderWarning(
            "skip_tag", _("The tag “%(tag)s” exempts this order from automatic returns.") % {"tag": names[0]}
        )


def _partly_returned(order: Order, store: Store) -> Iterator[OrderWarning]:
    for kind in KINDS:
        if 0 < reverted(order, kind) < applied(order, kind):
            currency = currency_of(order, kind)
            back, used = show(reverted(order, kind), currency, store), show(applied(order, kind), currency, store)
            yield OrderWarning(
                "partly_returned",
                _("%(back)s of %(used)s are already back with the customer.") % {"back": back, "used": used},
                kind,
            )


def _open_on_platform(order: Order, settings: StoreSettings) -> Iterator[OrderWarning]:
    name = LABELS.get(order.platform)
    # What the platform has not said yet counts as open; it is closed only when it said so.
    if not name or order.cancelled_by == Trigger.PLATFORM or order.platform_data.get("is_open") is False:
        return
    kinds = listed(_(OWN[kind]) for kind in given_back_there(order, settings.write_back))
    if order.status == OrderStatus.CANCELLED:
        words = _("The order is still open on %(platform)s; cancel it there.")
    elif not settings.write_back.cancel_orders:
        words = _("This does not cancel the order on %(platform)s; do that there.")
    elif kinds:
        words = _(
            "The order is open on %(platform)s. It is cancelled there too, and %(platform)s is asked to return the "
            "%(kinds)s of its own that it used."
        )
    else:
        words = _("The order is open on %(platform)s. It is cancelled there too, and nothing is given back there.")
    yield OrderWarning("open_on_platform", words % {"platform": name, "kinds": kinds})


def _third_extension(order: Order, store: Store, now: datetime) -> Iterator[OrderWarning]:
    if order.customer_id is None:
        return
    earlier = len(_extended_this_year(order.customer_id, store, now) - {order.pk})
    if earlier + 1 >= _MANY_EXTENSIONS and _has_expired(order, now):
        words = ngettext(
            "Expired value was extended for this customer %(times)s time this year.",
            "Expired value was extended for this customer %(times)s times this year.",
            earlier,
        )
        yield OrderWarning("third_extension", words % {"times": earlier})


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
        yield OrderWarning("no_email", _("The order has no customer, so nobody can be told."))
    elif not order.customer.email:
        yield OrderWarning("no_email", _("The customer has no e-mail address and cannot be told."))
