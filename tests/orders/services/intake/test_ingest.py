"""O2, O5, O6, E9: recording what platforms say about orders."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import permutations
from typing import Any

import pytest

from loyalty.core.values import value_json
from loyalty.customers.identify import platform_ids
from loyalty.journal.models import JournalEntry
from loyalty.platforms.snapshot import CustomerSnapshot, LineSnapshot, OrderSnapshot, UsedThere
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import Customer, Store
from orders.models import Order, OrderStatus
from orders.services.automation.cancel_unpaid import auto_cancel
from orders.services.intake.change import change_order
from orders.services.intake.ingest import IngestResult, Outcome, ingest
from orders.services.intake.place import NewOrder, place_order
from orders.services.reverts.choices import CancelChoice
from orders.services.rules.decide import facts_of, target
from tests import factories
from tests.races.racing import ROUNDS, in_turn, together

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
PLACED = NOW - timedelta(days=2)
ACTOR = Actor.platform("shopify")


def snapshot(minute: int = 0, **facts: Any) -> OrderSnapshot:
    """A paid order as it was some minutes after it was placed."""
    values: dict[str, Any] = {
        "external_id": "5941690892493",
        "number": "#1001",
        "status": "confirmed",
        "payment_status": "paid",
        "currency": "USD",
        "total": Decimal("120.00"),
        "refunded_total": Decimal("0.00"),
        "placed_at": PLACED,
        "updated_at": PLACED + timedelta(minutes=minute),
        "customer": CustomerSnapshot("77", "ada@example.com", "Ada Byron"),
        "tags": ("vip",),
        "lines": (LineSnapshot("Tea", "T-1", 2, Decimal("120.00")),),
        "platform_payment_status": "paid",
    }
    return OrderSnapshot(**(values | facts))


def send(store: Store, said: OrderSnapshot, *, platform: str = "shopify", now: datetime = NOW) -> IngestResult:
    return ingest(store=store, platform=platform, snapshot=said, actor=ACTOR, now=now)


def recorded(store: Store) -> Order:
    order: Order = Order.objects.for_store(store).get()
    return order


def journal(order: Order) -> list[tuple[str, dict[str, Any]]]:
    entries = JournalEntry.objects.for_store(order.store).filter(order=order).order_by("pk")
    return [(entry.event, entry.data) for entry in entries]


def cancel_here(store: Store, order: Order) -> None:
    factories.cancel_choosing(order, CancelChoice())


def test_o2_a_new_order_is_recorded_with_its_facts(store: Store) -> None:
    result = send(store, snapshot())
    order = recorded(store)
    assert (result.outcome, result.order) == (Outcome.CREATED, order)
    assert (order.number, order.external_id, order.platform) == ("#1001", "5941690892493", "shopify")
    assert (order.status, order.payment_status, order.total, order.currency) == ("confirmed", "paid", 120, "USD")
    assert (order.tags, order.tag_keys) == (["vip"], ["vip"])
    assert order.lines == [{"title": "Tea", "sku": "T-1", "quantity": 2, "total": "120.00"}]
    assert order.customer is not None
    assert (order.customer.external_id, order.customer.email) == (None, "ada@example.com")
    assert platform_ids([order.customer.pk]) == {order.customer.pk: {"shopify": "77"}}
    assert journal(order) == [
        ("order.created", {"status": "confirmed", "payment_status": "paid", "platform": "shopify"})
    ]


def test_o2_the_same_state_again_changes_nothing(store: Store) -> None:
    send(store, snapshot())
    before = Order.unscoped.values().get()
    assert send(store, snapshot(), now=NOW + timedelta(hours=1)).outcome == Outcome.UNCHANGED
    assert Order.unscoped.values().get() == before
    assert len(journal(recorded(store))) == 1


def test_o2_a_newer_state_that_says_nothing_new_only_makes_older_ones_stale(store: Store) -> None:
    send(store, snapshot(0))
    assert send(store, snapshot(9)).outcome == Outcome.UNCHANGED
    order = recorded(store)
    assert (order.version, len(journal(order))) == (1, 1)
    assert send(store, snapshot(5, tags=("late",))).outcome == Outcome.STALE
    assert recorded(store).tags == ["vip"]


def test_o2_an_update_is_journaled_with_its_differences(store: Store) -> None:
    send(store, snapshot())
    said = snapshot(1, tags=("vip", "Gift"), refunded_total=Decimal("20.00"), payment_status="partially_refunded")
    assert send(store, said).outcome == Outcome.UPDATED
    order = recorded(store)
    assert (order.version, order.tag_keys, order.payment_changed_at) == (2, ["vip", "gift"], NOW)
    assert journal(order)[1] == (
        "order.updated",
        {
            "refunded_total": {"from": "0.00", "to": "20.00"},
            "payment_status": {"from": "paid", "to": "partially_refunded"},
            "tags": {"from": ["vip"], "to": ["vip", "Gift"]},
        },
    )


STATES = (
    snapshot(0, status="pending", payment_status="pending", tags=()),
    snapshot(5, status="confirmed", payment_status="paid", tags=("vip",)),
    snapshot(9, status="cancelled", payment_status="refunded", tags=("vip", "back"), cancelled_at=PLACED),
)
REOPENED = (STATES[0], replace(STATES[2], updated_at=STATES[1].updated_at), snapshot(9, tags=("again",)))
OF_ONE_SECOND = tuple(replace(state, updated_at=PLACED) for state in STATES)
QUIET = (snapshot(0, tags=("a",)), snapshot(5, tags=("b",)), snapshot(9, tags=("a",)))


@pytest.mark.parametrize("states", [STATES, REOPENED, OF_ONE_SECOND, QUIET], ids=["on", "reopened", "second", "quiet"])
@pytest.mark.parametrize("order_of_arrival", list(permutations(range(3))))
def test_o2_out_of_order_ends_in_the_newest(
    store: Store, states: tuple[OrderSnapshot, ...], order_of_arrival: tuple[int, ...]
) -> None:
    for index in order_of_arrival:
        send(store, states[index])
    newest, order = states[-1], recorded(store)
    assert (order.status, order.payment_status, order.tags) == (newest.status, newest.payment_status, [*newest.tags])
    for state in states:
        assert send(store, state).outcome in (Outcome.STALE, Outcome.UNCHANGED)


def test_o2_of_two_states_that_nothing_tells_apart_the_later_delivery_counts_and_a_repeat_does_not(
    store: Store,
) -> None:
    first, second = snapshot(5, tags=("a",)), snapshot(5, tags=("b",))
    assert [send(store, said).outcome for said in (first, second)] == [Outcome.CREATED, Outcome.UPDATED]
    assert [send(store, said).outcome for said in (first, second)] == [Outcome.STALE, Outcome.UNCHANGED]
    assert recorded(store).tags == ["b"]
    assert send(store, snapshot(6, tags=("a",))).outcome == Outcome.UPDATED


def refund(minute: int, amount: str, **facts: Any) -> OrderSnapshot:
    """WooCommerce's order with so much refunded; making a refund is what gave it its time."""
    payment = "paid" if amount == "0.00" else "refunded" if amount == "120.00" else "partially_refunded"
    refunded = {"payment_status": payment, "refunded_total": Decimal(amount)}
    return snapshot(minute, platform_status="processing", **(refunded | facts))


DELETED = (refund(0, "0.00"), refund(5, "40.00"), refund(5, "0.00"))
LOWERED = (refund(5, "120.00"), refund(5, "40.00"), refund(9, "60.00"))
ONE_OF_TWO = (refund(5, "40.00"), refund(9, "100.00"), refund(9, "60.00"))


@pytest.mark.parametrize("states", [DELETED, LOWERED, ONE_OF_TWO], ids=["deleted", "lowered", "one of two"])
@pytest.mark.parametrize("order_of_arrival", list(permutations(range(3))))
def test_n8_a_refund_that_is_deleted_lowers_what_was_refunded_though_the_order_keeps_its_time(
    store: Store, states: tuple[OrderSnapshot, ...], order_of_arrival: tuple[int, ...]
) -> None:
    for index in order_of_arrival:
        send(store, states[index], platform="woocommerce")
    for state in states:
        assert send(store, state, platform="woocommerce").outcome in (Outcome.STALE, Outcome.UNCHANGED)
    order = recorded(store)
    assert (order.payment_status, order.refunded_total) == (states[-1].payment_status, states[-1].refunded_total)


def test_n8_the_word_refunded_counts_as_further_on_than_what_the_refunds_come_to(store: Store) -> None:
    whole = refund(5, "120.00")
    for said in (replace(whole, platform_status="refunded"), refund(5, "0.00"), whole):
        send(store, said, platform="woocommerce")
    assert recorded(store).payment_status == "refunded"


def test_n8_where_a_refund_gives_the_order_no_later_time_more_refunded_is_newer(store: Store) -> None:
    for said in (refund(5, "40.00"), refund(5, "0.00")):
        send(store, said)
    assert recorded(store).refunded_total == Decimal("40.00")


def test_o2_what_was_changed_here_survives_an_update_about_something_else(store: Store) -> None:
    send(store, snapshot(0, payment_status="pending"))
    change_order(store=store, order_id=recorded(store).pk, values={"payment_status": "expired"}, actor=ACTOR, now=NOW)
    send(store, snapshot(1, payment_status="pending", tags=("new",)))
    order = recorded(store)
    assert (order.payment_status, order.tags) == ("expired", ["new"])
    send(store, snapshot(2, payment_status="paid", tags=("new",)))
    assert recorded(store).payment_status == "paid"


def test_o2_an_order_placed_through_the_api_is_taken_over_with_what_it_used(store: Store) -> None:
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "50.00")
    due = NOW + timedelta(days=1)
    placed = factories.make_order(
        customer, credits="10.00", platform="shopify", external_id="5941690892493", payment_due_at=due
    )
    assert send(store, snapshot()).outcome == Outcome.UPDATED
    order = recorded(store)
    assert (order.pk, order.customer, order.credits_applied) == (placed.pk, customer, Decimal(10))
    assert (order.number, order.payment_status, order.payment_due_at) == ("#1001", "paid", due)


def test_o8_another_currency_than_that_of_its_credits_is_left_out_and_the_rest_counts(store: Store) -> None:
    send(store, snapshot())
    customer = recorded(store).customer
    assert customer is not None
    factories.grant("credits", customer, "50.00")
    factories.make_order(
        customer, credits="10.00", platform="shopify", external_id="5941690892493", total=Decimal("120.00")
    )
    said = send(store, snapshot(1, currency="JPY", total=Decimal(9000), refunded_total=Decimal(5000), tags=("new",)))
    assert (said.outcome, said.left_out) == (Outcome.UPDATED, ("currency",))
    order = recorded(store)
    assert (order.currency, order.total, order.refunded_total, order.tags) == ("USD", Decimal(120), Decimal(0), ["new"])


def test_o8_n5_a_total_that_a_client_named_stands_against_the_platforms_net_one(store: Store) -> None:
    send(store, snapshot(total=Decimal("20.00")))
    customer = recorded(store).customer
    assert customer is not None
    factories.grant("credits", customer, "100.00")
    factories.make_order(
        customer, credits="100.00", platform="shopify", external_id="5941690892493", total=Decimal("120.00")
    )
    said = {"total": Decimal("20.00"), "refunded_total": Decimal("12.00"), "payment_status": "partially_refunded"}
    send(store, snapshot(1, **said))
    order = recorded(store)
    assert (order.total, order.refunded_total) == (Decimal(120), Decimal(12))
    assert target(order.credits_applied, facts_of(order), "USD") == Decimal("10.00")


def test_o8_amounts_follow_when_the_currency_changes(store: Store) -> None:
    send(store, snapshot(0, total=Decimal("120.00")))
    change_order(
        store=store, order_id=recorded(store).pk, values={"refunded_total": Decimal("20.18")}, actor=ACTOR, now=NOW
    )
    send(store, snapshot(1, currency="JPY", total=Decimal("120.00")))
    order = recorded(store)
    assert (order.currency, str(value_json(order.refunded_total, "JPY")), order.total) == ("JPY", "20", Decimal(120))


def test_o10_what_could_not_be_read_stays_as_it_was_recorded(store: Store) -> None:
    send(store, snapshot(0, tags=("vip",), refunded_total=Decimal("5.00"), payment_status="partially_refunded"))
    before = recorded(store)
    nothing = {"tags": (), "total": Decimal(0), "refunded_total": Decimal(0), "status": "pending", "currency": ""}
    nothing |= {"payment_status": "pending", "number": "x", "lines": (), "placed_at": NOW, "cancelled_at": NOW}
    unread = replace(snapshot(1, **nothing), unknown=frozenset({*nothing, "updated_at"}), left_out=("tags",))
    assert send(store, unread).outcome is Outcome.UNCHANGED
    after = recorded(store)
    for name in ("tags", "total", "refunded_total", "status", "currency", "payment_status", "number", "lines"):
        assert getattr(after, name) == getattr(before, name)
    assert (after.placed_at, after.cancelled_at, after.version) == (before.placed_at, None, 1)
    assert send(store, replace(unread, tags=("new",), unknown=unread.unknown - {"tags"})).outcome is Outcome.UPDATED
    assert recorded(store).tags == ["new"]


def test_o10_a_new_order_without_a_total_is_recorded(store: Store) -> None:
    unread = snapshot(total=Decimal(0), refunded_total=Decimal(7), unknown=frozenset({"total"}), left_out=("total",))
    assert send(store, unread).left_out == ("total",)
    assert (recorded(store).total, recorded(store).refunded_total) == (Decimal(0), Decimal(0))
    send(store, snapshot(1, total=Decimal(30)))
    assert recorded(store).total == Decimal(30)


@pytest.mark.parametrize("name", ["placed_at", "updated_at", "cancelled_at", "payment_due_at"])
@pytest.mark.parametrize("year", [1, 1999, 9999])
def test_l8_instants_that_nobody_means_are_left_out(store: Store, name: str, year: int) -> None:
    said: dict[str, Any] = {name: datetime(year, 12, 31, 23, tzinfo=UTC)}
    assert send(store, snapshot(**said)).left_out == (name,)
    order = recorded(store)
    assert order.platform_updated_at is not None
    assert {order.placed_at.year, order.platform_updated_at.year} == {2026}
    assert (order.cancelled_at, order.payment_due_at) == (None, None)


def test_o2_a_guest_who_gets_an_account_stays_one_customer(store: Store) -> None:
    send(store, snapshot(0, customer=CustomerSnapshot("", "ada@example.com", "")))
    send(store, snapshot(1))
    customer = Customer.objects.for_store(store).get()
    assert (customer.name, recorded(store).customer) == ("Ada Byron", customer)
    assert platform_ids([customer.pk]) == {customer.pk: {"shopify": "77"}}
    send(store, snapshot(2, customer=None))
    assert recorded(store).customer == customer


def test_o7_a_later_update_does_not_take_the_order_from_whom_a_spend_named(store: Store) -> None:
    customer = factories.make_customer(store)
    factories.grant("points", customer, 100)
    send(store, snapshot(0, customer=None))
    order, _ = place_order(
        store=store,
        new=NewOrder(
            number="#1001", external_id=recorded(store).external_id, platform="shopify", total=Decimal(120),
            currency="USD", placed_at=NOW, customer=customer.pk, apply_points=60,
        ),
        act=Act(factories.ACTOR, Trigger.API, NOW))  # fmt: skip
    send(store, snapshot(1))
    assert (order.customer, recorded(store).customer, recorded(store).points_applied) == (customer, customer, 60)


def test_o2_an_order_may_have_no_customer(store: Store) -> None:
    send(store, snapshot(customer=None))
    assert recorded(store).customer is None


def test_o2_without_a_currency_the_stores_own_is_meant(store: Store) -> None:
    send(store, snapshot(currency="", total=Decimal(100), refunded_total=Decimal(0)))
    assert (recorded(store).currency, recorded(store).total) == ("USD", 100)


@pytest.mark.parametrize("name", ["total", "refunded_total"])
def test_o8_an_amount_finer_than_the_unit_is_rounded(name: str) -> None:
    yen = factories.make_store(currency="JPY")
    facts: dict[str, Any] = {"currency": "", "total": Decimal(200), name: Decimal("110.50")}
    send(yen, snapshot(0, **facts))
    assert getattr(recorded(yen), name) == Decimal(111)


def test_t1_another_store_with_the_same_external_id_is_not_touched(store: Store) -> None:
    other = factories.make_store()
    send(other, snapshot())
    assert send(store, snapshot(1, status="cancelled")).outcome == Outcome.CREATED
    assert recorded(other).status == OrderStatus.CONFIRMED
    assert recorded(store).customer != recorded(other).customer
    assert send(store, snapshot(), platform="woocommerce").outcome == Outcome.CREATED


def test_o5_what_was_used_there_is_kept_and_not_booked(store: Store) -> None:
    send(
        store,
        snapshot(
            used_there=UsedThere(Decimal("10.00"), 200, Decimal(2), Decimal(12)), discount_codes=("SPRING",),
            parent_external_id="1", child_external_ids=("2", "3"), platform_status="open",
        ),
    )  # fmt: skip
    order = recorded(store)
    assert (order.credits_applied, order.points_applied) == (0, 0)
    kept = dict(order.platform_data)
    kept.pop("last_said"), kept.pop("heard")
    assert kept == {
        "status": "open", "payment_status": "paid", "is_open": True, "discount_codes": ["SPRING"],
        "credits_used_there": "10.00", "points_used_there": 200,
        "points_worth_there": "2.00", "outside_total_there": "12.00",
        "parent_external_id": "1", "child_external_ids": ["2", "3"],
    }  # fmt: skip


def test_o10_what_cannot_be_read_of_it_later_stays_as_it_was(store: Store) -> None:
    send(store, snapshot(used_there=UsedThere(Decimal(10), 200, Decimal(2), Decimal(12))))
    send(store, snapshot(1, used_there=UsedThere(credits=None, points=None, points_worth=Decimal(2))))
    kept = recorded(store).platform_data
    names = ("credits_used_there", "points_used_there", "points_worth_there", "outside_total_there")
    assert [kept[name] for name in names] == ["10.00", 200, "2.00", "12.00"]


def test_o6_a_cancel_made_here_stands(store: Store) -> None:
    send(store, snapshot(0))
    cancel_here(store, recorded(store))
    before = recorded(store)
    said = snapshot(
        1, status="completed", payment_status="refunded", refunded_total=Decimal(120), total=Decimal(130), tags=("x",)
    )
    assert send(store, said, now=NOW + timedelta(hours=1)).outcome == Outcome.UPDATED
    after = recorded(store)
    assert (after.status, after.cancelled_at, after.cancelled_by) == ("cancelled", before.cancelled_at, "admin")
    assert (after.payment_status, after.refunded_total, after.total, after.tags) == ("refunded", 120, 130, ["x"])
    assert after.platform_data["is_open"] is True
    send(store, snapshot(2, status="cancelled", cancelled_at=PLACED))
    send(store, snapshot(3))
    assert (recorded(store).status, recorded(store).cancelled_by) == ("cancelled", "admin")


@pytest.mark.parametrize(("said_at", "expected"), [(PLACED, PLACED), (None, PLACED + timedelta(minutes=1))])
def test_o6_a_cancel_on_the_platform_is_taken_over(store: Store, said_at: datetime | None, expected: datetime) -> None:
    send(store, snapshot(0))
    send(store, snapshot(1, status="cancelled", cancelled_at=said_at))
    order = recorded(store)
    assert (order.status, order.cancelled_by, order.cancelled_at) == ("cancelled", "platform", expected)
    assert order.platform_data["is_open"] is False
    send(store, snapshot(2, status="cancelled", cancelled_at=said_at, tags=("x",)))
    assert recorded(store).cancelled_at == expected


def test_o6_the_platform_may_reopen_what_it_alone_cancelled_and_takes_nothing_back(store: Store) -> None:
    customer = factories.make_customer(store)
    factories.grant("points", customer, 100)
    factories.make_order(customer, points=100, platform="shopify", external_id="5941690892493")
    send(store, snapshot(1, status="cancelled"))
    factories.cancel_choosing(recorded(store), CancelChoice(returns={"points": True}))
    assert send(store, snapshot(2)).outcome == Outcome.UPDATED
    order = recorded(store)
    assert (order.status, order.cancelled_at, order.cancelled_by) == ("confirmed", None, "")
    assert (order.points_reverted, factories.balance("points", customer, now=NOW)) == (100, 100)
    assert journal(order)[-1][1]["status"] == {"from": "cancelled", "to": "confirmed"}


def test_o6_a_repeated_cancel_does_not_undo_that_staff_brought_the_order_back(store: Store) -> None:
    send(store, snapshot(1, status="cancelled"))
    Order.unscoped.update(status="confirmed", cancelled_at=None, cancelled_by="")
    send(store, snapshot(2, status="cancelled", tags=("x",)))
    assert (recorded(store).status, recorded(store).tags) == ("confirmed", ["x"])


@pytest.mark.parametrize(
    ("days", "payment", "expected"),
    [
        (8, "expired", (True, "confirmed")),
        (8, "failed", (True, "confirmed")),
        (6, "failed", (False, "cancelled")),
        (7, "failed", (False, "cancelled")),
        (8, "paid", (False, "confirmed")),
    ],
)
def test_e9_an_order_that_first_arrives_long_after_it_fell_through_is_not_acted_on(
    store: Store, days: int, payment: str, expected: tuple[bool, str]
) -> None:
    placed = NOW - timedelta(days=days)
    send(store, snapshot(placed_at=placed, updated_at=NOW, payment_status=payment))
    auto_cancel(NOW)
    assert (recorded(store).arrived_late, recorded(store).status) == expected


def test_e9_a_known_order_that_falls_through_later_is_acted_on(store: Store) -> None:
    old = NOW - timedelta(days=30)
    send(store, snapshot(placed_at=old, updated_at=old, payment_status="pending"))
    send(store, snapshot(placed_at=old, payment_status="failed"))
    auto_cancel(NOW)
    assert (recorded(store).cancelled_by, recorded(store).arrived_late) == ("payment_failed", False)


def test_e5_a_payment_that_fell_through_there_wakes_the_sweep(
    store: Store, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks() as created:
        send(store, snapshot(0))
    with django_capture_on_commit_callbacks() as failed:
        send(store, snapshot(1, payment_status="failed"))
    assert (len(created), len(failed)) == (0, 1)


@pytest.mark.parametrize("arrival", list(permutations(range(3))))
def test_e10_that_an_order_was_paid_is_known_in_whichever_order_it_is_told(
    store: Store, arrival: tuple[int, ...]
) -> None:
    states = (
        snapshot(0, payment_status="pending", status="pending"),
        snapshot(5, payment_status="paid"),
        snapshot(9, payment_status="failed", status="pending"),
    )
    for index in arrival:
        send(store, states[index])
    auto_cancel(NOW)
    order = recorded(store)
    assert (order.status, order.payment_status, order.paid_before) == ("pending", "failed", True)


def test_e10_money_that_is_authorised_now_has_not_expired_whatever_a_job_found(store: Store) -> None:
    send(store, snapshot(0, payment_status="pending"))
    change_order(store=store, order_id=recorded(store).pk, values={"payment_status": "expired"}, actor=ACTOR, now=NOW)
    send(store, snapshot(1, payment_status="pending", payment_detail="authorized"))
    assert (recorded(store).payment_status, recorded(store).payment_detail) == ("pending", "authorized")
    change_order(store=store, order_id=recorded(store).pk, values={"payment_status": "expired"}, actor=ACTOR, now=NOW)
    send(store, snapshot(2, payment_status="pending", payment_detail="authorized", tags=("new",)))
    assert (recorded(store).payment_status, recorded(store).payment_detail) == ("expired", "")


def test_an_order_paid_through_a_test_gateway_is_marked_and_left_alone(store: Store) -> None:
    send(store, snapshot(is_test=True, payment_status="failed"))
    auto_cancel(NOW)
    assert (recorded(store).is_test, recorded(store).status) == (True, "confirmed")


def test_a_test_delivery_is_recognised_and_not_stored(store: Store) -> None:
    result = send(store, snapshot(is_test=True, is_test_delivery=True))
    assert (result.outcome, result.order) == (Outcome.TEST, None)
    assert not Order.unscoped.exists()
    assert not Customer.unscoped.exists()


@pytest.mark.django_db(transaction=True)
def test_o2_two_arrivals_of_one_new_order_at_once_make_one_order() -> None:
    store = factories.make_store()
    customers = [CustomerSnapshot("", "ada@example.com", ""), CustomerSnapshot("77", "", "")]
    for number in ROUNDS:
        said = [snapshot(external_id=f"order-{number}", customer=customer) for customer in customers]
        results = together(*(partial(send, store, one) for one in said))
        outcomes = {result.outcome for result in results if isinstance(result, IngestResult)}
        assert Outcome.CREATED in outcomes
        assert outcomes <= {Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED}
        assert Order.objects.for_store(store).filter(external_id=f"order-{number}").count() == 1


@pytest.mark.django_db(transaction=True)
def test_o2_the_second_of_two_transactions_waits_and_finds_the_first_ones_order() -> None:
    store = factories.make_store()
    first = snapshot(customer=None)
    second = replace(first, updated_at=NOW, tags=("x",))
    result = in_turn(partial(send, store, first), partial(send, store, second))
    assert isinstance(result, IngestResult)
    assert (result.outcome, recorded(store).tags) == (Outcome.UPDATED, ["x"])


def test_recording_costs_the_same_number_of_statements_however_long_the_order_is(
    store: Store, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    lines = tuple(LineSnapshot(f"Tea {index}", "", 1, Decimal(1)) for index in range(50))
    with django_assert_max_num_queries(14):
        send(store, snapshot(lines=lines, tags=tuple(f"tag-{index}" for index in range(50))))
    with django_assert_max_num_queries(7):
        send(store, snapshot(lines=lines, tags=tuple(f"tag-{index}" for index in range(50))))
