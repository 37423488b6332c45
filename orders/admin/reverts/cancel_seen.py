"""What a form said when it was shown: to mark what is different, and to recognise a second sending (M6, M7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core import signing

from loyalty.ledger.ledger import Kind
from orders.kinds import KINDS, applied, reverted
from orders.models import Order, OrderStatus
from orders.services.reverts.apply import Work, decided, decisions_after
from orders.services.reverts.plans import OrderPlan

_SALT: Final = "orders.cancel-form"


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing the form says; ``was`` is what it said before where that differs, empty where it said nothing."""

    text: str
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody saw: whether it was about cancelling, the statements, and the state that confirming leads to."""

    cancels: bool
    statements: Mapping[str, str]
    goal: list[Any]

    def sign(self) -> str:
        """The form that travels in a hidden field."""
        shown = {"cancels": self.cancels, "statements": dict(self.statements), "goal": self.goal}
        return signing.dumps(shown, salt=_SALT, compress=True)


class Marker:
    """Collects what a page says, and marks what is different from what was ``seen``."""

    def __init__(self, seen: Seen | None) -> None:
        self._before = None if seen is None else seen.statements
        self.statements: dict[str, str] = {}

    def say(self, key: str, text: str) -> Statement:
        """``text`` with the mark of a difference."""
        self.statements[key] = text
        if self._before is None or self._before.get(key) == text:
            return Statement(text)
        return Statement(text, self._before.get(key, ""))


def read_seen(value: str) -> Seen | None:
    """What was shown, or None when the value is not one of ours."""
    try:
        shown = signing.loads(value, salt=_SALT)
    except signing.BadSignature:
        return None
    return Seen(shown["cancels"], shown["statements"], shown["goal"])


def state_of(order: Order) -> list[Any]:
    """What a cancel or a return changes of an order, as far as the form shows it."""
    return _state(order.status, {kind: (reverted(order, kind), decided(order)[kind]) for kind in KINDS})


def goal_of(plan: OrderPlan, work: Work) -> list[Any]:
    """The state that carrying out ``plan`` leads to: an order that is in it needs nothing more (M7)."""
    status = OrderStatus.CANCELLED if work.cancels else plan.order.status
    decisions = decisions_after(plan, work)
    back = {kind: plan.kinds[kind].already + plan.kinds[kind].returns for kind in KINDS}
    return _state(status, {kind: (back[kind], decisions[kind]) for kind in KINDS})


def _state(status: str, kinds: Mapping[Kind, tuple[Any, str]]) -> list[Any]:
    return [str(status), *([f"{amount:.3f}", str(decision)] for amount, decision in kinds.values())]


def nothing_left(order: Order) -> bool:
    """Whether all that the order used is back, or it used nothing."""
    return all(reverted(order, kind) == applied(order, kind) for kind in KINDS)
