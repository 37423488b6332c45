"""Whatever sees points that an order used sees those that came with a code (R7): each by itself, with its numbers."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
import time_machine

from loyalty.jobs.periodic import run_job
from loyalty.journal.models import JournalEntry
from loyalty.notices.models import Notice
from loyalty.store_settings.sections import AutoCancelSettings, SpentRevertSettings, StoreSettings
from loyalty.stores.actors import Act, Actor, ActorType, Trigger
from loyalty.stores.models import Customer, Store
from orders.admin.desk.dashboard import count_figures
from orders.models import Order, Redemption, Revert
from orders.services.automation.upcoming import Affected, upcoming, would_cancel_overdue
from orders.services.backtests.cancels import backtest
from orders.services.backtests.rules import rules_backtest
from orders.services.backtests.tally import Sums
from orders.services.intake.change import change_order
from orders.services.intake.place import NewOrder, place_order
from orders.services.intake.spend import Spend, record_spend
from orders.services.reverts.choices import CancelChoice
from orders.services.reverts.undo import undo_revert
from tests import factories
from tests.factories import ACTOR, BEFORE, NOW, merge

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sound")]

CLIENT: Final = Actor(ActorType.API_KEY, "1")
DAY: Final = timedelta(days=1)
LAST: Final = date(2026, 6, 30)
SETTINGS: Final = StoreSettings(
    auto_cancel=AutoCancelSettings(payment_window_hours=48, expired="cancel_and_revert"),
    spent_revert=SpentRevertSettings(enabled=True, tags=("back",), skip_tags=("keep",)),
)


@pytest.fixture
def store() -> Store:
    store = factories.make_store()
    factories.make_settings(store, SETTINGS)
    return store


@pytest.fixture
def ana(store: Store) -> Customer:
    """Somebody with 500 points in two lots, all of which the fixture ``redemption`` spends."""
    customer = factories.make_customer(store, name="Ana Lee")
    factories.grant("points", customer, 200, until=LAST)
    factories.grant("points", customer, 300)
    return customer


@pytest.fixture
def redemption(ana: Customer) -> Redemption:
    return factories.make_redemption(ana, factories.make_reward(ana.store))


def buys(customer: Customer | None, redemption: Redemption, *, now: datetime = BEFORE, **fields: Any) -> Order:
    """An order that comes with the redemption's code."""
    return factories.make_order(customer, store=redemption.store, codes=[redemption.code], now=now, **fields)


def change(order: Order, *, now: datetime = NOW, **values: Any) -> None:
    """What a client says of the order, and what the rules make of it."""
    change_order(store=order.store, order_id=order.pk, values=values, actor=CLIENT, now=now)
    run_job("orders.evaluate_rules", now)


def points(order: Order) -> tuple[int, int, str | None, str]:
    """Used, returned, the label, and what somebody decided."""
    order.refresh_from_db()
    return order.points_applied, order.points_reverted, order.points_revert_status, order.points_decision


def state(redemption: Redemption) -> tuple[str, int]:
    redemption.refresh_from_db()
    return redemption.state, redemption.points_returned


def has(customer: Customer, *, now: datetime = NOW) -> Any:
    return factories.balance("points", customer, now=now)


def test_r7_e2_an_unpaid_order_is_cancelled_in_time_and_gives_its_code_back(redemption: Redemption) -> None:
    order = buys(redemption.customer, redemption, now=NOW - 2 * DAY)
    assert would_cancel_overdue(order.store, SETTINGS, NOW) == Affected(1, 1)
    assert upcoming(order.store, SETTINGS, NOW - timedelta(hours=23), most=9) == [(order.pk, NOW)]
    with time_machine.travel(NOW, tick=False):
        run_job("orders.expire_overdue_payments", NOW)
        run_job("orders.auto_cancel", NOW)
    assert points(order) == (500, 500, "reverted", "")
    assert state(redemption) == ("returned", 500)


def test_r7_n3_a_skip_tag_keeps_the_points_of_a_code(redemption: Redemption) -> None:
    order = buys(redemption.customer, redemption, tags=["keep"])
    change(order, payment_status="refunded")
    assert points(order) == (500, 0, "not_reverted", "")
    assert state(redemption) == ("used", 0)


def test_r7_n2_a_trigger_tag_gives_the_points_of_a_code_back(redemption: Redemption) -> None:
    order = buys(redemption.customer, redemption)
    change(order, tags=["Back"])
    assert (points(order), state(redemption)) == ((500, 500, "reverted", ""), ("returned", 500))


def test_r7_b2_what_a_code_paid_for_is_in_the_queue_and_on_the_dashboard(redemption: Redemption) -> None:
    order = buys(redemption.customer, redemption)
    cancel(order, points=None)
    assert points(order) == (500, 0, "not_reverted", "deferred")
    assert Order.objects.for_store(order.store).filter(needs_revert=True).get() == order
    tiles = {tile.title: tile for tile in count_figures(order.store, NOW).tiles}
    assert "500 points not returned" in tiles["Needs revert"].words
    cancel(order, points=True)
    figures = count_figures(order.store, NOW)
    tiles = {tile.title: tile for tile in figures.tiles}
    assert (tiles["Needs revert"].figure, tiles["Member points returned"].figure) == ("0", "500 points")
    assert figures.charts[0].bars[0].figure == "1"


def cancel(order: Order, *, points: bool | None, notify: bool = False) -> None:
    factories.cancel_choosing(order, CancelChoice(returns={"points": points}), notify_customer=notify)


def test_r7_h3_one_return_one_letter_with_its_lots(redemption: Redemption) -> None:
    order = buys(redemption.customer, redemption)
    cancel(order, points=True, notify=True)
    (letter,) = Notice.objects.for_store(order.store)
    assert "200 points" in letter.text
    assert "300 points" in letter.text
    decision = JournalEntry.objects.for_store(order.store).get(event="order.points_reverted")
    assert (decision.data["amount"], decision.data["applied"], decision.data["code"]) == (500, 500, None)


# --- looking back


def test_r7_the_look_back_of_automatic_cancelling_counts_points_of_codes(redemption: Redemption) -> None:
    order = buys(redemption.customer, redemption, now=NOW - 4 * DAY)
    found = backtest(store=order.store, auto_cancel=SETTINGS.auto_cancel, days=30, now=NOW)
    assert found.totals[Trigger.PAYMENT_EXPIRED].kinds == {("points", ""): Sums(500, 0, 0, 0)}


def test_r7_a_code_that_was_heard_of_later_was_not_used_at_that_moment(redemption: Redemption) -> None:
    order = factories.make_order(redemption.customer, store=redemption.store, now=NOW - 4 * DAY)
    came_with(order, redemption, now=NOW - DAY)
    found = backtest(store=order.store, auto_cancel=SETTINGS.auto_cancel, days=30, now=NOW)
    assert found.totals[Trigger.PAYMENT_EXPIRED].orders == 1
    assert found.totals[Trigger.PAYMENT_EXPIRED].kinds == {}


def came_with(order: Order, redemption: Redemption, *, now: datetime) -> None:
    """The order is told once more, and now it came with the code."""
    new = NewOrder(
        number=order.number,
        total=order.total,
        currency=order.currency,
        placed_at=order.placed_at,
        customer=order.customer_id,
        codes=[redemption.code or ""],
    )
    place_order(store=order.store, new=new, act=Act(CLIENT, Trigger.API, now))
    run_job("orders.evaluate_rules", now)


@pytest.mark.parametrize("late", ["code", "spend"])
def test_r7_o5_rules_look_back_at_what_became_known_after_the_refund(
    store: Store, redemption: Redemption, late: str
) -> None:
    """What the job returned when it heard of the code, or of the spend, the look back returns then, too."""
    factories.make_settings(store, SETTINGS)
    order = factories.make_order(redemption.customer, store=store, now=BEFORE)
    change(order, now=NOW - 3 * DAY, payment_status="refunded")
    if late == "code":
        came_with(order, redemption, now=NOW - DAY)
        back = 500
    else:
        factories.grant("points", redemption.customer, 70)
        spend = Spend(redemption.customer.pk, points=70)
        record_spend(store=store, order_id=order.pk, spend=spend, act=Act(CLIENT, Trigger.API, NOW - DAY))
        run_job("orders.evaluate_rules", NOW - DAY)
        back = 70
    assert points(order) == (back, back, "reverted", "")
    found = rules_backtest(store=store, rules=SETTINGS.spent_revert, days=30, now=NOW)
    assert found.totals[Trigger.RULE_STATUS].kinds == {("points", ""): Sums(back, 0, 0, 0)}
    assert [line.strike.at for line in found.lines] == [NOW - DAY]


def test_r7_n5_rules_look_back_at_the_share_of_a_code(redemption: Redemption) -> None:
    order = buys(redemption.customer, redemption, total=Decimal(100))
    change(order, payment_status="partially_refunded", refunded_total=Decimal(40))
    tried = replace(SETTINGS.spent_revert, statuses=("partially_refunded",))
    found = rules_backtest(store=order.store, rules=tried, days=30, now=NOW)
    assert found.totals[Trigger.RULE_STATUS].kinds == {("points", ""): Sums(200, 0, 0, 300)}


# --- people decide, and more is heard of


def test_r7_n4_a_code_that_comes_after_a_decision_starts_fresh(redemption: Redemption) -> None:
    factories.grant("points", redemption.customer, 30)
    order = factories.make_order(redemption.customer, store=redemption.store, points=30)
    cancel(order, points=False)
    assert points(order) == (30, 0, "not_reverted", "declined")
    came_with(order, redemption, now=NOW)
    assert points(order) == (530, 530, "reverted", "")


def test_o5_n4_a_spend_that_is_recorded_after_a_decision_starts_fresh(store: Store, redemption: Redemption) -> None:
    order = buys(redemption.customer, redemption, tags=["keep"], payment_status="refunded")
    dismissed = CancelChoice(returns={"points": False})
    factories.make_settings(store, replace(SETTINGS, spent_revert=SpentRevertSettings()))
    factories.grant("points", redemption.customer, 30)
    factories.return_choosing(order, dismissed)
    assert points(order) == (500, 0, "not_reverted", "declined")
    spend = Spend(points=30, reason="Forgotten")
    record_spend(store=store, order_id=order.pk, spend=spend, act=Act(ACTOR, Trigger.ADMIN, NOW))
    order.refresh_from_db()
    assert (points(order), order.needs_revert) == ((530, 0, "not_reverted", ""), True)


# --- somebody else's code


def test_r7_points_of_somebody_elses_code_go_back_to_him_and_each_is_told(redemption: Redemption) -> None:
    ben = factories.make_customer(redemption.store, name="Ben")
    factories.grant("points", ben, 40)
    order = buys(ben, redemption, points=40)
    cancel(order, points=True, notify=True)
    assert points(order) == (540, 540, "reverted", "")
    assert (has(redemption.customer), has(ben)) == (500, 40)
    assert set(Notice.objects.for_store(order.store).values_list("customer__name", flat=True)) == {"Ana Lee", "Ben"}
    factories.bring_back(order)
    assert (has(redemption.customer), has(ben)) == (0, 0)
    told = JournalEntry.objects.for_store(order.store).filter(event="order.deducted_again")
    assert dict(told.values_list("customer", "data__points")) == {redemption.customer_id: 500, ben.pk: 40}


def test_r7_o7_whose_code_it_was_may_be_merged_before_it_comes_back_and_is_undone(redemption: Redemption) -> None:
    ben, kept = (factories.make_customer(redemption.store, name=name) for name in ("Ben", "Kept"))
    order = buys(ben, redemption)
    merge(redemption.customer, kept)
    cancel(order, points=True)
    assert (has(kept), has(ben), state(redemption)) == (500, 0, ("returned", 500))
    other = factories.make_customer(redemption.store, name="Other")
    merge(kept, other)
    revert = Revert.objects.for_store(order.store).get()
    undo_revert(store=order.store, revert_id=revert.pk, act=Act(ACTOR, Trigger.ADMIN, NOW))
    assert (has(other), state(redemption)) == (0, ("used", 0))
    undone = JournalEntry.objects.for_store(order.store).get(event="order.revert_undone")
    assert undone.customer_id == other.pk
