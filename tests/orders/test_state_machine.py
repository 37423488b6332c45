"""Random lives of a store against a model in plain Python: balances, revert statuses and the books after each step.

`HYPOTHESIS_PROFILE=long` makes the long run.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from loyalty.checks import find_faults
from loyalty.errors import DomainError
from loyalty.jobs import run_job
from loyalty.ledger.adjusting import Adjustment, adjust
from loyalty.ledger.expiry import end_of_day, local_day
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import InsufficientBalance
from loyalty.stores.actors import Actor, ActorType, Trigger
from loyalty.stores.models import Customer
from loyalty.stores.preferences import SpentRevertSettings, StoreSettings
from orders.kinds import KINDS, LEDGERS
from orders.models import Order
from orders.services.applying import Details
from orders.services.cancelling import cancel_many, cancel_order, return_value
from orders.services.changing import change_order
from orders.services.choices import CancelChoice, Extension
from orders.services.dismissing import dismiss_revert, put_back_in_queue
from orders.services.evaluating import evaluate_rules
from orders.services.placing import NewOrder, place_order
from orders.services.reinstating import Deduct, reinstate
from orders.services.undoing import UndoNotPossible, undo_revert
from tests import factories

LONG: Final = os.environ.get("HYPOTHESIS_PROFILE") == "long"
PROFILE: Final = settings(
    max_examples=500 if LONG else 8,
    stateful_step_count=50 if LONG else 20,
    deadline=None,
    derandomize=not LONG,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink) if LONG else (Phase.generate,),
)
TOTAL: Final = 50
RULES: Final = SpentRevertSettings(
    enabled=True, statuses=("cancelled", "refunded", "partially_refunded"), tags=("back",), skip_tags=("keep",)
)
AMOUNTS = st.integers(1, 60)
DAYS = st.none() | st.integers(0, 20)
Purse = tuple[Kind, str]
PURSES: Final[tuple[Purse, ...]] = (("credits", "USD"), ("credits", "EUR"), ("points", ""))


@dataclass
class ModelLot:
    purse: Purse
    customer: int
    remaining: int
    expires_at: datetime | None
    granted_at: datetime
    number: int

    def valid(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at


@dataclass
class ModelUse:
    lot: ModelLot
    amount: int
    returned: int = 0
    again: bool = False

    @property
    def missing(self) -> int:
        return self.amount - self.returned


@dataclass
class ModelRevert:
    """What one return gave: into which lots, for which part of the order, and when."""

    pk: int
    kind: Kind
    gave: list[tuple[ModelLot, ModelUse, int]]
    made_at: datetime
    uses_then: int
    undone: bool = False

    def can_be_undone(self, order: "ModelOrder", now: datetime) -> bool:
        wanted: dict[int, int] = {}
        for lot, _, amount in self.gave:
            wanted[lot.number] = wanted.get(lot.number, 0) + amount
        lots_hold = all(lot.valid(now) and lot.remaining >= wanted[lot.number] for lot, _, _ in self.gave)
        deducted = len(order.uses[self.kind]) > self.uses_then
        return not self.undone and not deducted and lots_hold and now < self.made_at + timedelta(hours=72)


@dataclass
class ModelOrder:
    pk: int
    currency: str
    customer: int
    uses: dict[Kind, list[ModelUse]]
    cancelled: bool = False
    payment: str = "pending"
    refunded_total: int = 0
    tags: frozenset[str] = frozenset()
    reverts: list[ModelRevert] = field(default_factory=list)
    decided: dict[Kind, str] = field(default_factory=lambda: dict.fromkeys(KINDS, ""))

    @property
    def refunded(self) -> bool:
        return self.payment == "refunded"

    def missing(self, kind: Kind) -> int:
        return sum(use.missing for use in self.uses[kind])

    def decide(self, kind: Kind, returns: bool | None) -> None:
        """What stands beside a kind after somebody chose; nothing once everything is back."""
        if not self.missing(kind):
            self.decided[kind] = ""
        elif returns is None:
            self.decided[kind] = self.decided[kind] or "deferred"
        else:
            self.decided[kind] = "expired_left" if returns else "declined"

    def due(self, kind: Kind) -> int:
        """How much the rules would have back, less what is."""
        if self.cancelled or self.refunded or "back" in self.tags:
            return self.missing(kind)
        if self.payment != "partially_refunded":
            return 0
        return max(self.used(kind) * min(self.refunded_total, TOTAL) // TOTAL - self.returned(kind), 0)

    def used(self, kind: Kind) -> int:
        return sum(use.amount for use in self.uses[kind] if not use.again)

    def returned(self, kind: Kind) -> int:
        return self.used(kind) - sum(use.missing for use in self.uses[kind])

    def purse(self, kind: Kind) -> "Purse":
        return (kind, self.currency if kind == "credits" else "")

    def status(self, kind: Kind) -> str | None:
        if self.returned(kind):
            return "reverted"
        return "not_reverted" if (self.cancelled or self.refunded) and self.used(kind) else None


@dataclass
class Model:
    """What a customer of the shop would reckon, without a database."""

    now: datetime
    lots: list[ModelLot] = field(default_factory=list)

    def grant(self, purse: Purse, customer: int, amount: int, expires_at: datetime | None) -> None:
        self.lots.append(ModelLot(purse, customer, amount, expires_at, self.now, len(self.lots)))

    def open(self, purse: Purse, customer: int) -> list[ModelLot]:
        lots = [lot for lot in self.lots if (lot.purse, lot.customer) == (purse, customer) and lot.valid(self.now)]
        far = datetime.max.replace(tzinfo=self.now.tzinfo)
        return sorted(lots, key=lambda lot: (lot.expires_at or far, lot.granted_at, lot.number))

    def available(self, purse: Purse, customer: int) -> int:
        return sum(lot.remaining for lot in self.open(purse, customer))

    def draw(self, purse: Purse, customer: int, amount: int) -> list[ModelUse] | None:
        if amount > self.available(purse, customer):
            return None
        uses = []
        for lot in self.open(purse, customer):
            taken = min(lot.remaining, amount)
            if taken:
                lot.remaining -= taken
                amount -= taken
                uses.append(ModelUse(lot, taken))
        return uses

    def give_back(self, order: ModelOrder, kind: Kind, extend: datetime | None) -> list[tuple[ModelLot, ModelUse, int]]:
        gave = []
        for use in order.uses[kind]:
            missing = use.missing
            if not missing:
                continue
            if use.lot.valid(self.now):
                use.lot.remaining += missing
                gave.append((use.lot, use, missing))
            elif extend:
                self.grant(use.lot.purse, use.lot.customer, missing, extend)
                gave.append((self.lots[-1], use, missing))
            else:
                continue
            use.returned = use.amount
        return gave

    def undo(self, revert: ModelRevert) -> None:
        revert.undone = True
        for lot, use, amount in revert.gave:
            lot.remaining -= amount
            use.returned -= amount

    def follow_rules(self, order: ModelOrder, *, fresh: bool) -> None:
        """What the store's rules return once something outside has changed, or said the same again (N2-N5)."""
        for kind in KINDS:
            due, decided = order.due(kind), order.decided[kind]
            stays = decided in ("declined", "dismissed") or (decided == "deferred" and not fresh)
            if "keep" in order.tags or stays:
                continue
            for use in reversed(order.uses[kind]):
                asked = min(use.missing, due)
                due -= asked
                if use.lot.valid(self.now):
                    use.lot.remaining += asked
                    use.returned += asked
            if not order.missing(kind):
                order.decided[kind] = ""


class StoreLife(RuleBasedStateMachine):
    orders: Bundle[ModelOrder] = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.life = transaction.atomic()
        self.life.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.life.__exit__(None, None, None)

    @initialize(zone=st.sampled_from(["Asia/Taipei", "Europe/Berlin", "America/New_York"]))
    def open_store(self, zone: str) -> None:
        # Twenty days on either side of the night on which the clock springs forward in Berlin.
        self.model = Model(factories.NOW + timedelta(days=70))
        self.store = factories.make_store(time_zone=zone)
        factories.make_settings(self.store, StoreSettings(spent_revert=RULES))
        self.customers = [factories.make_customer(self.store) for _ in range(2)]
        self.placed: list[ModelOrder] = []

    @property
    def now(self) -> datetime:
        return self.model.now

    @property
    def today(self) -> date:
        return local_day(self.now, self.store.tz)

    def who(self) -> dict[str, Any]:
        return {"store": self.store, "actor": factories.ACTOR, "now": self.now}

    def adjust(self, purse: Purse, customer: Customer, amount: int, expires_at: datetime | None = None) -> None:
        kind, currency = purse
        value = Decimal(amount) if kind == "credits" else amount
        adjustment = Adjustment(value, "Random", currency=currency, expires_at=expires_at)
        adjust(LEDGERS[kind], customer_id=customer.pk, adjustment=adjustment, trigger=Trigger.ADMIN, **self.who())

    @rule(purse=st.sampled_from(PURSES), who=st.integers(0, 1), amount=AMOUNTS, days=DAYS)
    def grant(self, purse: Purse, who: int, amount: int, days: int | None) -> None:
        expires_at = None if days is None else end_of_day(self.today + timedelta(days=days), self.store.tz)
        self.adjust(purse, self.customers[who], amount, expires_at)
        self.model.grant(purse, self.customers[who].pk, amount, expires_at)

    @rule(purse=st.sampled_from(PURSES), who=st.integers(0, 1), amount=AMOUNTS)
    def remove(self, purse: Purse, who: int, amount: int) -> None:
        customer = self.customers[who]
        if self.model.draw(purse, customer.pk, amount) is None:
            with pytest.raises(InsufficientBalance):
                self.adjust(purse, customer, -amount)
        else:
            self.adjust(purse, customer, -amount)

    @rule(
        target=orders,
        who=st.integers(0, 1),
        credit=st.integers(0, 40),
        points=st.integers(0, 40),
        currency=st.sampled_from(["USD", "USD", "EUR"]),
    )
    def place(self, who: int, credit: int, points: int, currency: str) -> Any:
        customer = self.customers[who]
        new = NewOrder(
            number=f"{len(self.placed) + 1}-{self.now}-{credit}-{points}-{len(self.model.lots)}",
            total=Decimal(TOTAL),
            currency=currency,
            placed_at=self.now,
            customer=customer.pk,
            apply_credits=Decimal(credit),
            apply_points=points,
        )
        purse: Purse = ("credits", currency)
        lacks = credit > self.model.available(purse, customer.pk)
        if lacks or points > self.model.available(("points", ""), customer.pk):
            with pytest.raises(InsufficientBalance):
                place_order(new=new, trigger=Trigger.API, **self.who())
            return multiple()
        order, _ = place_order(new=new, trigger=Trigger.API, **self.who())
        uses: dict[Kind, list[ModelUse]] = {
            "credits": self.model.draw(purse, customer.pk, credit) or [],
            "points": self.model.draw(("points", ""), customer.pk, points) or [],
        }
        self.placed.append(ModelOrder(order.pk, currency, customer.pk, uses))
        return self.placed[-1]

    @rule(
        order=orders,
        returns=st.fixed_dictionaries({kind: st.sampled_from([True, True, False, None]) for kind in KINDS}),
        extend=st.dictionaries(st.sampled_from(KINDS), st.integers(1, 30)),
        only_return=st.booleans(),
    )
    def cancel(
        self, *, order: ModelOrder, returns: Mapping[Kind, bool | None], extend: Mapping[Kind, int], only_return: bool
    ) -> None:
        choice = CancelChoice(returns, {kind: Extension(days=days) for kind, days in extend.items()})
        call = return_value if only_return else cancel_order
        facts: dict[str, Any] = {
            "order_id": order.pk,
            "choice": choice,
            "details": Details(notify_customer=True),
            "token": None,
        }
        if only_return and not (order.cancelled or order.refunded):
            with pytest.raises(DomainError, match="once the order is cancelled"):
                call(**facts, trigger=Trigger.ADMIN, **self.who())
            return
        made = {row.kind: row.revert for row in call(**facts, trigger=Trigger.ADMIN, **self.who()).reverts}
        order.cancelled = order.cancelled or not only_return
        for kind in KINDS:
            gave = []
            if returns[kind]:
                days = extend.get(kind)
                until = end_of_day(self.today + timedelta(days=days), self.store.tz) if days else None
                gave = self.model.give_back(order, kind, until)
            order.decide(kind, returns[kind])
            assert (kind in made) == bool(gave)
            if gave:
                back = ModelRevert(made[kind].pk, kind, gave, self.now, len(order.uses[kind]))
                order.reverts.append(back)

    @precondition(lambda self: any(order.reverts for order in self.placed))
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from([order for order in self.placed if order.reverts]))
        revert = data.draw(st.sampled_from(order.reverts))
        facts: dict[str, Any] = {"revert_id": revert.pk, "trigger": Trigger.ADMIN, **self.who()}
        if not revert.can_be_undone(order, self.now):
            with pytest.raises(UndoNotPossible):
                undo_revert(**facts)
            return
        undo_revert(**facts)
        self.model.undo(revert)
        order.decided[revert.kind] = "declined"

    @rule(order=orders, back=st.booleans())
    def dismiss(self, order: ModelOrder, back: bool) -> None:
        facts: dict[str, Any] = {"order_id": order.pk, "trigger": Trigger.ADMIN, **self.who()}
        left = {kind for kind in KINDS if order.returned(kind) < order.used(kind)}
        if back:
            put_back_in_queue(**facts)
            for kind in left:
                order.decided[kind] = "deferred" if order.decided[kind] else ""
        elif not (order.cancelled or order.refunded) or not left:
            with pytest.raises(DomainError):
                dismiss_revert(**facts, reason="Random")
        else:
            dismiss_revert(**facts, reason="Random")
            for kind in left:
                order.decided[kind] = "declined" if order.decided[kind] == "declined" else "dismissed"

    @rule(
        order=orders,
        deduct=st.sampled_from(Deduct),
        status=st.sampled_from(["pending", "confirmed", "completed"]),
    )
    def reinstate(self, order: ModelOrder, deduct: Deduct, status: str) -> None:
        held = {kind: order.returned(kind) for kind in KINDS}
        has = {kind: self.model.available(order.purse(kind), order.customer) for kind in KINDS}
        facts: dict[str, Any] = {"order_id": order.pk, "status": status, "deduct": deduct, "trigger": Trigger.ADMIN}
        if deduct is Deduct.ALL and any(held[kind] > has[kind] for kind in KINDS):
            with pytest.raises(InsufficientBalance):
                reinstate(**facts, **self.who())
            return
        result = reinstate(**facts, **self.who())
        assert result.reinstated_now == order.cancelled
        order.cancelled = False
        for kind in KINDS:
            taken = 0 if deduct is Deduct.NONE else min(held[kind], has[kind])
            assert result.deducted.get(kind, 0) == taken
            for use in self.model.draw(order.purse(kind), order.customer, taken) or []:
                order.uses[kind].append(ModelUse(use.lot, use.amount, again=True))
            if taken:
                order.decided[kind] = ""

    @precondition(lambda self: self.placed)
    @rule(data=st.data())
    def cancel_in_bulk(self, data: st.DataObject) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.placed), unique_by=lambda order: order.pk))
        cancel_many(order_ids=[order.pk for order in chosen], details=Details(), **self.who())
        for order in chosen:
            for kind in KINDS:
                if not order.cancelled:
                    order.decide(kind, None)
            order.cancelled = True

    @rule(order=orders)
    def refund(self, order: ModelOrder) -> None:
        change_order(order_id=order.pk, values={"payment_status": "refunded"}, **self.who())
        order.payment = "refunded"

    @rule(
        order=orders,
        tags=st.frozensets(st.sampled_from(["back", "back", "keep", "vip"]), max_size=2),
        payment=st.sampled_from(["paid", "partially_refunded", "refunded"]),
        refunded_total=st.integers(0, 60),
    )
    def change_outside(self, order: ModelOrder, tags: frozenset[str], payment: str, refunded_total: int) -> None:
        values = {"tags": sorted(tags), "payment_status": payment, "refunded_total": Decimal(refunded_total)}
        change_order(order_id=order.pk, values=values, **(self.who() | {"actor": Actor(ActorType.API_KEY, "1")}))
        fresh = "back" in tags - order.tags or refunded_total > order.refunded_total
        fresh = fresh or payment not in (order.payment, "paid")
        order.tags, order.payment, order.refunded_total = tags, payment, refunded_total
        evaluate_rules(self.now)
        self.model.follow_rules(order, fresh=fresh)

    @rule(hours=st.integers(1, 24 * 12))
    def wait(self, hours: int) -> None:
        self.model.now += timedelta(hours=hours)

    @rule(kind=st.sampled_from(KINDS))
    def expire(self, kind: Kind) -> None:
        run_job(f"{kind}.expire_lots", self.now)
        assert run_job(f"{kind}.expire_lots", self.now) == {"lots": 0, "failed": 0}

    @invariant()
    def balances_are_what_the_model_says(self) -> None:
        for kind, currency in PURSES:
            found = LEDGERS[kind].available([customer.pk for customer in self.customers], now=self.now)
            for customer in self.customers:
                assert found.get((customer.pk, currency), 0) == self.model.available((kind, currency), customer.pk)

    @invariant()
    def statuses_are_derived(self) -> None:
        rows = Order.objects.for_store(self.store).in_bulk()
        assert len(rows) == len(self.placed)
        for order in self.placed:
            row = rows[order.pk]
            assert (row.credits_applied, row.credits_reverted) == (order.used("credits"), order.returned("credits"))
            assert (row.points_applied, row.points_reverted) == (order.used("points"), order.returned("points"))
            assert row.credit_revert_status == order.status("credits")
            assert row.points_revert_status == order.status("points")
            open_kinds = {kind for kind in KINDS if order.missing(kind) and order.decided[kind] in ("", "deferred")}
            assert row.needs_revert == bool(open_kinds and (order.cancelled or order.refunded))
            assert row.credits_decision == order.decided["credits"]
            assert row.points_decision == order.decided["points"]

    @invariant()
    def the_books_agree(self) -> None:
        assert list(find_faults(self.store)) == []


@pytest.mark.django_db
@pytest.mark.timeout(0 if LONG else 300)
def test_l5_m7_random_lives_of_a_store_keep_the_books_in_order() -> None:
    run_state_machine_as_test(StoreLife, settings=PROFILE)
