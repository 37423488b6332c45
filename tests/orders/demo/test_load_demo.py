"""The demonstration: what is in it, that its books agree, that it is loaded once and keeps its stores apart."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker, Settings

from credits.models import CreditAllocation, CreditLot, CreditMovement
from loyalty.core.days import last_day_of_use, local_day
from loyalty.journal.models import JournalEntry
from loyalty.notices.models import Notice
from loyalty.stores.keys import find_api_key
from loyalty.stores.models import ApiKey, Customer, Membership, Role, Store, User
from loyalty.stores.scoping import StoreOwned
from orders.demo.cast import STORES
from orders.demo.loading import load
from orders.models import (
    Completeness,
    Order,
    OrderStatus,
    PaymentStatus,
    Redemption,
    ReversalRequest,
    Revert,
    RevertStatus,
    Reward,
)
from orders.services.codes.uses import flagged_uses
from orders.services.redemptions.redeem import usable
from orders.services.reverts.choices import CancelChoice, Extension
from points.models import PointAllocation, PointLot, PointMovement
from tests.factories import cancel_choosing
from tests.orders.services.bundles.moving import assert_arrived, moved, written

pytestmark = pytest.mark.django_db

CREDITS_TICKED = CancelChoice(returns={"credits": True})


def tables() -> list[type[StoreOwned]]:
    return [
        *(Customer, ApiKey, Order, Revert, Notice, JournalEntry),
        *(CreditLot, CreditAllocation, CreditMovement, PointLot, PointAllocation, PointMovement),
    ]


def counts() -> dict[str, int]:
    people = {"stores": Store.objects.count(), "users": User.objects.count(), "memberships": Membership.objects.count()}
    return people | {table.__name__: table.unscoped.count() for table in tables()}


@pytest.fixture(scope="module")
def now() -> datetime:
    return timezone.now()


@pytest.fixture(scope="module")
def mine(django_db_setup: None, django_db_blocker: DjangoDbBlocker, now: datetime) -> Iterator[Store]:
    """A store that was there before the demonstration; with it opens the transaction that all of these tests share."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield Store.objects.create(slug="mine", name="Mine", currency="USD", time_zone="Asia/Taipei", created_at=now)
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def loaded(mine: Store, now: datetime) -> list[Store]:
    return load(now)


@pytest.fixture
def aurora(loaded: list[Store]) -> Store:
    return next(store for store in loaded if store.slug == "aurora-tea")


def order_of(store: Store, number: str) -> Order:
    order: Order = Order.objects.for_store(store).get(number=number)
    return order


def lots_of(order: Order) -> list[tuple[Decimal, int | None]]:
    """What the order drew on: the amount, and the lot's last day of use counted from today; None for never."""
    today = local_day(timezone.now(), order.store.tz)
    uses = CreditAllocation.objects.for_store(order.store).filter(order=order).order_by("id").select_related("lot")
    return [(use.amount, _days(last_day_of_use(use.lot.expires_at, order.store.tz), today)) for use in uses]


def _days(day: date | None, today: date) -> int | None:
    return None if day is None else (day - today).days


def test_both_stores_have_people_of_every_role_customers_and_orders(loaded: list[Store]) -> None:
    assert [(store.currency, store.time_zone) for store in loaded] == [("USD", "Asia/Taipei"), ("EUR", "Europe/Berlin")]
    for store in loaded:
        assert set(store.memberships.values_list("role", flat=True)) == set(Role)
        assert Customer.objects.for_store(store).count() >= 12
        assert Order.objects.for_store(store).count() >= 60
    assert User.objects.get(email="both@loyalty.example").memberships.count() == 2
    assert User.objects.filter(is_superuser=True).count() == 1


def test_o1_every_status_and_payment_status_is_there(loaded: list[Store]) -> None:
    shown = set(Order.unscoped.values_list("status", "payment_status"))
    assert shown == {(status, payment) for status in OrderStatus for payment in PaymentStatus}


def test_o3_each_store_shows_both_revert_statuses_a_part_and_a_queue(loaded: list[Store]) -> None:
    for store in loaded:
        orders = Order.objects.for_store(store)
        assert orders.filter(credit_revert_status=RevertStatus.REVERTED).exists()
        assert orders.filter(credit_revert_status=RevertStatus.NOT_REVERTED).exists()
        assert orders.filter(completeness=Completeness.PARTIAL).exists()
        assert orders.filter(needs_revert=True).count() >= 3
        partly = order_of(store, "1000")
        assert (partly.credits_reverted, partly.credits_applied) == (Decimal(20), Decimal(50))


def test_e6_m10_some_were_paid_too_late_and_one_was_brought_back(loaded: list[Store]) -> None:
    assert Order.unscoped.filter(paid_after_cancellation=True).count() == 2
    assert Order.unscoped.filter(reinstated_at__isnull=False).exists()


def test_h5_the_books_agree(loaded: list[Store]) -> None:
    said = StringIO()
    call_command("check_ledger", stdout=said)
    assert said.getvalue().startswith("ledger agrees")


def test_l5_what_lapsed_in_the_past_was_posted_in_the_past(loaded: list[Store], now: datetime) -> None:
    lapsed = CreditLot.unscoped.filter(expires_at__lte=now, remaining__gt=0)
    assert not lapsed.exists()
    assert CreditMovement.unscoped.filter(type="expire").count() > 10


def test_nothing_lies_in_the_future(loaded: list[Store], now: datetime) -> None:
    for table in tables():
        assert not table.unscoped.filter(**{f"{_instant(table)}__gt": now}).exists()


def _instant(table: type[StoreOwned]) -> str:
    return "granted_at" if table in (CreditLot, PointLot) else "created_at"


def test_x1_one_lot_of_two_has_expired_and_the_other_returns(aurora: Store, now: datetime) -> None:
    order = order_of(aurora, "X1")
    assert lots_of(order) == [(Decimal(10), -4), (Decimal(5), 74)]
    result = cancel_choosing(order, CREDITS_TICKED, now=now)
    assert (result.order.credits_reverted, result.order.credits_applied) == (Decimal(5), Decimal(15))
    assert result.order.credit_revert_status == RevertStatus.REVERTED


def test_x2_starts_as_x1_and_returns_in_full_with_extend(aurora: Store, now: datetime) -> None:
    order = order_of(aurora, "X2")
    assert lots_of(order) == [(Decimal(10), -4), (Decimal(5), 74)]
    result = cancel_choosing(
        order, CancelChoice(returns={"credits": True}, extend={"credits": Extension(days=30)}), now=now
    )
    assert result.order.credits_reverted == Decimal(15)


def test_x3_both_lots_have_expired(aurora: Store, now: datetime) -> None:
    order = order_of(aurora, "X3")
    assert [days for _, days in lots_of(order)] == [-4, -2]
    result = cancel_choosing(order, CREDITS_TICKED, now=now)
    assert result.order.credit_revert_status == RevertStatus.NOT_REVERTED


def test_x4_used_a_minute_before_midnight_and_not_paid(aurora: Store) -> None:
    order = order_of(aurora, "X4")
    assert lots_of(order) == [(Decimal(50), -2), (Decimal(50), None)]
    assert order.placed_at.astimezone(aurora.tz).strftime("%H:%M") == "23:59"
    assert (order.points_applied, order.payment_status) == (100, PaymentStatus.EXPIRED)


def test_x5_half_of_it_expired_yesterday(aurora: Store) -> None:
    assert lots_of(order_of(aurora, "X5")) == [(Decimal(50), -1), (Decimal(50), None)]


def test_x11_ends_with_the_days_whose_clock_changes(loaded: list[Store]) -> None:
    berlin = next(store for store in loaded if store.slug == "nordlicht-kaffee")
    uses = CreditAllocation.objects.for_store(berlin).filter(order=order_of(berlin, "X11")).select_related("lot")
    for use in uses:
        day = last_day_of_use(use.lot.expires_at, berlin.tz)
        assert day is not None
        start = datetime(day.year, day.month, day.day, tzinfo=berlin.tz)
        hours = (use.lot.expires_at.timestamp() - start.timestamp()) / 3600
        assert hours in {23, 25}
    assert len(uses) == 2


def test_x12_there_is_a_redemption_in_every_state(aurora: Store, now: datetime) -> None:
    redemptions = Redemption.objects.for_store(aurora)
    assert set(redemptions.values_list("state", flat=True)) == {"claimed", "used", "returned", "reversed"}
    ready = redemptions.get(customer__name="Xandra Ibsen")
    assert (ready.points, usable(ready, now)) == (500, True)
    assert ReversalRequest.objects.for_store(aurora).get().state == "open"
    assert Reward.objects.for_store(aurora).filter(active=True).count() == 3


def test_r7_x14_x15_paid_with_codes_ready_to_fall_through(aurora: Store, now: datetime) -> None:
    for number, applied, returned, status in (
        ("X14", 500, 0, None),
        ("X15", 500, 0, None),
        ("R5", 500, 500, RevertStatus.REVERTED),
        ("R6", 500, 0, RevertStatus.NOT_REVERTED),
        ("R6-again", 0, 0, None),
    ):
        order = order_of(aurora, number)
        assert (order.points_applied, order.points_reverted, order.points_revert_status) == (applied, returned, status)
    assert flagged_uses(aurora).get().order.number == "R6-again"
    result = cancel_choosing(order_of(aurora, "X14"), CancelChoice(returns={"points": True}), now=now)
    assert (result.order.points_reverted, result.order.points_revert_status) == (500, RevertStatus.REVERTED)


def test_x13_sixty_were_spent_and_forty_lapsed(aurora: Store, now: datetime) -> None:
    order = order_of(aurora, "X13")
    assert lots_of(order) == [(Decimal(60), -3)]
    lapsed = CreditMovement.objects.for_store(aurora).get(customer=order.customer_id, type="expire")
    assert lapsed.amount == Decimal(-40)


def test_a_second_run_changes_nothing_and_prints_the_same(aurora: Store) -> None:
    before, first, second = counts(), StringIO(), StringIO()
    call_command("load_demo", "--json", stdout=first)
    call_command("load_demo", "--json", stdout=second)
    assert counts() == before
    assert first.getvalue() == second.getvalue()
    said = StringIO()
    call_command("load_demo", stdout=said)
    assert "loaded before" in said.getvalue()


def test_the_printed_logins_and_keys_are_those_of_the_database(loaded: list[Store], now: datetime) -> None:
    output = StringIO()
    call_command("load_demo", "--json", stdout=output)
    printed: dict[str, list[dict[str, Any]]] = json.loads(output.getvalue())
    assert {login["role"] for login in printed["logins"]} == {"owner", "manager", "support", "viewer", "operator"}
    for login in printed["logins"]:
        user = User.objects.get(email=login["email"])
        assert check_password(login["password"], user.password)
        if login["store"]:
            assert user.memberships.filter(store__slug=login["store"], role=login["role"]).exists()
    assert [entry["store"] for entry in printed["api_keys"]] == [plan.slug for plan in STORES]
    for entry in printed["api_keys"]:
        key = find_api_key(entry["key"], now=now)
        assert key is not None
        assert key.store.slug == entry["store"]


def test_t1_nothing_crosses_stores(loaded: list[Store]) -> None:
    """The database refuses a row that joins two stores; who acted is the store's own people and keys too."""
    for store in loaded:
        actors = set(JournalEntry.objects.for_store(store).values_list("actor", flat=True))
        staff = {f"user:{pk}" for pk in store.memberships.values_list("user", flat=True)}
        assert {actor for actor in actors if actor.startswith("user:")} <= staff
        keys = {f"api_key:{key.pk}" for key in ApiKey.objects.for_store(store)}
        assert {actor for actor in actors if actor.startswith("api_key:")} <= keys


def test_t1_a_store_that_was_there_is_left_alone(mine: Store, loaded: list[Store]) -> None:
    for table in tables():
        assert not table.objects.for_store(mine).exists()


def test_production_refuses_known_passwords_unless_forced(loaded: list[Store], settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="--force"):
        call_command("load_demo")
    said = StringIO()
    call_command("load_demo", "--force", stdout=said)
    assert "aurora-tea" in said.getvalue()


def test_it_moves_with_everything_in_it(loaded: list[Store]) -> None:
    for store in loaded:
        assert_arrived(written(store), written(moved(store, f"{store.slug}-there")))
