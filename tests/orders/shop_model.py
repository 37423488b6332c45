"""What a customer of the shop would reckon, without a database: the account that random lives are held against.

Written from the rules of the domain, not from the code: lots, what used them, what came back of it, what is owed.
Amounts are whole numbers of points, or credits as Fractions of their currency.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Final, Literal

from loyalty.ledger.ledger import Kind
from orders.kinds import KINDS

TOTAL: Final = 50
# Points that each order earns once it is paid.
EARNS: Final = 25
UNDO: Final = timedelta(hours=72)
# Two decimals, as the currencies of the model have; points have none.
_UNITS: Final[dict[Kind, int]] = {"credits": 100, "points": 1}

Amount = int | Fraction
# A kind, and the currency for credits.
Purse = tuple[Kind, str]
POINTS: Final[Purse] = ("points", "")
PURSES: Final[tuple[Purse, ...]] = (("credits", "USD"), ("credits", "EUR"), POINTS)
# What becomes of earned points that cannot be taken back (C1).
Shortfall = Literal["dropped", "carried", "owed"]


@dataclass(eq=False, repr=False)
class Lot:
    purse: Purse
    owner: int
    remaining: Amount
    expires_at: datetime | None
    granted_at: datetime
    number: int
    # The lot of which an expired part came back as this one, and the order that earned it.
    extends: "Lot | None" = None
    earned_by: "ModelOrder | None" = None

    def valid(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at


@dataclass(eq=False, repr=False)
class Use:
    """The part of one lot that was spent; ``again`` for what was deducted again (M10)."""

    lot: Lot
    amount: Amount
    number: int
    returned: Amount = 0
    again: bool = False

    @property
    def missing(self) -> Amount:
        return self.amount - self.returned


@dataclass(eq=False, repr=False)
class ModelRevert:
    """What one return gave to one customer: into which lots, for which uses, and when."""

    pk: int
    kind: Kind
    gave: list[tuple[Lot, Use, Amount]]
    made_at: datetime
    again_then: int
    undone: bool = False

    def __repr__(self) -> str:
        return f"return {self.pk}"

    def can_be_undone(self, order: "ModelOrder", now: datetime) -> bool:
        wanted: dict[Lot, Amount] = {}
        for lot, _, amount in self.gave:
            wanted[lot] = wanted.get(lot, 0) + amount
        lots_hold = all(lot.valid(now) and lot.remaining >= amount for lot, amount in wanted.items())
        deducted = order.times_again(self.kind) > self.again_then
        return not self.undone and not deducted and lots_hold and now < self.made_at + UNDO


@dataclass(eq=False, repr=False)
class ModelRedemption:
    """Points exchanged for a code, or for credits in ``credit_lot``; ``order`` is the one that used the code (R7)."""

    pk: int
    code: str | None
    customer: int
    uses: list[Use]
    credit_lot: Lot | None = None
    worth: int = 0
    announced: bool = False
    reversed: bool = False
    order: "ModelOrder | None" = None

    def __repr__(self) -> str:
        return f"redemption {self.pk}"

    @property
    def points(self) -> Amount:
        return sum(use.amount for use in self.uses)

    @property
    def returned(self) -> Amount:
        return sum(use.returned for use in self.uses)

    @property
    def state(self) -> str:
        if self.reversed:
            return "reversed"
        if self.order and self.returned:
            return "returned"
        return "used" if self.order or self.announced else "claimed"

    @property
    def needs_force(self) -> bool:
        if self.state not in ("used", "returned"):
            return False
        return self.order is None or not self.order.fell_through_unpaid

    @property
    def can_be_reversed(self) -> bool:
        return not self.reversed and not (self.order and self.returned == self.points)


@dataclass(eq=False, repr=False)
class ModelOrder:
    pk: int
    currency: str
    customer: int | None
    number: str
    uses: dict[Kind, list[Use]]
    by_codes: Amount = 0
    codes: list[ModelRedemption] = field(default_factory=list)
    cancelled: bool = False
    payment: str = "pending"
    refunded_total: int = 0
    tags: frozenset[str] = frozenset()
    reverts: list[ModelRevert] = field(default_factory=list)
    decided: dict[Kind, str] = field(default_factory=lambda: dict.fromkeys(KINDS, ""))
    # Points that it earned, that were taken back, and that could not be (C1).
    earned: Amount = 0
    taken: Amount = 0
    not_taken: Amount = 0

    def __repr__(self) -> str:
        return f"order {self.pk}"

    @property
    def fell_through(self) -> bool:
        return self.cancelled or self.payment == "refunded"

    @property
    def fell_through_unpaid(self) -> bool:
        return self.cancelled and self.payment == "pending"

    def missing(self, kind: Kind) -> Amount:
        return sum(use.missing for use in self.uses[kind])

    def used(self, kind: Kind) -> Amount:
        return sum(use.amount for use in self.uses[kind] if not use.again)

    def used_directly(self, kind: Kind) -> Amount:
        return self.used(kind) - (self.by_codes if kind == "points" else 0)

    def returned(self, kind: Kind) -> Amount:
        return self.used(kind) - self.missing(kind)

    def times_again(self, kind: Kind) -> int:
        return sum(use.again for use in self.uses[kind])

    def add(self, kind: Kind, uses: list[Use]) -> None:
        """Value that was spent; in the order of spending, which for a code is when it was redeemed."""
        self.uses[kind] = sorted([*self.uses[kind], *uses], key=lambda use: use.number)

    def purse(self, kind: Kind) -> Purse:
        return (kind, self.currency if kind == "credits" else "")

    def status(self, kind: Kind) -> str | None:
        if self.returned(kind):
            return "reverted"
        return "not_reverted" if self.fell_through and self.used(kind) else None

    def with_whom(self, kind: Kind) -> dict[int, Amount]:
        """Who has how much of what is back, less what was deducted again from him."""
        back: dict[int, Amount] = {}
        for use in self.uses[kind]:
            change = -use.missing if use.again else use.returned
            back[use.lot.owner] = back.get(use.lot.owner, 0) + change
        return {owner: amount for owner, amount in back.items() if amount}

    def decide(self, kind: Kind, returns: bool | None) -> None:
        """What stands beside a kind after somebody chose; nothing once everything is back."""
        if not self.missing(kind):
            self.decided[kind] = ""
        elif returns is None:
            self.decided[kind] = self.decided[kind] or "deferred"
        else:
            self.decided[kind] = "expired_left" if returns else "declined"

    def due(self, kind: Kind) -> Amount:
        """How much the rules would have back, less what is (N5)."""
        if self.fell_through or "back" in self.tags:
            return self.missing(kind)
        if self.payment != "partially_refunded":
            return 0
        share = Fraction(self.used(kind) * min(self.refunded_total, TOTAL), TOTAL)
        target = Fraction(floor(share * _UNITS[kind]), _UNITS[kind])
        return max(target - self.returned(kind), Fraction(0))

    def forfeits(self) -> int:
        """How many of the points that it earned the customer does not keep (C1)."""
        if self.fell_through:
            return int(self.earned)
        if self.payment != "partially_refunded":
            return 0
        return int(self.earned * min(self.refunded_total, TOTAL) // TOTAL)


@dataclass
class Model:
    now: datetime
    shortfall: Shortfall = "carried"
    lots: list[Lot] = field(default_factory=list)
    orders: list[ModelOrder] = field(default_factory=list)
    redemptions: list[ModelRedemption] = field(default_factory=list)
    debts: dict[int, Amount] = field(default_factory=dict)
    spent: int = 0

    # --- what customers have

    def grant(
        self,
        purse: Purse,
        owner: int,
        amount: Amount,
        expires_at: datetime | None,
        *,
        extends: Lot | None = None,
        earned_by: ModelOrder | None = None,
    ) -> Lot:
        lot = Lot(purse, owner, amount, expires_at, self.now, len(self.lots), extends, earned_by)
        self.lots.append(lot)
        return lot

    def settle_debt(self, lot: Lot) -> None:
        """What is owed is paid out of what is given next."""
        if lot.purse == POINTS:
            paid = min(self.debts.get(lot.owner, 0), lot.remaining)
            lot.remaining -= paid
            self.debts[lot.owner] = self.debts.get(lot.owner, 0) - paid

    def open(self, purse: Purse, owner: int) -> list[Lot]:
        """What can be drawn on, in the order of L3."""
        lots = [lot for lot in self.lots if (lot.purse, lot.owner) == (purse, owner) and lot.valid(self.now)]
        far = datetime.max.replace(tzinfo=self.now.tzinfo)
        return sorted(lots, key=lambda lot: (lot.expires_at or far, lot.granted_at, lot.number))

    def available(self, purse: Purse, owner: int | None) -> Amount:
        if owner is None:
            return 0
        owed = self.debts.get(owner, 0) if purse == POINTS else 0
        return sum(lot.remaining for lot in self.open(purse, owner)) - owed

    def draw(self, purse: Purse, owner: int | None, amount: Amount) -> list[Use] | None:
        """Take the amount, or nothing when there is less."""
        if owner is None or not amount:
            return None if amount else []
        return self.draw_from(self.open(purse, owner), amount) if amount <= self.available(purse, owner) else None

    def draw_from(self, lots: list[Lot], amount: Amount) -> list[Use]:
        uses = []
        for lot in lots:
            taken = min(lot.remaining, amount)
            if taken:
                lot.remaining -= taken
                amount -= taken
                self.spent += 1
                uses.append(Use(lot, taken, self.spent))
        return uses

    # --- what comes back

    def give_back(self, parts: list[tuple[Use, Amount]], extend: datetime | None) -> list[tuple[Lot, Use, Amount]]:
        """Give these parts back where the lot is valid, else as a new lot if it is extended (M3, M4)."""
        gave = []
        for use, amount in parts:
            if amount and use.lot.valid(self.now):
                use.lot.remaining += amount
                gave.append((use.lot, use, amount))
            elif amount and extend:
                lot = self.grant(use.lot.purse, use.lot.owner, amount, extend, extends=use.lot)
                gave.append((lot, use, amount))
            else:
                continue
            use.returned += amount
        return gave

    def undo(self, revert: ModelRevert) -> None:
        revert.undone = True
        for lot, use, amount in revert.gave:
            lot.remaining -= amount
            use.returned -= amount

    def follow_rules(self, order: ModelOrder, *, fresh: bool) -> list[tuple[Lot, Use, Amount]]:
        """What the store's rules return once something outside has changed, or said the same again (N2-N5)."""
        gave = []
        for kind in KINDS:
            due, decided = order.due(kind), order.decided[kind]
            stays = decided in ("declined", "dismissed") or (decided == "deferred" and not fresh)
            if "keep" in order.tags or stays:
                continue
            for use in reversed(order.uses[kind]):
                asked = min(use.missing, due)
                due -= asked
                gave += self.give_back([(use, asked)], None)
            if not order.missing(kind):
                order.decided[kind] = ""
        return gave

    # --- codes

    def use_codes(self, order: ModelOrder, came: list[ModelRedemption]) -> None:
        """An order came with codes: the first to come uses their points, any other nothing (R7)."""
        for redemption in sorted(came, key=lambda one: one.pk):
            if redemption in order.codes:
                continue
            order.codes.append(redemption)
            if redemption.order or (redemption.reversed and not redemption.announced):
                continue
            redemption.order = order
            order.add("points", redemption.uses)
            order.by_codes += redemption.points
            order.customer = order.customer or redemption.customer
            # Of what it used now nobody has decided (N4).
            order.decided["points"] = ""

    def reverse(
        self, redemption: ModelRedemption, extend: datetime | None
    ) -> tuple[list[tuple[Lot, Use, Amount]], Amount]:
        """Reverse it: what comes back, and what is taken of the credits that it gave (R3, R4)."""
        share, taken = redemption.points, Fraction(0)
        if redemption.credit_lot:
            family = [lot for lot in self.lots if _of_family(lot, redemption.credit_lot) and lot.valid(self.now)]
            taken = Fraction(sum(lot.remaining for lot in family))
            share = floor(redemption.points * taken / redemption.worth)
            if not taken:
                return [], 0
            for lot in family:
                lot.remaining = 0
        redemption.reversed = True
        parts = []
        for use in reversed(redemption.uses):
            # Only part of it may be asked back, and of that what was spent last.
            parts.append((use, min(use.missing, share)))
            share -= parts[-1][1]
        return self.give_back(parts[::-1], extend), taken

    # --- points that orders earn

    def settle_earned(self, order: ModelOrder) -> None:
        """Award, take back or give again, so that the customer has what the order's state leaves him (C1)."""
        if order.customer is None:
            return
        if not order.earned:
            if order.payment == "paid" and not order.cancelled and order.currency == "USD":
                order.earned = EARNS
                self._award(order, EARNS)
                self._count_shortfalls(order)
            return
        too_many = order.taken + order.not_taken - order.forfeits()
        if too_many < 0:
            got = self._take_earned(order, order.customer, -too_many, may_owe=self.shortfall == "owed")
            order.taken += got
            order.not_taken += -too_many - got
        elif too_many > 0:
            forgotten = min(order.not_taken, too_many)
            order.not_taken -= forgotten
            if too_many > forgotten:
                order.taken -= too_many - forgotten
                self._award(order, too_many - forgotten)

    def _award(self, order: ModelOrder, points: Amount) -> None:
        assert order.customer is not None
        self.settle_debt(self.grant(POINTS, order.customer, points, None, earned_by=order))

    def _take_earned(self, order: ModelOrder, owner: int, points: Amount, *, may_owe: bool) -> Amount:
        lots = sorted(self.open(POINTS, owner), key=lambda lot: lot.earned_by is not order)
        got = sum(use.amount for use in self.draw_from(lots, points))
        if may_owe:
            self.debts[owner] = self.debts.get(owner, 0) + points - got
            return points
        return got

    def _count_shortfalls(self, earning: ModelOrder) -> None:
        if self.shortfall == "owed":
            return
        left: Amount = EARNS if self.shortfall == "carried" else 0
        for order in sorted(self.orders, key=lambda one: one.pk):
            if order is not earning and order.customer == earning.customer and order.not_taken:
                assert earning.customer is not None
                asked = min(left, order.not_taken)
                got = self._take_earned(order, earning.customer, asked, may_owe=False)
                left -= asked
                order.taken += got
                order.not_taken -= got

    # --- people

    def merge(self, merged: int, kept: int) -> None:
        """Everything of the one is the other's from now on (O7)."""
        for lot in self.lots:
            lot.owner = kept if lot.owner == merged else lot.owner
        for order in self.orders:
            order.customer = kept if order.customer == merged else order.customer
        for redemption in self.redemptions:
            redemption.customer = kept if redemption.customer == merged else redemption.customer
        self.debts[kept] = self.debts.get(kept, 0) + self.debts.pop(merged, 0)


def _of_family(lot: Lot | None, origin: Lot) -> bool:
    while lot is not None and lot is not origin:
        lot = lot.extends
    return lot is origin
