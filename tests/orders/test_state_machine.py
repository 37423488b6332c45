"""Random lives of a store against a model in plain Python: what everybody has, revert statuses, codes and the books.

`HYPOTHESIS_PROFILE=long` makes the long run.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count
from typing import Any, Final

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from loyalty.core.days import end_of_day, local_day
from loyalty.core.errors import DomainError
from loyalty.jobs.periodic import run_job
from loyalty.ledger.adjust import Adjustment, adjust
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import InsufficientBalance
from loyalty.store_settings.sections import EarnedPointsSettings, EarningSettings, SpentRevertSettings, StoreSettings
from loyalty.stores.actors import Act, Actor, ActorType, Trigger
from orders.kinds import KINDS, LEDGERS
from orders.models import Order, Redemption, Revert
from orders.services.automation.run_rules import evaluate_rules
from orders.services.codes.uses import note_used_on_platform
from orders.services.customers.merge import merge_customers
from orders.services.intake.change import change_order
from orders.services.intake.place import NewOrder, place_order
from orders.services.intake.spend import Spend, record_spend
from orders.services.locks import OrderCancelled
from orders.services.redemptions.redeem import redeem
from orders.services.redemptions.reverse import CodeUsed
from orders.services.reverts.apply import Details
from orders.services.reverts.cancel import cancel_many, cancel_order, return_value
from orders.services.reverts.choices import CancelChoice, Extension
from orders.services.reverts.dismiss import NothingLeft, dismiss_revert, put_back_in_queue
from orders.services.reverts.reinstate import Deduct, reinstate
from orders.services.reverts.undo import UndoNotPossible, undo_revert
from tests import factories
from tests.books import find_faults
from tests.orders.services.bundles.moving import assert_arrived, moved, written
from tests.orders.shop_model import (
    EARNS,
    POINTS,
    PURSES,
    TOTAL,
    Lot,
    Model,
    ModelOrder,
    ModelRedemption,
    ModelRevert,
    Purse,
    Shortfall,
    Use,
)

LONG: Final = os.environ.get("HYPOTHESIS_PROFILE") == "long"
PROFILE: Final = settings(
    max_examples=500 if LONG else 8,
    stateful_step_count=60 if LONG else 25,
    deadline=None,
    derandomize=not LONG,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink) if LONG else (Phase.generate,),
)
RULES: Final = SpentRevertSettings(
    enabled=True, statuses=("cancelled", "refunded", "partially_refunded"), tags=("back",), skip_tags=("keep",)
)
SHORTFALLS: Final[dict[Shortfall, EarnedPointsSettings]] = {
    "dropped": EarnedPointsSettings(claw_back=True, carry_shortfall=False),
    "carried": EarnedPointsSettings(claw_back=True),
    "owed": EarnedPointsSettings(claw_back=True, allow_negative=True),
}
EARNING: Final = EarningSettings(points_per_unit=Decimal(EARNS) / TOTAL, on_status="paid")
PEOPLE: Final = 3
CLIENT: Final = Actor(ActorType.API_KEY, "1")
# Some of the lives end by moving: what they made must arrive.
LIVES: Final = count(1)
AMOUNTS = st.integers(1, 60)
WHO = st.integers(0, PEOPLE - 1)
DAYS = st.none() | st.integers(0, 20)


def _of(what: Callable[[Model], Sequence[Any]]) -> st.SearchStrategy[Any]:
    """One of what there is by now."""
    return st.runner().flatmap(lambda life: st.sampled_from(what(life.model)))


ORDERS = _of(lambda model: model.orders)
REDEMPTIONS = _of(lambda model: model.redemptions)
CODES = _of(lambda model: [redemption for redemption in model.redemptions if redemption.code])
RETURNED = _of(lambda model: [(order, revert) for order in model.orders for revert in order.reverts])
Gave = Sequence[tuple[Lot, Use, int | Fraction]]


class StoreLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.life = transaction.atomic()
        self.life.__enter__()

    def teardown(self) -> None:
        # Without one the opening failed, and that is what has to be read.
        is_open = hasattr(self, "store")
        try:
            if is_open:
                assert find_faults(self.store) == []
                if LONG or next(LIVES) % 4 == 0:
                    assert_arrived(written(self.store), written(moved(self.store, "there")))
        finally:
            transaction.set_rollback(True)
            self.life.__exit__(None, None, None)

    @initialize(
        zone=st.sampled_from(["Asia/Taipei", "Europe/Berlin", "America/New_York"]),
        shortfall=st.sampled_from(sorted(SHORTFALLS)),
    )
    def open_store(self, zone: str, shortfall: Shortfall) -> None:
        # Twenty days on either side of the night on which the clock springs forward in Berlin.
        self.model = Model(factories.NOW + timedelta(days=70), shortfall)
        self.store = factories.make_store(time_zone=zone)
        factories.make_settings(
            self.store,
            StoreSettings(spent_revert=RULES, earning=EARNING, earned_points=SHORTFALLS[shortfall]),
        )
        # As whom somebody is known, and who that is: several may become one person.
        self.known = [factories.make_customer(self.store).pk for _ in range(PEOPLE)]
        self.person = list(self.known)
        self.last_revert = 0
        self.live_a_little()

    def live_a_little(self) -> None:
        """Lives begin with something to cancel, to return and to use, so that they are about more than nothing."""
        for who in range(PEOPLE):
            self.grant(("credits", "USD"), who, 40, None)
            self.grant(POINTS, who, 30, 6)
            self.grant(POINTS, who, 20, None)
            self.redeem_for_code(who, 25)
        own, foreign, _ = self.model.redemptions
        self.place(who=0, credit=30, points=20, currency="USD", code=own)
        self.place(who=1, credit=10, points=0, currency="USD", code=None)
        self.place(who=None, credit=0, points=0, currency="USD", code=foreign)
        for order in self.model.orders[:2]:
            self.change_outside(order, frozenset(), "paid", 0)

    @property
    def now(self) -> datetime:
        return self.model.now

    @property
    def today(self) -> date:
        return local_day(self.now, self.store.tz)

    def acting(self) -> dict[str, Any]:
        return {"store": self.store, "actor": factories.ACTOR, "now": self.now}

    def by_hand(self) -> dict[str, Any]:
        return {"store": self.store, "act": Act(factories.ACTOR, Trigger.ADMIN, self.now)}

    def end_of(self, days: int | None) -> datetime | None:
        return None if days is None else end_of_day(self.today + timedelta(days=days), self.store.tz)

    # --- what customers get by hand

    def adjust(self, purse: Purse, who: int, amount: int, expires_at: datetime | None = None) -> None:
        kind, currency = purse
        value = Decimal(amount) if kind == "credits" else amount
        adjustment = Adjustment(value, "Random", currency=currency, expires_at=expires_at)
        adjust(LEDGERS[kind], customer_id=self.known[who], adjustment=adjustment, **self.by_hand())

    @rule(purse=st.sampled_from([*PURSES, POINTS]), who=WHO, amount=AMOUNTS, days=DAYS)
    def grant(self, purse: Purse, who: int, amount: int, days: int | None) -> None:
        self.adjust(purse, who, amount, self.end_of(days))
        self.model.settle_debt(self.model.grant(purse, self.person[who], amount, self.end_of(days)))

    @rule(purse=st.sampled_from(PURSES), who=WHO, amount=AMOUNTS)
    def remove(self, purse: Purse, who: int, amount: int) -> None:
        if self.model.draw(purse, self.person[who], amount) is None:
            with pytest.raises(InsufficientBalance):
                self.adjust(purse, who, -amount)
        else:
            self.adjust(purse, who, -amount)

    # --- orders and what they use

    def place_as(
        self, order: ModelOrder, who: int | None, credit: int, points: int, codes: Sequence[ModelRedemption]
    ) -> Order:
        new = NewOrder(
            number=order.number,
            total=Decimal(TOTAL),
            currency=order.currency,
            placed_at=self.now,
            customer=None if who is None else self.known[who],
            apply_credits=Decimal(credit),
            apply_points=points,
            codes=[f" {redemption.code} ".lower() for redemption in codes],
        )
        return place_order(store=self.store, new=new, act=Act(factories.ACTOR, Trigger.API, self.now))[0]

    @rule(
        who=st.none() | WHO | WHO,
        credit=st.integers(0, 40),
        points=st.integers(0, 40),
        currency=st.sampled_from(["USD", "USD", "EUR"]),
        code=st.none() | CODES,
    )
    def place(self, *, who: int | None, credit: int, points: int, currency: str, code: ModelRedemption | None) -> None:
        """An order of somebody, or of nobody who is known: then it uses nothing but what may come with a code."""
        credit, points = (0, 0) if who is None else (credit, points)
        owner = None if who is None else self.person[who]
        number = f"{len(self.model.orders)}-{self.model.spent}-{credit}-{points}-{self.now}"
        order = ModelOrder(0, currency, owner, number, {kind: [] for kind in KINDS})
        wanted = {"credits": credit, "points": points}
        codes = [code] if code else []
        # Who owes points has less than nothing, and may still use nothing.
        if any(wanted[kind] > max(0, self.model.available(order.purse(kind), owner)) for kind in KINDS):
            with pytest.raises(InsufficientBalance):
                self.place_as(order, who, credit, points, codes)
            return
        order.pk = self.place_as(order, who, credit, points, codes).pk
        for kind in KINDS:
            order.add(kind, self.model.draw(order.purse(kind), owner, wanted[kind]) or [])
        self.model.orders.append(order)
        self.model.use_codes(order, codes)

    @rule(order=ORDERS, code=CODES)
    def come_with_code(self, order: ModelOrder, code: ModelRedemption) -> None:
        """The order is told once more, and now it came with a code, which another may have come with before."""
        credit, points = int(order.used_directly("credits")), int(order.used_directly("points"))
        who = None if order.customer is None else self.person.index(order.customer)
        self.place_as(order, who, credit, points, [code])
        news = code not in order.codes
        self.model.use_codes(order, [code])
        if news:
            self.model.settle_earned(order)
            self.look(order, fresh=False)

    @rule(order=ORDERS, who=WHO, credit=st.integers(0, 20), points=st.integers(0, 20))
    def record(self, order: ModelOrder, who: int, credit: int, points: int) -> None:
        """What the order used is recorded later; what it is known to have used is left alone (O5)."""
        owner = order.customer or self.person[who]
        asked: dict[Kind, int] = {"credits": credit, "points": points}
        wanted = {kind: 0 if order.used_directly(kind) else amount for kind, amount in asked.items()}
        spend = Spend(self.known[self.person.index(owner)], Decimal(wanted["credits"]), wanted["points"])
        facts: dict[str, Any] = {"order_id": order.pk, "spend": spend, **self.by_hand()}
        if any(wanted.values()) and order.cancelled:
            with pytest.raises(OrderCancelled):
                record_spend(**facts)
            return
        # Who owes points has less than nothing, and may still use nothing.
        if any(wanted[kind] > max(0, self.model.available(order.purse(kind), owner)) for kind in KINDS):
            with pytest.raises(InsufficientBalance):
                record_spend(**facts)
            return
        record_spend(**facts)
        if any(wanted.values()):
            order.customer, named = owner, order.customer is None
            for kind in KINDS:
                order.add(kind, self.model.draw(order.purse(kind), owner, wanted[kind]) or [])
                order.decided[kind] = "" if wanted[kind] else order.decided[kind]
            if named:
                self.model.settle_earned(order)
            self.look(order, fresh=False)

    # --- what comes back

    @rule(
        order=ORDERS,
        returns=st.fixed_dictionaries({kind: st.sampled_from([True, True, False, None]) for kind in KINDS}),
        extend=st.dictionaries(st.sampled_from(KINDS), st.integers(1, 30)),
        only_return=st.booleans(),
    )
    def cancel(
        self, *, order: ModelOrder, returns: Mapping[Kind, bool | None], extend: Mapping[Kind, int], only_return: bool
    ) -> None:
        extend = {kind: days for kind, days in extend.items() if returns[kind]}
        choice = CancelChoice(returns, {kind: Extension(days=days) for kind, days in extend.items()})
        call = return_value if only_return else cancel_order
        facts: dict[str, Any] = {
            "order_id": order.pk,
            "choice": choice,
            "details": Details(notify_customer=True),
            "token": None,
            **self.by_hand(),
        }
        if only_return and not order.fell_through:
            with pytest.raises(DomainError, match="once the order is cancelled"):
                call(**facts)
            return
        call(**facts)
        gave: list[tuple[Lot, Use, int | Fraction]] = []
        for kind in KINDS:
            if returns[kind]:
                parts = [(use, use.missing) for use in order.uses[kind]]
                gave += self.model.give_back(parts, self.end_of(extend.get(kind)))
            order.decide(kind, returns[kind])
        self.note_reverts(order, gave)
        if not only_return:
            order.cancelled = True
            self.model.settle_earned(order)

    def note_reverts(self, order: ModelOrder, gave: Gave) -> None:
        """Everybody who gets something back gets it by a return of his own, which may be undone."""
        to_whom: dict[tuple[str, int], list[tuple[Lot, Use, int | Fraction]]] = {}
        for lot, use, amount in gave:
            to_whom.setdefault((lot.purse[0], lot.owner), []).append((lot, use, amount))
        made = list(Revert.objects.for_store(self.store).filter(pk__gt=self.last_revert).order_by("pk"))
        assert sorted((row.order_id, row.kind, row.customer_id) for row in made) == sorted(
            (order.pk, *whose) for whose in to_whom
        )
        for row in made:
            self.last_revert = row.pk
            mine = to_whom[row.kind, row.customer_id]
            assert row.amount == sum(amount for _, _, amount in mine)
            again = order.times_again(row.kind)
            order.reverts.append(ModelRevert(row.pk, row.kind, mine, self.now, again))

    def look(self, order: ModelOrder, *, fresh: bool) -> None:
        """The store's rules look at what has changed."""
        evaluate_rules(self.now)
        self.note_reverts(order, self.model.follow_rules(order, fresh=fresh))

    @precondition(lambda self: any(order.reverts for order in self.model.orders))
    @rule(returned=RETURNED)
    def undo(self, returned: tuple[ModelOrder, ModelRevert]) -> None:
        order, revert = returned
        facts: dict[str, Any] = {"revert_id": revert.pk, **self.by_hand()}
        if not revert.can_be_undone(order, self.now):
            with pytest.raises(UndoNotPossible):
                undo_revert(**facts)
            return
        undo_revert(**facts)
        self.model.undo(revert)
        order.decided[revert.kind] = "declined"

    @rule(order=ORDERS, back=st.booleans())
    def dismiss(self, order: ModelOrder, back: bool) -> None:
        facts: dict[str, Any] = {"order_id": order.pk, **self.by_hand()}
        left = {kind for kind in KINDS if order.returned(kind) < order.used(kind)}
        if back:
            put_back_in_queue(**facts)
            for kind in left:
                order.decided[kind] = "deferred" if order.decided[kind] else ""
        elif not order.fell_through or not left:
            with pytest.raises(DomainError):
                dismiss_revert(**facts, reason="Random")
        else:
            dismiss_revert(**facts, reason="Random")
            for kind in left:
                order.decided[kind] = "declined" if order.decided[kind] == "declined" else "dismissed"

    @rule(
        order=ORDERS,
        deduct=st.sampled_from(Deduct),
        status=st.sampled_from(["pending", "confirmed", "completed"]),
    )
    def reinstate(self, order: ModelOrder, deduct: Deduct, status: str) -> None:
        held = {kind: order.with_whom(kind) for kind in KINDS}
        has = {(kind, owner): self.model.available(order.purse(kind), owner) for kind in KINDS for owner in held[kind]}
        facts: dict[str, Any] = {"order_id": order.pk, "status": status, "deduct": deduct, **self.by_hand()}
        if deduct is Deduct.ALL and any(held[kind][owner] > has[kind, owner] for kind, owner in has):
            with pytest.raises(InsufficientBalance):
                reinstate(**facts)
            return
        result = reinstate(**facts)
        assert result.reinstated_now == order.cancelled
        comes_back, order.cancelled = order.cancelled, False
        for kind in KINDS:
            taken: list[Use] = []
            for owner, amount in sorted(held[kind].items()):
                takes = 0 if deduct is Deduct.NONE else max(min(amount, has[kind, owner]), 0)
                taken += self.model.draw(order.purse(kind), owner, takes) or []
            assert result.deducted.get(kind, 0) == sum(use.amount for use in taken)
            for use in taken:
                use.again = True
            order.add(kind, taken)
            if taken:
                order.decided[kind] = ""
        if comes_back:
            self.model.settle_earned(order)

    @rule(chosen=st.lists(ORDERS, unique_by=lambda order: order.pk))
    def cancel_in_bulk(self, chosen: Sequence[ModelOrder]) -> None:
        cancel_many(order_ids=[order.pk for order in chosen], details=Details(), **self.acting())
        for order in sorted(chosen, key=lambda one: one.pk):
            for kind in KINDS:
                if not order.cancelled:
                    order.decide(kind, None)
            order.cancelled = True
            self.model.settle_earned(order)

    # --- what happens outside

    @rule(order=ORDERS)
    def refund(self, order: ModelOrder) -> None:
        change_order(order_id=order.pk, values={"payment_status": "refunded"}, **self.acting())
        order.payment = "refunded"
        self.model.settle_earned(order)

    @rule(
        order=ORDERS,
        tags=st.frozensets(st.sampled_from(["back", "back", "keep", "vip"]), max_size=2),
        payment=st.sampled_from(["paid", "paid", "partially_refunded", "refunded"]),
        refunded_total=st.integers(0, 60),
    )
    def change_outside(self, order: ModelOrder, tags: frozenset[str], payment: str, refunded_total: int) -> None:
        """What a client says of the order now; a refund may also have become less (N8)."""
        values = {"tags": sorted(tags), "payment_status": payment, "refunded_total": Decimal(refunded_total)}
        change_order(order_id=order.pk, values=values, **(self.acting() | {"actor": CLIENT}))
        fresh = "back" in tags - order.tags or refunded_total > order.refunded_total
        fresh = fresh or payment not in (order.payment, "paid")
        order.tags, order.payment, order.refunded_total = tags, payment, refunded_total
        self.model.settle_earned(order)
        self.look(order, fresh=fresh)

    # --- points exchanged

    @rule(who=WHO, points=st.integers(1, 30))
    def redeem_for_code(self, who: int, points: int) -> None:
        self.redeem(who, points)

    @rule(who=WHO, points=st.integers(1, 30), worth=st.integers(1, 20), days=st.none() | st.integers(1, 10))
    def redeem_for_credits(self, who: int, points: int, worth: int, days: int | None) -> None:
        terms = {"type": "credits", "value": Decimal(worth), "currency": "USD", "valid_days": days}
        if redemption := self.redeem(who, points, **terms):
            lot = self.model.grant(("credits", "USD"), redemption.customer, worth, self.end_of(days))
            redemption.worth, redemption.credit_lot = worth, lot

    def redeem(self, who: int, points: int, **terms: Any) -> ModelRedemption | None:
        reward = factories.make_reward(self.store, points=points, **terms)
        facts: dict[str, Any] = {"customer_id": self.known[who], "reward_id": reward.pk, **self.by_hand()}
        uses = self.model.draw(POINTS, self.person[who], points)
        if uses is None:
            with pytest.raises(InsufficientBalance):
                redeem(**facts)
            return None
        made = redeem(**facts)
        self.model.redemptions.append(ModelRedemption(made.pk, made.code, self.person[who], uses))
        return self.model.redemptions[-1]

    @rule(redemption=CODES)
    def hear_of_use(self, redemption: ModelRedemption) -> None:
        """The platform says that the code was used, and its order has not come yet."""
        note_used_on_platform(factories.redemption_of(redemption.pk), actor=factories.ACTOR, now=self.now)
        redemption.announced |= redemption.state == "claimed"

    @rule(redemption=REDEMPTIONS, force=st.booleans(), days=st.none() | st.integers(1, 30))
    def reverse(self, redemption: ModelRedemption, force: bool, days: int | None) -> None:
        ask: dict[str, Any] = {"reason": "Random", "force": force, "extend": Extension(days=days) if days else None}
        found = factories.redemption_of(redemption.pk)
        if not redemption.can_be_reversed:
            assert factories.reverse(found, now=self.now, **ask).plan is None
            return
        if redemption.needs_force and not force:
            with pytest.raises(CodeUsed):
                factories.reverse(found, now=self.now, **ask)
            return
        order = redemption.order
        gave, taken = self.model.reverse(redemption, self.end_of(days))
        if redemption.credit_lot and not taken:
            with pytest.raises(NothingLeft):
                factories.reverse(found, now=self.now, **ask)
            return
        done = factories.reverse(found, now=self.now, **ask)
        assert done.plan is not None
        assert (done.plan.returns, done.plan.taken) == (sum(amount for _, _, amount in gave), taken)
        if order:
            self.note_reverts(order, gave)
            if not order.missing("points"):
                order.decided["points"] = ""
            elif order.missing("points") == redemption.points - redemption.returned:
                order.decided["points"] = "expired_left"

    # --- people and time

    @rule(merged=WHO, kept=WHO)
    def merge(self, merged: int, kept: int) -> None:
        """Two turn out to be one person (O7)."""
        goes, stays = self.person[merged], self.person[kept]
        if goes == stays:
            return
        merge_customers(kept_id=self.known[kept], merged_id=self.known[merged], **self.by_hand())
        self.model.merge(goes, stays)
        self.person = [stays if person == goes else person for person in self.person]

    @rule(hours=st.integers(1, 24 * 12))
    def wait(self, hours: int) -> None:
        self.model.now += timedelta(hours=hours)

    @rule(kind=st.sampled_from(KINDS))
    def expire(self, kind: Kind) -> None:
        run_job(f"{kind}.expire_lots", self.now)
        assert run_job(f"{kind}.expire_lots", self.now) == {"lots": 0, "failed": 0}

    # --- what must be so after every step

    @invariant()
    def balances_are_what_the_model_says(self) -> None:
        for kind, currency in PURSES:
            found = LEDGERS[kind].available(self.known, now=self.now)
            assert {pk: found.get((pk, currency), 0) for pk in self.known} == {
                pk: self.model.available((kind, currency), pk) for pk in self.known
            }
            assert all(amount >= 0 for amount in found.values()) or self.model.shortfall == "owed"

    @invariant()
    def orders_are_what_the_model_says(self) -> None:
        rows = Order.objects.for_store(self.store).in_bulk()
        assert len(rows) == len(self.model.orders)
        for order in self.model.orders:
            row = rows[order.pk]
            assert row.customer_id == order.customer
            assert (row.credits_applied, row.credits_reverted) == (order.used("credits"), order.returned("credits"))
            assert (row.points_applied, row.points_reverted) == (order.used("points"), order.returned("points"))
            assert row.credit_revert_status == order.status("credits")
            assert row.points_revert_status == order.status("points")
            assert row.points_by_codes == order.by_codes
            open_kinds = {kind for kind in KINDS if order.missing(kind) and order.decided[kind] in ("", "deferred")}
            assert row.needs_revert == bool(open_kinds and order.fell_through)
            assert {kind: getattr(row, f"{kind}_decision") for kind in KINDS} == order.decided
            earned = (row.points_earned, row.points_taken_back, row.points_not_taken)
            assert earned == (order.earned, order.taken, order.not_taken)

    @invariant()
    def redemptions_are_what_the_model_says(self) -> None:
        rows = Redemption.objects.for_store(self.store).in_bulk()
        assert len(rows) == len(self.model.redemptions)
        for redemption in self.model.redemptions:
            row = rows[redemption.pk]
            assert (row.state, row.points_returned) == (redemption.state, redemption.returned)
            assert (row.customer_id, row.used_order_id) == (
                redemption.customer,
                redemption.order.pk if redemption.order else None,
            )

    @precondition(lambda self: LONG)
    @invariant()
    def the_books_agree(self) -> None:
        assert find_faults(self.store) == []


# Each life is a transaction of its own, so that what it left is cleared away: within one, five hundred lives read
# through all the rows of those before.
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(300)
def test_l5_m7_o7_r7_c1_random_lives_of_a_store_conserve_value() -> None:
    run_state_machine_as_test(StoreLife, settings=PROFILE)
