"""How many points an order has earned, and how many of them are to be taken back: pure rules (C1)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from loyalty.stores.preferences import EarningSettings
from orders.models import Order, OrderStatus, PaymentStatus

# An order that was older than this when it first arrived is history, whatever becomes of it (C2).
HISTORY: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Earned:
    """What was awarded for an order, how much of it was taken back, and what could not be taken so far."""

    awarded: int
    taken: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Settling:
    """What has to happen so that the customer keeps what the order's state says: take, or forget and give.

    ``forget`` is what could not be taken and need not be taken any more.
    """

    take: int = 0
    give: int = 0
    forget: int = 0


def earns(order: Order, rule: EarningSettings, *, currency: str) -> int:
    """Points that ``order`` earns by the store's rule as it stands; 0 when its status is not the one that earns.

    For whole units of the order's total, in the store's ``currency`` only: a rate means nothing for another one.
    """
    if rule.points_per_unit is None or order.is_test or order.currency != currency or not _reached(order, rule):
        return 0
    return int(order.total * rule.points_per_unit)


def seen_in_time(order: Order, earning_since: datetime | None) -> bool:
    """Whether ``order`` may earn at all: placed while the store's rule was on, and not 60 days before it arrived (C2).

    ``earning_since`` is when the rule was last switched on, None while it is off.
    """
    if earning_since is None or order.placed_at < earning_since:
        return False
    return order.created_at - order.placed_at <= HISTORY


def _reached(order: Order, rule: EarningSettings) -> bool:
    if order.fell_through:
        return False
    if rule.on_status == "paid":
        return order.payment_status == PaymentStatus.PAID
    later = {"confirmed": (OrderStatus.CONFIRMED, OrderStatus.COMPLETED), "completed": (OrderStatus.COMPLETED,)}
    return order.status in later[rule.on_status]


def forfeited(order: Order, awarded: int) -> int:
    """How many of the points ``awarded`` the customer does not keep, as the order stands.

    All when it is cancelled or refunded; of a partial refund its share, rounded in the customer's favour.
    """
    if order.fell_through:
        return awarded
    if order.payment_status != PaymentStatus.PARTIALLY_REFUNDED or not order.total:
        return 0
    share: Decimal = min(order.refunded_total, order.total) * awarded
    return int(share // order.total)


def settling(earned: Earned, *, forfeits: int, claw_back: bool) -> Settling:
    """What to take or to give again so that ``forfeits`` of the points awarded are not with the customer.

    What could not be taken is not tried again by the same order: it counts against what is earned next. When the order
    came back or a refund was withdrawn, that is forgotten first, and then what was taken is given again, whether or not
    the store still takes points back.
    """
    too_many = earned.taken + earned.dropped - forfeits
    if too_many < 0:
        return Settling(take=-too_many) if claw_back else Settling()
    forget = min(earned.dropped, too_many)
    return Settling(give=too_many - forget, forget=forget)
