"""What would have happened: counts and amounts against real orders, and nothing written (E1-E3, E9, F1, F2, N3)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from credits.ledger import CREDITS
from loyalty.platforms.meaning import PaymentNews
from loyalty.platforms.snapshot import OrderSnapshot
from loyalty.store_settings.sections import AutoCancelSettings, SpentRevertSettings, StoreSettings
from loyalty.stores.models import Customer, Store
from orders.models import Order
from orders.services.automation.cancel_unpaid import auto_cancel
from orders.services.automation.expire_payments import expire_overdue_payments
from orders.services.backtests import tally
from orders.services.backtests.cancels import backtest
from orders.services.backtests.tally import PER_PAGE, Backtest, Sums, Tally
from orders.services.intake.change import change_order
from orders.services.intake.ingest import ingest
from orders.services.intake.platform_payments import note_payment_news
from tests.factories import (
    ACTOR,
    NOW,
    balance,
    cancel_and_return,
    grant,
    make_customer,
    make_order,
    make_settings,
    make_store,
)

pytestmark = pytest.mark.django_db

TRIED = AutoCancelSettings(payment_window_hours=24, expired="cancel_and_revert")
DAY = timedelta(days=1)
TODAY = date(2026, 1, 5)


@pytest.fixture
def customer(store: Store) -> Customer:
    return make_customer(store)


def look_back(
    store: Store, tried: AutoCancelSettings = TRIED, *, days: int = 90, now: datetime = NOW, first: int = 0
) -> Backtest:
    """The back-test in a transaction in which the database refuses every write."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
        return backtest(store=store, auto_cancel=tried, days=days, now=now, first=first)


def pay(order: Order, status: str, at: datetime) -> None:
    change_order(store=order.store, order_id=order.pk, values={"payment_status": status}, actor=ACTOR, now=at)


def found(result: Backtest, reason: str = "payment_expired") -> dict[date, int]:
    """How many orders on which days."""
    return {
        day: tally.orders
        for day, tallies in result.days.items()
        for trigger, tally in tallies.items()
        if tally.orders and trigger == reason
    }


def total(result: Backtest, reason: str = "payment_expired") -> Tally:
    return next(tally for trigger, tally in result.totals.items() if trigger == reason)


def test_every_day_is_there_and_an_empty_past_is_empty(store: Store) -> None:
    result = look_back(store, days=3)
    assert list(result.days) == [date(2026, 1, 3), date(2026, 1, 4), TODAY]
    assert not found(result)
    assert not result.lines


def test_e1_pending_paid_late_and_paid_in_time(store: Store, customer: Customer) -> None:
    placed = NOW - 5 * DAY
    make_order(customer, now=placed)
    pay(make_order(customer, now=placed), "paid", placed + 2 * DAY)
    pay(make_order(customer, now=placed), "paid", placed + DAY)
    make_order(customer, now=NOW - timedelta(hours=23))
    result = look_back(store)
    assert found(result) == {date(2026, 1, 1): 2}
    assert total(result).value == {"USD": Decimal(2000)}


def test_e3_f2_lots_are_judged_at_that_moment_and_each_kind_by_itself(store: Store, customer: Customer) -> None:
    placed = NOW - 10 * DAY
    for day in (date(2025, 12, 26), date(2025, 12, 28), None):
        grant("credits", customer, "10.00", until=day, now=placed)
    grant("points", customer, 100, until=date(2025, 12, 28), now=placed)
    order = make_order(customer, credits="30.00", points=100, now=placed)
    pay(order, "failed", placed + 1.5 * DAY)
    result = look_back(store)
    assert total(result, "payment_expired").kinds == {
        ("credits", "USD"): Sums(0, Decimal(10), Decimal(20), Decimal(0)),
        ("points", ""): Sums(100, 0, 0, 0),
    }
    only_failed = look_back(store, replace(TRIED, expired="off"))
    assert total(only_failed, "payment_failed").kinds["credits", "USD"] == Sums(Decimal(20), Decimal(10), 0, Decimal(0))
    assert not total(only_failed, "payment_expired").orders


def test_the_last_microsecond_of_a_lots_last_day_still_returns(store: Store, customer: Customer) -> None:
    midnight = datetime(2025, 12, 31, 16, 0, tzinfo=UTC)
    for number, failed_at in enumerate((midnight - timedelta(microseconds=1), midnight)):
        grant("credits", customer, "5.00", until=date(2025, 12, 31), now=NOW - 10 * DAY)
        pay(make_order(customer, credits="5.00", now=NOW - 9 * DAY), "failed", failed_at)
        result = look_back(store, replace(TRIED, expired="off"))
        assert found(result, "payment_failed")[[date(2025, 12, 31), date(2026, 1, 1)][number]] == 1
    assert total(result, "payment_failed").kinds["credits", "USD"] == Sums(Decimal(5), Decimal(5), 0, Decimal(0))


def test_cancel_only_and_skip_tags_return_nothing(store: Store, customer: Customer) -> None:
    make_settings(store, StoreSettings(spent_revert=SpentRevertSettings(skip_tags=("Exchange-Order",))))
    grant("credits", customer, "20.00", now=NOW - 10 * DAY)
    for tags in ([], ["exchange-order "]):
        make_order(customer, credits="10.00", tags=tags, now=NOW - 5 * DAY)
    tried = total(look_back(store)).kinds["credits", "USD"]
    assert (tried.returned, tried.left, tried.not_returned) == (Decimal(10), Decimal(10), Decimal(10))
    only = total(look_back(store, replace(TRIED, expired="cancel"))).kinds["credits", "USD"]
    assert (only.returned, only.left) == (0, Decimal(20))


@pytest.mark.parametrize("zone", ["Asia/Taipei", "America/Los_Angeles", "Europe/Berlin"])
def test_t4_days_are_the_stores_and_the_window_begins_with_the_first_of_them(zone: str) -> None:
    store = make_store(time_zone=zone)
    customer = make_customer(store)
    first_day = NOW.astimezone(store.tz).date() - timedelta(days=2)
    begin = datetime.combine(first_day, datetime.min.time(), store.tz).astimezone(UTC)
    for at in (begin - timedelta(microseconds=1), begin, begin + DAY):
        make_order(customer, payment_due_at=at, now=begin - 3 * DAY)
    assert found(look_back(store, days=3)) == {first_day: 1, first_day + DAY: 1}
    assert sum(found(look_back(store, days=4)).values()) == 3


def test_e9_what_automation_leaves_alone_is_not_counted(store: Store, customer: Customer) -> None:
    placed = NOW - 5 * DAY
    ours = Order.objects.for_store(store)
    for flags in ({"is_test": True}, {"arrived_late": True}, {"held_at": NOW}):
        ours.filter(pk=make_order(customer, now=placed).pk).update(**flags)
    cancel_and_return(make_order(customer, now=placed), now=placed + timedelta(hours=1))
    make_order(customer, status="completed", now=placed)
    assert not found(look_back(store))


def test_e2_what_really_happened_counts_as_what_it_would_have_been(store: Store, customer: Customer) -> None:
    placed = NOW - 5 * DAY
    make_settings(store, StoreSettings(auto_cancel=TRIED))
    for until in (date(2026, 1, 3), None):
        grant("credits", customer, "10.00", until=until, now=placed - DAY)
    make_order(customer, credits="20.00", now=placed)
    before = look_back(store)
    expire_overdue_payments(placed + DAY)
    assert auto_cancel(placed + DAY)["cancelled"] == 1
    assert look_back(store).totals == before.totals
    assert total(before).kinds["credits", "USD"] == Sums(Decimal(20), 0, 0, Decimal(0))
    longer = look_back(store, replace(TRIED, payment_window_hours=24 * 4))
    assert found(longer) == {date(2026, 1, 4): 1}
    assert total(longer).kinds["credits", "USD"] == Sums(0, Decimal(10), Decimal(10), Decimal(0))
    assert not found(look_back(store, replace(TRIED, payment_window_hours=None)))
    assert balance("credits", customer, now=placed + DAY) == Decimal(20)


def test_a_cancel_by_hand_afterwards_changes_nothing_of_it(store: Store, customer: Customer) -> None:
    grant("credits", customer, "20.00", now=NOW - 10 * DAY)
    order = make_order(customer, credits="20.00", now=NOW - 5 * DAY)
    before = look_back(store)
    cancel_and_return(order, now=NOW - timedelta(hours=1))
    assert look_back(store).totals == before.totals
    assert total(before).kinds["credits", "USD"].returned == Decimal(20)


def test_rows_made_in_bulk_have_no_journal(store: Store, customer: Customer) -> None:
    placed = NOW - 5 * DAY
    rows = [
        Order(
            store=store,
            number=f"bulk-{number}",
            customer=customer,
            currency="USD",
            total=Decimal(10),
            placed_at=placed,
            created_at=placed,
            updated_at=placed,
            payment_status=status,
            payment_changed_at=changed,
        )
        for number, (status, changed) in enumerate(
            [("pending", None), ("failed", None), ("failed", placed + 3 * DAY), ("paid", placed), ("paid", NOW)]
        )
    ]
    Order.unscoped.bulk_create(rows)
    result = look_back(store)
    assert sum(found(result).values()) == 3
    assert sum(found(result, "payment_failed").values()) == 1
    off = look_back(store, replace(TRIED, expired="off"))
    assert found(off, "payment_failed") == {date(2025, 12, 31): 1, date(2026, 1, 3): 1}


def test_t1_another_stores_orders_are_not_looked_at(store: Store, customer: Customer) -> None:
    make_order(customer, now=NOW - 5 * DAY)
    assert not found(look_back(make_store()))


def test_o1_currencies_are_kept_apart(store: Store, customer: Customer) -> None:
    make_order(customer, now=NOW - 5 * DAY)
    make_order(customer, currency="JPY", total=Decimal(500), now=NOW - 5 * DAY)
    assert total(look_back(store)).value == {"USD": Decimal(1000), "JPY": Decimal(500)}


def test_queries_grow_with_batches_alone_and_orders_come_in_pages(
    store: Store, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "BATCH", 30)
    orders = [make_order(customer, now=NOW - 5 * DAY).pk for _ in range(PER_PAGE + 5)]
    with CaptureQueriesContext(
        connection,
    ) as two_batches:
        first = look_back(store)
    assert [line.order.pk for line in first.lines] == orders[::-1][:PER_PAGE]
    assert first.more
    last = look_back(store, first=PER_PAGE)
    assert [line.order.pk for line in last.lines] == orders[::-1][PER_PAGE:]
    assert not last.more
    monkeypatch.setattr(tally, "BATCH", 500)
    with CaptureQueriesContext(connection) as one_batch:
        assert look_back(store).totals == first.totals
    assert len(two_batches) - len(one_batch) <= 6


def test_l5_a_lot_that_was_posted_as_expired_since_was_valid_then(store: Store, customer: Customer) -> None:
    placed = NOW - 5 * DAY
    grant("credits", customer, "20.00", until=date(2026, 1, 3), now=placed)
    order = make_order(customer, credits="10.00", now=placed)
    pay(order, "failed", placed + DAY)
    CREDITS.post_due([customer.pk], actor=ACTOR, now=NOW)
    assert total(look_back(store), "payment_failed").kinds["credits", "USD"] == Sums(Decimal(10), 0, 0, Decimal(0))


def said(minutes: int, **facts: Any) -> OrderSnapshot:
    placed = NOW - 5 * DAY
    values: dict[str, Any] = {
        "external_id": "1", "number": "1", "status": "confirmed", "payment_status": "pending", "currency": "USD",
        "total": Decimal(40), "refunded_total": Decimal(0), "placed_at": placed, "customer": None,
        "updated_at": placed + timedelta(minutes=minutes),
    }  # fmt: skip
    return OrderSnapshot(**(values | facts))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], {date(2026, 1, 1): 1}),
        ([{"payment_detail": "authorized"}], {}),
        ([{"payment_detail": "authorized"}, {"payment_status": "paid"}], {}),
        ([{}, {"payment_detail": "at_bank"}], {}),
        ([{"payment_detail": "at_bank"}, {}], {date(2026, 1, 1): 1}),
        ([{"payment_status": "paid"}, {"payment_status": "failed"}], {}),
        ([{"payment_status": "failed", "paid_before": True}], {}),
        ([{"payment_status": "failed"}, {"payment_status": "paid"}], {date(2025, 12, 31): 1}),
    ],
)
def test_e10_what_the_platform_said_of_a_payment_counts_in_the_past(
    store: Store, states: list[dict[str, Any]], expected: dict[date, int]
) -> None:
    """The job's own work in between changes nothing of it."""
    for number, facts in enumerate(states or [{}]):
        snapshot = said(number, **facts)
        ingest(store=store, platform="shopify", snapshot=snapshot, actor=ACTOR, now=snapshot.updated_at)
    make_settings(store, StoreSettings(auto_cancel=AutoCancelSettings(payment_window_hours=1)))
    expire_overdue_payments(NOW)
    result = look_back(store)
    both = found(result) | found(result, "payment_failed")
    assert both == expected


def test_e10_x16_a_declined_card_counts_when_no_other_followed_in_time(store: Store) -> None:
    first = said(0)
    ingest(store=store, platform="shopify", snapshot=first, actor=ACTOR, now=first.updated_at)
    news = PaymentNews("1", "failed", attempt="9")
    note_payment_news(store=store, platform="shopify", news=news, actor=ACTOR, now=first.updated_at)
    expire_overdue_payments(first.updated_at + timedelta(minutes=31))
    assert found(look_back(store), "payment_failed") == {date(2025, 12, 31): 1}
    patient = replace(TRIED, failed_grace_minutes=1440)
    assert found(look_back(store, patient), "payment_failed") == {}
    assert found(look_back(store, patient)) == {date(2026, 1, 1): 1}
