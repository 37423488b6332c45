"""What a cancel or a return would do to one order: the plan, its facts and its token (M6)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from loyalty.core.days import local_day
from loyalty.core.digests import digest_of
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import GIVES_BACK, Amount, ExpiredRule, KindPlan, PlannedLot, UsedLot, plan_kind, share_of
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.models import Store
from orders.kinds import KINDS, LEDGERS, currency_of
from orders.models import Order
from orders.services.earned_points.settle import Forecast, forecast
from orders.services.reverts.choices import CancelChoice, ResolvedChoice, check_extensions, kind_choice, resolve
from orders.services.reverts.preview_token import CANCEL, Shown
from orders.services.rules.trace import BY_PERSON, Matched

_BY_PERSON: Final[Mapping[Kind, Matched]] = dict.fromkeys(KINDS, BY_PERSON)

UsedByKind = Mapping[Kind, Mapping[int, Sequence[UsedLot]]]


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """What happens to one order under one choice."""

    order: Order
    choice: ResolvedChoice
    used: Mapping[Kind, Sequence[UsedLot]]
    kinds: Mapping[Kind, KindPlan]
    matched: Mapping[Kind, Matched]

    @property
    def returns_anything(self) -> bool:
        """Whether any value comes back."""
        return any(plan.returns for plan in self.kinds.values())

    @property
    def given_back(self) -> list[PlannedLot]:
        """The lots of both kinds that give something back."""
        return [lot for plan in self.kinds.values() for lot in plan.lots if lot.outcome in GIVES_BACK]

    @property
    def digest(self) -> str:
        """Equal for equal facts: the order's status, its allocations, each lot's outcome, amount and expiry (M6)."""
        facts = [self.order.pk, self.order.status, [self._facts(kind) for kind in KINDS]]
        return digest_of(facts)

    def _facts(self, kind: Kind) -> list[Any]:
        plan = self.kinds[kind]
        return [
            plan.decision,
            [[lot.allocation_id, f"{lot.amount:f}", f"{lot.returned:f}"] for lot in self.used[kind]],
            [[lot.used.allocation_id, lot.outcome, f"{lot.amount:f}", lot.expires_at] for lot in plan.lots],
        ]


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan as it is shown before it is confirmed; balances are in the order's currency, before and after.

    ``earned`` is what a cancel takes back of the points that the order earned (C1).
    """

    plan: OrderPlan
    balance_before: Mapping[Kind, Amount]
    balance_after: Mapping[Kind, Amount]
    earned: Forecast
    token: str


def load_used(order_ids: Sequence[int]) -> dict[Kind, dict[int, list[UsedLot]]]:
    """What these orders drew on, by kind and order; one query a kind."""
    return asking_used(order_ids)()


def asking_used(order_ids: Sequence[int]) -> Callable[[], dict[Kind, dict[int, list[UsedLot]]]]:
    """As :func:`load_used`, awaited when it is asked for (ADR 0070)."""
    asked = {kind: LEDGERS[kind].asking_used(order_ids) for kind in KINDS}
    return lambda: {kind: used() for kind, used in asked.items()}


def plan_order(
    order: Order,
    choice: ResolvedChoice,
    used: UsedByKind,
    *,
    store: Store,
    rule: ExpiredRule,
    now: datetime,
    matched: Mapping[Kind, Matched] = _BY_PERSON,
) -> OrderPlan:
    """Decide what comes back to the customer of ``order``; ``used`` comes from :func:`load_used`.

    ``matched`` says what decided about each kind (N6).
    """
    mine: dict[Kind, Sequence[UsedLot]] = {kind: used[kind].get(order.pk, ()) for kind in KINDS}
    check_extensions(choice, mine)
    kinds = {kind: plan_kind(mine[kind], kind_choice(choice, kind, store), rule=rule, now=now) for kind in KINDS}
    return OrderPlan(order, choice, mine, kinds, matched)


def preview(order: Order, choice: CancelChoice, *, store: Store, settings: StoreSettings, now: datetime) -> Preview:
    """What cancelling ``order``, or returning what is left, would do; writes nothing (M6).

    Raises Invalid for an extension that is out of range or names no allocation of the order.
    """
    resolved = resolve(choice, limits=settings.extend, today=local_day(now, store.tz))
    plan = plan_order(order, resolved, load_used([order.pk]), store=store, rule=ExpiredRule.VALID_ONLY, now=now)
    before = {kind: available_to(order, kind, now) for kind in KINDS}
    after = {kind: before[kind] + _to_customer(plan, kind) for kind in KINDS}
    earned = forecast(order, settings, balance=int(after["points"]), now=now)
    after["points"] -= earned.from_own
    return Preview(plan, before, after, earned, Shown(choice, resolved, plan.digest).token(CANCEL))


def _to_customer(plan: OrderPlan, kind: Kind) -> Amount:
    """What comes back to the order's customer: not what came of another's code (R7)."""
    customer_id: int | None = plan.order.customer_id
    return share_of(plan.kinds[kind], plan.used[kind], customer_id).returns if customer_id else 0


def available_to(order: Order, kind: Kind, now: datetime) -> Amount:
    """What the customer of ``order`` can spend of ``kind`` at ``now``, in the order's currency; 0 for nobody."""
    if order.customer_id is None:
        return 0
    available = LEDGERS[kind].available([order.customer_id], now=now)
    return available.get((order.customer_id, currency_of(order, kind)), 0)
