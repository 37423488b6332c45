"""What comes back, lot by lot: the pure planner behind form, API, jobs and rules (M2-M4, E3, F2, N5).

No database, no clock: facts in, plan out. Amounts are Decimals for credits and ints for points.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from django.utils.translation import gettext_noop

from loyalty.core.days import is_expired
from loyalty.core.errors import Invalid

Amount: TypeAlias = Decimal | int


class Decision(StrEnum):
    """What is to happen to one kind (M2, N4).

    People return, decline or defer. The others are automation's reasons to return nothing, and decide nothing for
    later: a skip tag (``SKIP``, N3), a kind that the rules leave alone or that was deferred and nothing new has
    happened (``LEAVE``), nothing that triggers (``IDLE``), and rules that are switched off (``OFF``). ``ASIDE`` is a
    kind that the call is not about: reversing a code's redemption says nothing of the order's credits (R7).
    """

    RETURN = "return"
    DECLINE = "decline"
    DEFER = "defer"
    SKIP = "skip"
    LEAVE = "leave"
    IDLE = "idle"
    OFF = "off"
    ASIDE = "aside"


class ExpiredRule(StrEnum):
    """What expired lots mean for the valid ones (E4)."""

    VALID_ONLY = "valid_only"
    ALL_OR_NOTHING = "all_or_nothing"


class Outcome(StrEnum):
    """What happens to the part of one lot that was used."""

    RETURNED = "returned"
    EXTENDED = "extended"
    EXPIRED = "expired"
    BLOCKED = "blocked"
    ALREADY_RETURNED = "already_returned"


GIVES_BACK = frozenset({Outcome.RETURNED, Outcome.EXTENDED})


@dataclass(frozen=True, slots=True)
class UsedLot:
    """One allocation with the facts of its lot that decide its fate; all but ``returned`` never change.

    It was used by an order, by a redemption, or by the order that came with the redemption's code (R7).
    ``deduction`` is 0 for what the order was placed with, and counts each *Deduct again* (M10).
    """

    allocation_id: int
    order_id: int | None
    customer_id: int
    lot_id: int
    amount: Amount
    returned: Amount
    expires_at: datetime | None
    origin: str
    currency: str = ""
    deduction: int = 0
    redemption_id: int | None = None
    # What was left in the lot has been posted as expired: whatever the clock says, nothing comes back into it.
    booked_off: bool = False

    @property
    def outstanding(self) -> Amount:
        """What is not back yet."""
        return self.amount - self.returned

    def is_expired(self, now: datetime) -> bool:
        """Whether nothing can come back into the lot at ``now``."""
        return self.booked_off or is_expired(self.expires_at, now)


@dataclass(frozen=True, slots=True)
class KindChoice:
    """What was chosen for one kind: return it or not, and which expired lots come back until when.

    ``extend_all`` applies to every expired lot of the kind, ``extend`` to single allocations and wins over it. Both
    are half-open instants. ``target`` is how much of what was used is to be back at most; None: everything (N5).
    """

    decision: Decision = Decision.DEFER
    extend_all: datetime | None = None
    extend: Mapping[int, datetime] = field(default_factory=dict)
    target: Amount | None = None

    def new_expiry(self, allocation_id: int) -> datetime | None:
        """The expiry under which an expired allocation comes back, or None when it was not extended."""
        return self.extend.get(allocation_id, self.extend_all)


@dataclass(frozen=True, slots=True)
class PlannedLot:
    """The fate of one allocation: ``amount`` is what it is about, ``expires_at`` that of the value after it.

    With a target, ``amount`` may be less than what is not back yet: it is the part that the target reaches (N5).
    """

    used: UsedLot
    outcome: Outcome
    amount: Amount
    expires_at: datetime | None


_NOT_CHOSEN = {
    Decision.DECLINE: "declined",
    Decision.DEFER: "not_selected",
    Decision.SKIP: "skip_tag",
    Decision.LEAVE: "not_selected",
    Decision.IDLE: "no_trigger",
    Decision.OFF: "rules_disabled",
    Decision.ASIDE: "not_selected",
}


@dataclass(frozen=True, slots=True)
class KindPlan:
    """What returns of one kind on one order, and what stays with the shop.

    ``used`` is what the order was placed with and ``already`` how much of that is back now: what came back and was
    deducted again counts in neither (M10). What lies beyond a target is in ``remains`` and in no lot (N5).
    """

    decision: Decision
    lots: tuple[PlannedLot, ...]
    used: Amount
    already: Amount
    # What comes back now.
    returns: Amount = field(init=False)

    def __post_init__(self) -> None:
        back = sum((lot.amount for lot in self.lots if lot.outcome in GIVES_BACK), start=0)
        object.__setattr__(self, "returns", back)

    @property
    def remains(self) -> Amount:
        """What is still not back afterwards."""
        return self.used - self.already - self.returns

    @property
    def left_in_lots(self) -> Amount:
        """What the plan looked at and leaves: not what it was not asked about."""
        return sum((lot.amount for lot in self.lots if lot.outcome in (Outcome.EXPIRED, Outcome.BLOCKED)), start=0)

    @property
    def skip_code(self) -> str | None:
        """Why nothing of this kind comes back, as a code of the REST contract; None when something does."""
        return None if self.returns else self.code

    @property
    def code(self) -> str | None:
        """Why this kind, or a part of it, does not come back, as a code of the REST contract; None when all does."""
        if self.returns and not self.remains:
            return None
        if not self.used:
            return "not_applied"
        if self.already == self.used:
            return "already_reverted"
        return self._lots_code if self.decision is Decision.RETURN else _NOT_CHOSEN[self.decision]

    @property
    def _lots_code(self) -> str | None:
        outcomes = {lot.outcome for lot in self.lots}
        if Outcome.BLOCKED in outcomes:
            return "blocked"
        if Outcome.EXPIRED in outcomes:
            return "expired"
        # With a target, all that was to be back is back: before, or by this.
        return None if self.returns else "already_reverted"


def share_of(plan: KindPlan, used: Sequence[UsedLot], customer_id: int) -> KindPlan:
    """What ``plan`` is to one customer: with somebody else's code an order uses the points of two people (R7)."""
    if all(lot.customer_id == customer_id for lot in used):
        return plan
    mine = [lot for lot in used if lot.customer_id == customer_id]
    total: Amount = sum((lot.amount for lot in mine if not lot.deduction), start=0)
    return KindPlan(
        decision=plan.decision,
        lots=tuple(lot for lot in plan.lots if lot.used.customer_id == customer_id),
        used=total,
        already=total - sum((lot.outstanding for lot in mine), start=0),
    )


def plan_kind(used: Sequence[UsedLot], choice: KindChoice, *, rule: ExpiredRule, now: datetime) -> KindPlan:
    """Decide for one kind of one order which lots give back what.

    ``used`` are the order's allocations in the order of spending. A lot valid at ``now`` returns under its own expiry
    (M4); an expired one only when extended (M3). Under ``ALL_OR_NOTHING`` one expired lot blocks all the others (E3),
    also one that a target does not reach. When the kind is not to be returned, no lot is decided on.

    A target less what is back already is due, and is asked of the allocations in the order opposite to spending; what
    is asked of an expired lot is not asked of another instead (N5). Allocations that the target does not reach are
    left out of the plan.
    """
    lots: Iterable[PlannedLot] = ()
    total: Amount = sum((lot.amount for lot in used if not lot.deduction), start=0)
    already = total - sum((lot.outstanding for lot in used), start=0)
    if choice.decision is Decision.RETURN:
        blocked = rule is ExpiredRule.ALL_OR_NOTHING and any(_lapses(lot, choice, now) for lot in used)
        due = _due(used, already, choice.target)
        lots = (_fate(lot, amount, choice, now, blocked=blocked) for lot, amount in due)
    return KindPlan(decision=choice.decision, lots=tuple(lots), used=total, already=already)


def _due(used: Sequence[UsedLot], already: Amount, target: Amount | None) -> list[tuple[UsedLot, Amount]]:
    """What is asked of each allocation, in the order of spending; nothing is asked of one that is back (N5)."""
    if target is None:
        return [(lot, lot.outstanding) for lot in used]
    missing = max(target - already, 0)
    asked: list[tuple[UsedLot, Amount]] = []
    for lot in reversed(used):
        amount = min(lot.outstanding, missing)
        missing -= amount
        if amount or not lot.outstanding:
            asked.append((lot, amount))
    return asked[::-1]


def _lapses(lot: UsedLot, choice: KindChoice, now: datetime) -> bool:
    expired = bool(lot.outstanding) and lot.is_expired(now)
    return expired and choice.new_expiry(lot.allocation_id) is None


def _fate(lot: UsedLot, amount: Amount, choice: KindChoice, now: datetime, *, blocked: bool) -> PlannedLot:
    if not lot.outstanding:
        return PlannedLot(lot, Outcome.ALREADY_RETURNED, lot.returned, lot.expires_at)
    if _lapses(lot, choice, now):
        return PlannedLot(lot, Outcome.EXPIRED, amount, lot.expires_at)
    if blocked:
        return PlannedLot(lot, Outcome.BLOCKED, amount, lot.expires_at)
    if lot.is_expired(now):
        return PlannedLot(lot, Outcome.EXTENDED, amount, choice.new_expiry(lot.allocation_id))
    return PlannedLot(lot, Outcome.RETURNED, amount, lot.expires_at)


class TooLittle(Exception):
    """There is less than is to be taken: what there is, less what is owed. Whoever knows the units says so."""

    def __init__(self, has: Amount) -> None:
        super().__init__(f"There is {has}.")
        self.has = has


class InsufficientBalance(Invalid):
    """The customer has less than is to be taken; nothing was taken (L3, L6)."""

    code = "insufficient-balance"
    title = gettext_noop("The customer's balance is too small.")


@dataclass(frozen=True, slots=True)
class OpenLot:
    """A valid lot with something left in it."""

    lot_id: int
    remaining: Amount
    expires_at: datetime | None
    granted_at: datetime


@dataclass(frozen=True, slots=True)
class Draw:
    """What is taken from one lot."""

    lot_id: int
    amount: Amount


def draw(lots: Collection[OpenLot], amount: Amount, *, owed: Amount = 0) -> list[Draw]:
    """Take ``amount`` from valid lots: soonest expiry first, never-expiring last, then granted-at, then id (L3).

    What the customer has is what the lots hold less what is ``owed`` (C1). Raises :class:`TooLittle`, all or nothing.
    """
    has = sum((lot.remaining for lot in lots), start=0) - owed
    if has < amount:
        raise TooLittle(has)
    return draw_up_to(lots, amount)


def draw_up_to(lots: Iterable[OpenLot], amount: Amount, *, first: Collection[int] = ()) -> list[Draw]:
    """Take ``amount``, or what there is of it, in the order of L3; from the lots named ``first`` before all others."""
    draws: list[Draw] = []
    missing = amount
    for lot in sorted(lots, key=lambda lot: (lot.lot_id not in first, _drawing_order(lot))):
        if not missing:
            break
        taken = min(lot.remaining, missing)
        draws.append(Draw(lot.lot_id, taken))
        missing -= taken
    return draws


def _drawing_order(lot: OpenLot) -> tuple[bool, datetime, datetime, int]:
    return (lot.expires_at is None, lot.expires_at or lot.granted_at, lot.granted_at, lot.lot_id)
