"""How many points an order has earned, and how many of them are to be taken back: pure rules (C1)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from loyalty.core.tags import first_match
from loyalty.store_settings.sections import EarnedPointsSettings, EarningSettings
from orders.models import Order, OrderStatus, PaymentStatus
from orders.services.rules.decide import Facts, TriggerStatus, match, share_refunded
from orders.services.rules.trace import Matched, MatchedBy

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


@dataclass(frozen=True, slots=True)
class Forfeit:
    """What the customer does not keep of the points awarded: ``due`` is to be taken, ``most`` may stay taken.

    They differ where the settings have changed since: what was taken then stays taken while the order is in such a
    state, and nothing is taken for it any more. ``matched`` is what decided.
    """

    due: int = 0
    most: int = 0
    matched: Matched = field(default_factory=Matched)


def forfeited(facts: Facts, awarded: int, rules: EarnedPointsSettings) -> Forfeit:
    """How many of the points ``awarded`` the customer does not keep, as the order stands (C1).

    All when a status or tag of ``rules`` triggers, of a partial refund its share, rounded in the customer's favour.
    A skip tag wins over all of them, also over what was taken before it came, and while the rules are off (N3).
    """
    if skip_tag := first_match(rules.skip_tags, facts.tag_keys):
        return Forfeit(matched=Matched(MatchedBy.SKIP_TAG, skip_tag))
    found = match(facts, rules)
    share = _share(facts, awarded)
    most = awarded if facts.fell_through else share
    if found is None:
        return Forfeit(most=most)
    due = share if found.share else awarded
    return Forfeit(due if rules.claw_back else 0, max(due, most), found.matched)


def _share(facts: Facts, awarded: int) -> int:
    if TriggerStatus.PARTIALLY_REFUNDED not in facts.statuses:
        return 0
    return int(awarded * share_refunded(facts))


def settling(earned: Earned, forfeit: Forfeit) -> Settling:
    """What to take or to give again so that what the order forfeits is not with the customer, and the rest is.

    What could not be taken is not tried again by the same order: it counts against what is earned next. When the order
    came back or a refund was withdrawn, that is forgotten first, and then what was taken is given again, whether or not
    the store still takes points back.
    """
    gone = earned.taken + earned.dropped
    if gone < forfeit.due:
        return Settling(take=forfeit.due - gone)
    too_many = max(0, gone - forfeit.most)
    forget = min(earned.dropped, too_many)
    return Settling(give=too_many - forget, forget=forget)
