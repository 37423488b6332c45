"""What a reversal would do to one redemption: which points return to which lots, and what is taken back (R3, R4)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from credits.models import CreditLot
from loyalty.core.days import local_day
from loyalty.core.digests import digest_of
from loyalty.ledger.ledger import valid_at
from loyalty.ledger.planner import Amount, Draw, ExpiredRule, KindPlan, UsedLot, plan_kind
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.models import Store
from orders.models import Redemption, RewardType
from orders.services.reverts.choices import CancelChoice, ResolvedChoice, check_extensions, kind_choice, resolve
from orders.services.reverts.preview_token import REVERSAL, Shown
from points.ledger import POINTS


@dataclass(frozen=True, slots=True)
class ReversalPlan:
    """What happens to one redemption under one choice.

    ``share`` is how many of its points are to come back: all, or for credits in proportion to ``takes``, which is what
    can be taken back of them (R4). ``points`` says what becomes of them lot by lot.
    """

    redemption: Redemption
    choice: ResolvedChoice
    used: Sequence[UsedLot]
    takes: Sequence[Draw]
    share: int
    points: KindPlan

    @property
    def taken(self) -> Amount:
        """How much credit is taken back."""
        return sum((draw.amount for draw in self.takes), start=0)

    @property
    def returns(self) -> int:
        """How many points come back."""
        return int(self.points.returns)

    @property
    def spent_already(self) -> Amount:
        """How much of the credits cannot be taken back: spent or expired."""
        return self.redemption.value - self.taken if self.redemption.type == RewardType.CREDITS else 0

    @property
    def digest(self) -> str:
        """Equal for equal facts: the redemption's state, what is taken back, and each lot's outcome."""
        facts = [
            self.redemption.pk,
            self.redemption.state,
            [[draw.lot_id, f"{draw.amount:f}"] for draw in self.takes],
            [[lot.allocation_id, lot.amount, lot.returned] for lot in self.used],
            [[lot.used.allocation_id, lot.outcome, lot.amount, lot.expires_at] for lot in self.points.lots],
        ]
        return digest_of(facts)


@dataclass(frozen=True, slots=True)
class ReversalPreview:
    """A plan as it is shown before it is confirmed, with the customer's points before and after."""

    plan: ReversalPlan
    balance_before: int
    balance_after: int
    token: str


def preview_reversal(
    redemption: Redemption, choice: CancelChoice, *, store: Store, settings: StoreSettings, now: datetime
) -> ReversalPreview:
    """What reversing would do; writes nothing. Raises Invalid for an extension that is out of range or unknown."""
    resolved = resolve(choice, limits=settings.extend, today=local_day(now, store.tz))
    plan = plan_reversal(redemption, resolved, store=store, now=now)
    before = int(POINTS.available([redemption.customer_id], now=now).get((redemption.customer_id, ""), 0))
    token = Shown(choice, resolved, plan.digest).token(REVERSAL)
    return ReversalPreview(plan, before, before + plan.returns, token)


def plan_reversal(redemption: Redemption, choice: ResolvedChoice, *, store: Store, now: datetime) -> ReversalPlan:
    """Decide what comes back; to write it, callers hold the customer's lock and then the redemption's."""
    used = POINTS.redeemed_lots(redemption.pk)
    check_extensions(choice, {"credits": (), "points": used})
    takes = _takes(redemption, now) if redemption.type == RewardType.CREDITS else ()
    share = _share(redemption, takes)
    points = plan_kind(part_of(used, share), kind_choice(choice, "points", store), rule=ExpiredRule.VALID_ONLY, now=now)
    return ReversalPlan(redemption, choice, used, takes, share, points)


def part_of(used: Sequence[UsedLot], share: int) -> list[UsedLot]:
    """The allocations as if ``share`` points in all were used, in the order of spending.

    What comes back first was spent last, as when an order is refunded in part (N5).
    """
    parts, missing = [], share
    for lot in reversed(used):
        part = min(missing, int(lot.outstanding))
        missing -= part
        if part:
            parts.append(replace(lot, amount=lot.returned + part))
    return parts[::-1]


def _share(redemption: Redemption, takes: Sequence[Draw]) -> int:
    if redemption.type != RewardType.CREDITS:
        return redemption.points
    taken = sum((Decimal(draw.amount) for draw in takes), start=Decimal(0))
    return int(redemption.points * taken // redemption.value)


def _takes(redemption: Redemption, now: datetime) -> list[Draw]:
    """What is left of the credits: in their lot, and in lots that came of it when an expired part was extended."""
    lots = CreditLot.objects.for_store(redemption.store)
    family: set[int] = set()
    found = {redemption.credit_lot_id} if redemption.credit_lot_id else set()
    while found:
        family |= found
        found = set(lots.filter(extended_from__in=found).values_list("pk", flat=True)) - family
    left = lots.filter(valid_at(now), pk__in=family, remaining__gt=0).order_by("pk")
    return [Draw(pk, remaining) for pk, remaining in left.values_list("pk", "remaining")]
