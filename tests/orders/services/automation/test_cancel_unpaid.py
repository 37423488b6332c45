"""E2-E9, F1, F2: cancelling by itself when a payment expired or failed, through REST and the jobs."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credits.models import CreditLot, CreditMovement
from loyalty.journal.models import JournalEntry
from loyalty.notices.models import Notice
from orders.models import Order, PersonsDecision, Revert
from orders.services.automation import cancel_unpaid
from tests.books import find_faults
from tests.examples import Example, Shop, open_shop, x4, x5
from tests.factories import grant, make_customer, make_order
from tests.orders.services.automation.sweeping import (
    TICK,
    balance,
    expiries,
    fail,
    order_of,
    returned,
    run_jobs,
    settings,
)

Clock = time_machine.Traveller

NOTHING: tuple[Any, ...] = ("cancelled", "not_reverted", "0.00", None, 0)
HALF: tuple[Any, ...] = ("cancelled", "reverted", "50.00", None, 0)
ALL: tuple[Any, ...] = ("cancelled", "reverted", "100.00", None, 0)
OPEN: tuple[Any, ...] = ("pending", None, "0.00", None, 0)


def swept(shop: Shop, clock: Clock, example: Example, now: datetime, status: str = "failed") -> tuple[Any, ...]:
    """What came of the example when its payment fell through at ``now`` and the job ran then."""
    clock.move_to(now)
    fail(shop, example.order, status)
    run_jobs()
    return returned(shop, example.order)


def last_event(order: str, name: str = "order.cancelled") -> JournalEntry:
    event: JournalEntry = JournalEntry.unscoped.filter(order=int(order), event=name).latest("id")
    return event


def skipped(order: Any) -> dict[str, str]:
    """Why nothing of a kind came back, by the trace (N6)."""
    entries = JournalEntry.unscoped.filter(order=int(getattr(order, "pk", order)), event="order.revert_skipped")
    return {entry.data["kind"]: entry.data["code"] for entry in entries}


# --- X4-X6 and their neighbours


def test_x4_one_expired_lot_keeps_the_credits_and_the_points_return(shop: Shop, clock: Clock) -> None:
    example = x4(shop)
    before = expiries(shop.store)
    clock.move_to(example.now)

    assert run_jobs() == [
        "orders.expire_overdue_payments: expired=1 declined=0 failed=0",
        "orders.auto_cancel: cancelled=1 failed=0",
    ]

    assert returned(shop, example.order) == ("cancelled", "not_reverted", "0.00", "reverted", 100)
    assert balance(shop, example.customer) == ("0.00", 100)
    assert expiries(shop.store) == before
    event = last_event(example.order)
    assert event.actor == "job:orders.auto_cancel"
    assert skipped(example.order) == {"credits": "blocked"}
    revert = Revert.unscoped.get()
    assert (revert.trigger, revert.settings_version) == ("payment_expired", 1)
    assert [lot["expires_on"] for lot in revert.lots] == ["2022-01-01"]
    assert not Notice.unscoped.exists()
    assert find_faults(shop.store) == []


def test_x4_all_lots_valid_at_the_last_instant_return_all(shop: Shop, clock: Clock) -> None:
    example = x4(shop)
    last = shop.at(2021, 1, 2, 0) - TICK
    assert swept(shop, clock, example, last, "expired") == ("cancelled", "reverted", "100.00", "reverted", 100)


def test_x4_the_first_instant_of_the_next_day_is_too_late(shop: Shop, clock: Clock) -> None:
    example = x4(shop)
    midnight = shop.at(2021, 1, 2, 0)
    assert swept(shop, clock, example, midnight, "expired") == ("cancelled", "not_reverted", "0.00", "reverted", 100)


def test_x4_points_too_are_all_or_nothing_by_themselves(shop: Shop, clock: Clock) -> None:
    example = x4(shop)
    later = shop.at(2022, 1, 2, 0)
    assert swept(shop, clock, example, later, "expired") == ("cancelled", "not_reverted", "0.00", "not_reverted", 0)


def test_x5_of_two_lots_the_valid_one_returns(shop: Shop, clock: Clock) -> None:
    example = x5(shop)
    assert swept(shop, clock, example, example.now) == HALF
    assert order_of(shop, example.order)["completeness"] == "partial"
    movement = CreditMovement.unscoped.get(type="revert")
    assert (movement.lot_id, movement.trigger, movement.actor) == (
        int(example.lots[1]),
        "payment_failed",
        "job:orders.auto_cancel",
    )


def test_x6_on_the_last_day_both_lots_return(shop: Shop, clock: Clock) -> None:
    example = x5(shop)
    assert swept(shop, clock, example, shop.at(2021, 9, 15, 23, 59)) == ALL
    assert CreditLot.unscoped.get(pk=int(example.lots[0])).expires_at == shop.at(2021, 9, 16, 0)


def test_x6_the_last_microsecond_and_the_first_instant_after_it(shop: Shop, clock: Clock) -> None:
    first, second = x5(shop, "a"), x5(shop, "b")
    midnight = shop.at(2021, 9, 16, 0)
    assert swept(shop, clock, first, midnight - TICK) == ALL
    assert swept(shop, clock, second, midnight) == HALF


@pytest.mark.parametrize(("month", "day"), [(3, 26), (3, 27), (10, 29), (10, 30)])
def test_x11_days_of_23_and_25_hours_end_at_local_midnight(clock: Clock, month: int, day: int) -> None:
    berlin = open_shop("uhr", time_zone="Europe/Berlin")
    until = f"2022-{month:02}-{day:02}"
    first, second = x5(berlin, "a", until), x5(berlin, "b", until)
    midnight = berlin.at(2022, month, day, 23) + timedelta(hours=1)
    assert swept(berlin, clock, first, midnight.astimezone(UTC) - TICK) == ALL
    assert swept(berlin, clock, second, midnight.astimezone(UTC)) == HALF


def test_f2_nothing_valid_leaves_not_reverted(shop: Shop, clock: Clock) -> None:
    customer = shop.customer()
    shop.give_credits(customer, "30.00", "2021-09-10")
    order = shop.order(customer, apply_credits="30.00")["id"]
    assert swept(shop, clock, Example(order, customer, (), clock_at(shop)), clock_at(shop)) == NOTHING
    assert skipped(order) == {"credits": "expired"}


def clock_at(shop: Shop) -> datetime:
    """An instant after everything of September's first days has expired."""
    return shop.at(2021, 9, 20)


def test_f2_several_lots_return_lot_by_lot(shop: Shop, clock: Clock) -> None:
    customer = shop.customer()
    for last_day in ("2021-09-05", "2021-09-15", "2021-09-25", "2021-10-05"):
        shop.give_credits(customer, "10.00", last_day)
        shop.give_points(customer, 5, last_day)
    shop.give_credits(customer, "10.00")
    order = shop.order(customer, apply_credits="45.00", apply_points=17)["id"]
    example = Example(order, customer, (), clock_at(shop))
    assert swept(shop, clock, example, clock_at(shop)) == ("cancelled", "reverted", "25.00", "reverted", 7)
    assert balance(shop, customer) == ("30.00", 10)


def test_f2_points_alone(shop: Shop, clock: Clock) -> None:
    customer = shop.customer()
    shop.give_points(customer, 100)
    order = shop.order(customer, apply_points=40)["id"]
    example = Example(order, customer, (), clock_at(shop))
    assert swept(shop, clock, example, clock_at(shop)) == ("cancelled", None, "0.00", "reverted", 40)
    assert balance(shop, customer) == ("0.00", 100)


def test_f2_a_currency_without_decimals(clock: Clock) -> None:
    kyoto = open_shop("kyoto", time_zone="Asia/Tokyo", currency="JPY")
    customer = kyoto.customer()
    kyoto.give_credits(customer, "333", "2021-09-10")
    kyoto.give_credits(customer, "667")
    order = kyoto.order(customer, total="5000", apply_credits="1000")["id"]
    example = Example(order, customer, (), clock_at(kyoto))
    assert swept(kyoto, clock, example, clock_at(kyoto)) == ("cancelled", "reverted", "667", None, 0)
    assert last_event(order, "order.credit_reverted").data["amount"] == "667"


def test_e9_an_order_that_used_nothing_is_cancelled_too(shop: Shop, clock: Clock) -> None:
    order = shop.order(None)["id"]
    example = Example(order, "", (), clock_at(shop))
    assert swept(shop, clock, example, clock_at(shop)) == ("cancelled", None, "0.00", None, 0)


# --- what the store has chosen


def test_e2_expired_is_left_alone_by_default(shop: Shop, clock: Clock) -> None:
    example = x5(shop)
    assert swept(shop, clock, example, example.now, "expired") == OPEN


def test_f1_failed_is_cancelled_and_returned_by_default(shop: Shop, clock: Clock) -> None:
    example = x5(shop)
    assert swept(shop, clock, example, example.now) == HALF
    assert order_of(shop, example.order)["cancelled_by"] == "payment_failed"


@pytest.mark.parametrize("status", ["expired", "failed"])
def test_e2_f1_off_does_nothing(shop: Shop, clock: Clock, status: str) -> None:
    example = x5(shop)
    settings(shop, expired="off", failed="off")
    assert swept(shop, clock, example, example.now, status) == OPEN


@pytest.mark.parametrize("status", ["expired", "failed"])
def test_e2_f1_cancel_alone_defers_the_return(shop: Shop, clock: Clock, status: str) -> None:
    example = x5(shop)
    settings(shop, expired="cancel", failed="cancel")
    assert swept(shop, clock, example, example.now, status) == NOTHING
    order = Order.unscoped.get(pk=int(example.order))
    assert (order.credits_decision, order.points_decision, order.needs_revert) == (PersonsDecision.DEFERRED, "", True)
    assert skipped(example.order)["credits"] == "not_selected"


@pytest.mark.parametrize("status", ["expired", "failed"])
@pytest.mark.parametrize(("rule", "result"), [("all_or_nothing", NOTHING), ("valid_only", HALF)])
def test_e4_either_rule_for_either_status(
    shop: Shop, clock: Clock, status: str, rule: str, result: tuple[Any, ...]
) -> None:
    example = x5(shop)
    settings(shop, expired="cancel_and_revert", expired_lots={f"payment_{status}": rule})
    assert swept(shop, clock, example, example.now, status) == result


def test_f1_minutes_of_grace_to_the_microsecond(shop: Shop, clock: Clock) -> None:
    example = x5(shop)
    settings(shop, failed_grace_minutes=30)
    failed_at = shop.at(2021, 9, 10)
    assert swept(shop, clock, example, failed_at) == OPEN
    clock.move_to(failed_at + timedelta(minutes=30) - TICK)
    run_jobs()
    assert returned(shop, example.order) == OPEN
    clock.move_to(failed_at + timedelta(minutes=30))
    run_jobs()
    assert returned(shop, example.order) == ALL


def test_f1_grace_is_for_failed_payments_only(shop: Shop, clock: Clock) -> None:
    example = x5(shop)
    settings(shop, failed_grace_minutes=30, expired="cancel_and_revert")
    assert swept(shop, clock, example, shop.at(2021, 9, 10), "expired") == ALL


def test_h3_the_customer_is_told_when_the_store_wants_it(shop: Shop, clock: Clock) -> None:
    example = x5(shop)
    shop.send("PATCH", "/settings/", {"notify": {"on_automatic": True}})
    swept(shop, clock, example, example.now)
    notice = Notice.unscoped.get()
    assert (notice.to_email, notice.order_id) == ("di-1005@example.org", int(example.order))


def test_n3_a_skip_tag_stops_the_return_and_not_the_cancel(shop: Shop, clock: Clock) -> None:
    example = x5(shop)
    shop.send("PATCH", "/settings/", {"spent_revert": {"enabled": False, "skip_tags": ["exchange-order"]}})
    shop.send("PATCH", f"/orders/{example.order}/", {"tags": ["vip", " Exchange-Order "]})
    assert swept(shop, clock, example, example.now) == NOTHING
    assert skipped(example.order)["credits"] == "skip_tag"
    order = Order.unscoped.get(pk=int(example.order))
    assert (order.credits_decision, order.needs_revert) == ("", True)
    by_hand = shop.cancel(example.order, revert_credits=True).json()
    assert by_hand["order"]["credits_reverted"] == "50.00"


def test_n3_another_tag_skips_nothing(shop: Shop, clock: Clock) -> None:
    example = x5(shop)
    shop.send("PATCH", "/settings/", {"spent_revert": {"skip_tags": ["exchange-order"]}})
    shop.send("PATCH", f"/orders/{example.order}/", {"tags": ["exchange order", "exchange-order-2"]})
    assert swept(shop, clock, example, example.now) == HALF


def test_n4_what_a_person_declined_stays_declined(shop: Shop, clock: Clock) -> None:
    customer = shop.customer()
    shop.give_credits(customer, "100.00")
    shop.give_points(customer, 100)
    order = shop.order(customer, apply_credits="100.00", apply_points=100)["id"]
    # Declined on an order that is open again: its credits are not to come back by themselves.
    Order.unscoped.filter(pk=int(order)).update(credits_decision=PersonsDecision.DECLINED)
    example = Example(order, customer, (), clock_at(shop))
    assert swept(shop, clock, example, clock_at(shop)) == ("cancelled", "not_reverted", "0.00", "reverted", 100)
    row = Order.unscoped.get(pk=int(order))
    assert (row.credits_decision, row.needs_revert) == (PersonsDecision.DECLINED, False)
    assert skipped(order) == {"credits": "declined"}


def test_e3_automation_never_changes_an_expiry_nor_makes_a_lot(shop: Shop, clock: Clock) -> None:
    examples = [x5(shop, "a"), x5(shop, "b", "2021-09-20")]
    before = expiries(shop.store)
    for example in examples:
        swept(shop, clock, example, example.now)
    assert expiries(shop.store) == before


# --- which orders


@pytest.mark.parametrize("status", ["completed", "cancelled"])
def test_e9_completed_and_cancelled_orders_never(shop: Shop, clock: Clock, status: str) -> None:
    example = x5(shop)
    now = shop.at(2021, 9, 16)
    if status == "completed":
        shop.send("PATCH", f"/orders/{example.order}/", {"status": "completed"})
    else:
        shop.cancel(example.order, revert_credits=False)
    cancelled_at = order_of(shop, example.order)["cancelled_at"]
    result = swept(shop, clock, example, now)
    assert (result[0], result[2]) == (status, "0.00")
    assert order_of(shop, example.order)["cancelled_at"] == cancelled_at


@pytest.mark.parametrize("status", ["pending", "confirmed"])
def test_e9_pending_and_confirmed_orders_are(shop: Shop, clock: Clock, status: str) -> None:
    order = shop.order(None, status=status)["id"]
    assert swept(shop, clock, Example(order, "", (), clock_at(shop)), clock_at(shop))[0] == "cancelled"


@pytest.mark.parametrize("payment", ["pending", "paid", "refunded", "partially_refunded"])
def test_e9_other_payment_states_are_left_alone(shop: Shop, clock: Clock, payment: str) -> None:
    settings(shop, expired="cancel")
    order = shop.order(None, payment_status=payment)["id"]
    run_jobs()
    assert order_of(shop, order)["status"] == "pending"


@pytest.mark.parametrize(
    "kept", [{"held_at": datetime(2021, 9, 1, tzinfo=UTC)}, {"arrived_late": True}, {"is_test": True}]
)
def test_e9_held_late_and_test_orders_are_left_alone(shop: Shop, clock: Clock, kept: dict[str, Any]) -> None:
    example = x5(shop)
    Order.unscoped.filter(pk=int(example.order)).update(**kept)
    assert swept(shop, clock, example, example.now) == OPEN
    Order.unscoped.filter(pk=int(example.order)).update(held_at=None, arrived_late=False, is_test=False)
    run_jobs()
    assert returned(shop, example.order) == HALF


def test_e6_a_payment_before_the_sweep_wins(shop: Shop, clock: Clock) -> None:
    example = x5(shop)
    clock.move_to(example.now)
    fail(shop, example.order)
    fail(shop, example.order, "paid")
    run_jobs()
    assert returned(shop, example.order) == OPEN


def test_e6_a_payment_after_the_cancel_changes_nothing_by_itself(shop: Shop, clock: Clock) -> None:
    example = x5(shop)
    swept(shop, clock, example, example.now)
    fail(shop, example.order, "paid")
    run_jobs()
    assert returned(shop, example.order) == HALF


def test_t1_another_stores_orders_follow_that_stores_settings(shop: Shop, clock: Clock) -> None:
    pens = open_shop("pens", time_zone="Europe/Berlin")
    settings(pens, failed="off")
    mine, theirs = x5(shop), x5(pens)
    clock.move_to(mine.now)
    fail(shop, mine.order)
    fail(pens, theirs.order)
    count = JournalEntry.objects.for_store(pens.store).count()
    run_jobs()
    assert (returned(shop, mine.order), returned(pens, theirs.order)) == (HALF, OPEN)
    assert JournalEntry.objects.for_store(pens.store).count() == count


def test_t4_each_stores_own_midnight_and_rules_in_one_sweep(shop: Shop, clock: Clock) -> None:
    """16 September has begun in Taipei and not in Berlin, where the rule is another one too."""
    pens = open_shop("pens", time_zone="Europe/Berlin")
    settings(pens, expired_lots={"payment_failed": "all_or_nothing"})
    mine, theirs, blocked = x5(shop), x5(pens), x5(pens, "1006", "2021-09-14")
    clock.move_to(shop.at(2021, 9, 16, 1))
    fail(shop, mine.order)
    fail(pens, theirs.order)
    fail(pens, blocked.order)
    assert run_jobs("orders.auto_cancel") == ["orders.auto_cancel: cancelled=3 failed=0"]
    assert [returned(shop, mine.order), returned(pens, theirs.order), returned(pens, blocked.order)] == [
        HALF,
        ALL,
        NOTHING,
    ]
    berlin = Revert.objects.for_store(pens.store).get()
    assert [lot["expires_on"] for lot in berlin.lots] == ["2021-09-15", None]
    assert {revert.settings_version for revert in Revert.objects.for_store(shop.store)} == {0}
    assert berlin.settings_version == 1


# --- the sweep itself


def test_e8_a_second_run_repeats_nothing(shop: Shop, clock: Clock) -> None:
    example = x5(shop)
    swept(shop, clock, example, example.now)
    assert run_jobs("orders.auto_cancel") == ["orders.auto_cancel: cancelled=0 failed=0"]
    assert Revert.unscoped.count() == 1


def test_e8_more_than_a_batch_in_several_stores(shop: Shop, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancel_unpaid, "BATCH", 4)
    shops = [shop, open_shop("pens"), open_shop("ink")]
    orders = [one.order(None, str(number), payment_status="failed")["id"] for one in shops for number in range(7)]
    assert run_jobs("orders.auto_cancel") == [f"orders.auto_cancel: cancelled={len(orders)} failed=0"]


def test_t1_a_store_with_many_orders_keeps_no_other_waiting(
    shop: Shop, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    many, few, plain = shop, open_shop("pens"), cancel_unpaid.cancel_batch
    turns: list[set[int]] = []

    def noted(*said: Any) -> set[int]:
        turns.append(plain(*said))
        return turns[-1]

    monkeypatch.setattr(cancel_unpaid, "BATCH", 2)
    monkeypatch.setattr(cancel_unpaid, "cancel_batch", noted)
    for one, orders in ((many, 5), (few, 3)):
        for number in range(orders):
            one.order(None, str(number), payment_status="failed")
    assert run_jobs("orders.auto_cancel") == ["orders.auto_cancel: cancelled=8 failed=0"]
    assert [turn for turn in turns if turn] == [{many.store.pk}, {few.store.pk}] * 2 + [{many.store.pk}]


def statements_of_a_sweep(shop: Shop, clock: Clock, orders: int) -> int:
    customer, now = make_customer(shop.store), timezone.now()
    grant("credits", customer, "10000.00", until=date(2021, 10, 1), now=now)
    grant("credits", customer, "10000.00", now=now)
    grant("points", customer, 10000, now=now)
    for _ in range(orders):
        make_order(customer, credits="1.00", points=1, payment_status="failed", now=now)
    with CaptureQueriesContext(connection) as queries:
        counts = cancel_unpaid.auto_cancel(clock_at(shop))
    assert counts["cancelled"] == orders
    return sum(not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")) for query in queries)


def test_e8_statements_do_not_grow_with_the_orders(shop: Shop, clock: Clock) -> None:
    one, sixty = (statements_of_a_sweep(shop, clock, orders) for orders in (1, 60))
    assert one == sixty


def spender(shop: Shop, **facts: Any) -> str:
    """An order that used 30.00."""
    customer = shop.customer()
    shop.give_credits(customer, "30.00")
    return str(shop.order(customer, apply_credits="30.00", **facts)["id"])


@pytest.mark.parametrize(
    "before", [{"payment_status": "paid"}, {"payment_status": "refunded"}, {"status": "completed"}]
)
def test_e10_an_order_that_was_paid_or_completed_before_is_not_cancelled_when_it_says_failed(
    shop: Shop, clock: Clock, before: dict[str, str]
) -> None:
    order = spender(shop)
    for facts in (before, {"status": "confirmed", "payment_status": "pending"}):
        assert shop.send("PATCH", f"/orders/{order}/", facts).status_code == 200
    fail(shop, order)
    clock.shift(timedelta(days=2))
    run_jobs()
    assert returned(shop, order) == ("confirmed", None, "0.00", None, 0)
    (decision,) = shop.get(f"/orders/{order}/decisions/").json()["results"]
    assert (decision["trigger"], decision["outcome"]) == ("payment_failed", "not_returned")
    assert "was paid or completed before and now its payment says failed" in decision["sentence"]
    listed = shop.get("/orders/", failed_after_payment="true").json()["results"]
    assert [one["id"] for one in listed] == [order]
    assert shop.get("/orders/", failed_after_payment="false").json()["results"] == []


def test_e10_an_order_that_was_never_paid_is_cancelled_when_it_says_failed(shop: Shop, clock: Clock) -> None:
    order = spender(shop)
    fail(shop, order)
    run_jobs()
    assert returned(shop, order) == ("cancelled", "reverted", "30.00", None, 0)
