"""Points earned by orders over REST and jobs: awarded, taken back, owed, given again (C1)."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from loyalty.stores.models import SettingsVersion
from points.models import PointMovement
from tests.books import find_faults
from tests.examples import Shop, open_shop
from tests.orders.services.automation.sweeping import fail, run_jobs

Clock = time_machine.Traveller
EARNING = {"earning": {"points_per_unit": 1, "on_status": "paid"}}
TAKING = EARNING | {"earned_points": {"claw_back": True}}
OWING = EARNING | {"earned_points": {"claw_back": True, "allow_negative": True}}


@pytest.fixture(autouse=True)
def books_agree(shop: Shop) -> Any:
    yield
    assert find_faults(shop.store) == []


def configure(shop: Shop, settings: dict[str, Any]) -> None:
    answer = shop.send("PATCH", "/settings/", settings)
    assert answer.status_code == 200, answer.content


def available(shop: Shop, customer: str) -> int:
    return int(shop.get(f"/customers/{customer}/balance/").json()["points"]["available"])


def patch(shop: Shop, order: str, **values: Any) -> dict[str, Any]:
    answer = shop.send("PATCH", f"/orders/{order}/", values)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def facts(shop: Shop, order: str) -> tuple[int, int]:
    body = shop.get(f"/orders/{order}/").json()
    return body["points_earned"], body["points_taken_back"]


def history(shop: Shop, customer: str) -> list[tuple[str, int, int]]:
    rows = shop.get(f"/customers/{customer}/point-movements/").json()["results"]
    return [(row["type"], row["amount"], row["balance_after"]) for row in reversed(rows)]


def events(shop: Shop, order: str) -> list[str]:
    rows = shop.get(f"/orders/{order}/timeline/").json()["results"]
    return [row["event"] for row in reversed(rows)]


def test_c1_an_order_earns_once_when_it_reaches_the_status(shop: Shop) -> None:
    configure(shop, EARNING)
    customer = shop.customer()
    order = shop.order(customer)["id"]
    assert available(shop, customer) == 0

    patch(shop, order, payment_status="paid")
    patch(shop, order, payment_status="pending")
    patch(shop, order, payment_status="paid")

    assert (available(shop, customer), facts(shop, order)) == (100, (100, 0))
    lot = shop.get(f"/customers/{customer}/point-lots/").json()["results"][0]
    assert (lot["origin"], lot["granted"], lot["expires_on"]) == ("earned", 100, None)
    assert events(shop, order).count("order.points_earned") == 1


def test_c1_an_order_may_arrive_as_one_that_earns(shop: Shop) -> None:
    configure(shop, EARNING)
    customer = shop.customer()
    assert shop.order(customer, payment_status="paid")["points_earned"] == 100
    assert available(shop, customer) == 100


def test_c1_nothing_is_earned_unless_the_store_says_so(shop: Shop) -> None:
    customer = shop.customer()
    order = shop.order(customer, payment_status="paid")["id"]
    assert (available(shop, customer), facts(shop, order)) == (0, (0, 0))


def old(shop: Shop, customer: str, days: int, number: str = "1001") -> str:
    placed = (timezone.now() - timedelta(days=days)).isoformat()
    return str(shop.order(customer, number, placed_at=placed, payment_status="pending")["id"])


def test_c2_an_order_placed_before_the_rule_was_switched_on_never_earns(shop: Shop, clock: Clock) -> None:
    customer = shop.customer()
    before = old(shop, customer, 0)
    clock.shift(timedelta(hours=1))
    configure(shop, EARNING)
    during = old(shop, customer, 0, "1002")
    clock.shift(timedelta(hours=1))
    configure(shop, {"earning": {"points_per_unit": 2}})
    patch(shop, before, payment_status="paid")
    assert available(shop, customer) == 0
    patch(shop, before, tags=["looked at"])
    patch(shop, during, payment_status="paid")
    assert (available(shop, customer), facts(shop, before)) == (200, (0, 0))


def test_c2_a_rule_that_was_off_meanwhile_is_on_since_then(shop: Shop, clock: Clock) -> None:
    customer = shop.customer()
    configure(shop, EARNING)
    order = old(shop, customer, 0)
    clock.shift(timedelta(hours=1))
    configure(shop, {"earning": {"points_per_unit": None}})
    clock.shift(timedelta(hours=1))
    configure(shop, EARNING)
    patch(shop, order, payment_status="paid")
    assert available(shop, customer) == 0


def test_c2_an_order_of_more_than_60_days_when_it_first_arrives_never_earns(shop: Shop, clock: Clock) -> None:
    configure(shop, EARNING)
    clock.shift(timedelta(days=70))
    customer = shop.customer()
    orders = [old(shop, customer, days, str(days)) for days in (61, 60)]
    clock.shift(timedelta(days=5))
    for order in orders:
        patch(shop, order, payment_status="paid", tags=["vip"])
    assert [facts(shop, order) for order in orders] == [(0, 0), (100, 0)]


def test_l7_earned_points_expire_by_the_scheme(shop: Shop) -> None:
    configure(shop, EARNING | {"points_expiry": {"scheme": "yearly", "month": 6, "day": 30}})
    customer = shop.customer()
    shop.order(customer, payment_status="paid")
    lot = shop.get(f"/customers/{customer}/point-lots/").json()["results"][0]
    assert lot["expires_on"] == "2022-06-30"


def test_c1_a_cancel_takes_back_what_was_awarded_then(shop: Shop) -> None:
    configure(shop, TAKING)
    customer = shop.customer()
    order = shop.order(customer, payment_status="paid")["id"]
    configure(shop, {"earning": {"points_per_unit": 5}})

    shop.cancel(order)

    assert (available(shop, customer), facts(shop, order)) == (0, (100, 100))
    assert history(shop, customer) == [("grant", 100, 100), ("claw_back", -100, 0)]
    assert events(shop, order)[-1] == "order.points_taken_back"


def test_c1_the_store_may_leave_them(shop: Shop) -> None:
    configure(shop, EARNING)
    customer = shop.customer()
    order = shop.order(customer, payment_status="paid")["id"]
    shop.cancel(order)
    assert (available(shop, customer), facts(shop, order)) == (100, (100, 0))


def test_c1_a_partial_refund_takes_its_share_and_a_larger_one_the_rest_of_it(shop: Shop) -> None:
    configure(shop, TAKING)
    customer = shop.customer()
    order = shop.order(customer, payment_status="paid")["id"]

    patch(shop, order, payment_status="partially_refunded", refunded_total="25.00")
    assert (available(shop, customer), facts(shop, order)) == (75, (100, 25))
    patch(shop, order, tags=["vip"])
    patch(shop, order, refunded_total="33.39")
    assert (available(shop, customer), facts(shop, order)) == (67, (100, 33))
    patch(shop, order, payment_status="refunded")
    assert (available(shop, customer), facts(shop, order)) == (0, (100, 100))
    shop.cancel(order)
    assert (available(shop, customer), facts(shop, order)) == (0, (100, 100))


def test_c1_its_own_lot_goes_first_then_the_soonest_to_expire(shop: Shop) -> None:
    configure(shop, TAKING)
    customer = shop.customer()
    soon = shop.give_points(customer, 50, "2026-02-01")
    never = shop.give_points(customer, 50)
    order = shop.order(customer, payment_status="paid")["id"]
    removed = {"amount": -60, "reason": "moved"}
    assert shop.command(f"/customers/{customer}/points/", removed).status_code == 201

    shop.cancel(order)

    rows = shop.get(f"/customers/{customer}/point-lots/").json()["results"]
    assert {row["id"]: row["remaining"] for row in rows if row["id"] in (soon, never)} == {soon: 0, never: 40}
    assert available(shop, customer) == 40


def test_c1_earning_spending_and_cancelling_in_turn_makes_no_points(shop: Shop) -> None:
    configure(shop, TAKING)
    customer = shop.customer()
    for round_number in range(4):
        earning = shop.order(customer, f"earning-{round_number}", payment_status="paid")["id"]
        held = available(shop, customer)
        spending = shop.order(customer, f"spending-{round_number}", apply_points=held)["id"] if held else None
        shop.cancel(earning)
        if spending:
            shop.cancel(spending, revert_points=True)
    # The first round's are with the customer, and every later one settles what is missing.
    assert available(shop, customer) == 100


def test_c1_what_is_earned_next_settles_a_shortfall_oldest_first(shop: Shop) -> None:
    configure(shop, TAKING)
    customer = shop.customer()
    first, second = (shop.order(customer, number, payment_status="paid")["id"] for number in ("1", "2"))
    shop.order(customer, "3", apply_points=150)
    shop.cancel(first)
    shop.cancel(second)
    assert (facts(shop, first), facts(shop, second)) == ((100, 50), (100, 0))

    third = shop.order(customer, "4", total="120.00", payment_status="paid")["id"]

    assert (facts(shop, first), facts(shop, second), facts(shop, third)) == ((100, 100), (100, 70), (120, 0))
    assert available(shop, customer) == 0
    assert history(shop, customer)[-3:] == [("grant", 120, 120), ("claw_back", -50, 70), ("claw_back", -70, 0)]
    # An award by name is earned, too; 30 were missing.
    award = {"amount": 40, "reason": "late", "order": third}
    assert shop.command(f"/customers/{customer}/points/", award).status_code == 201
    assert available(shop, customer) == 10


def test_c1_an_order_that_comes_back_forgets_its_shortfall_before_it_gives(shop: Shop) -> None:
    configure(shop, TAKING)
    customer = shop.customer()
    order = shop.order(customer, payment_status="paid")["id"]
    shop.order(customer, "1002", apply_points=70)
    shop.cancel(order)
    shop.reinstate(order)
    assert (facts(shop, order), available(shop, customer)) == ((100, 0), 30)
    shop.order(customer, "1003", total="50.00", payment_status="paid")
    assert available(shop, customer) == 80


def test_c1_a_store_may_drop_shortfalls(shop: Shop) -> None:
    configure(shop, EARNING | {"earned_points": {"claw_back": True, "carry_shortfall": False}})
    customer = shop.customer()
    order = shop.order(customer, payment_status="paid")["id"]
    shop.order(customer, "1002", apply_points=100)
    shop.cancel(order)
    shop.order(customer, "1003", payment_status="paid")
    assert available(shop, customer) == 100


def test_c1_gifts_settle_no_shortfall(shop: Shop) -> None:
    configure(shop, TAKING)
    customer = shop.customer()
    order = shop.order(customer, payment_status="paid")["id"]
    shop.order(customer, "1002", apply_points=70)

    shop.cancel(order)
    shop.give_points(customer, 500)
    patch(shop, order, tags=["vip"])

    assert (available(shop, customer), facts(shop, order)) == (500, (100, 30))
    told = shop.get(f"/orders/{order}/timeline/").json()["results"]
    assert next(row["data"] for row in told if row["event"] == "order.points_taken_back") == {
        "trigger": "api",
        "points": 30,
        "dropped": 70,
        "matched": {"by": "status", "value": "cancelled"},
    }


def test_c1_a_debt_is_settled_by_the_next_grants_first(shop: Shop) -> None:
    configure(shop, OWING)
    customer = shop.customer()
    order = shop.order(customer, payment_status="paid")["id"]
    shop.order(customer, "1002", apply_points=70)

    shop.cancel(order)
    assert (available(shop, customer), facts(shop, order)) == (-70, (100, 100))
    shop.give_points(customer, 50)
    assert available(shop, customer) == -20
    shop.give_points(customer, 50)

    assert available(shop, customer) == 30
    rows = shop.get(f"/customers/{customer}/point-lots/", state="open").json()["results"]
    assert [row["remaining"] for row in rows] == [30]
    assert history(shop, customer)[-7:] == [
        ("claw_back", -70, -70),
        ("grant", 50, -20),
        ("claw_back", -50, -70),
        ("claw_back", 50, -20),
        ("grant", 50, 30),
        ("claw_back", -20, 10),
        ("claw_back", 20, 30),
    ]


def test_c1_l3_who_owes_can_spend_only_what_is_above_the_debt(shop: Shop) -> None:
    configure(shop, OWING)
    customer = shop.customer()
    order = shop.order(customer, payment_status="paid")["id"]
    second = shop.order(customer, "1002", apply_points=70)["id"]
    shop.cancel(order)
    shop.cancel(second, revert_points=True)
    assert available(shop, customer) == 0

    refused = shop.command("/orders/", {"number": "1003", "customer": customer, "total": "100.00", "apply_points": 1})

    assert (refused.status_code, refused.json()["code"]) == (422, "insufficient-balance")


def test_c1_as_of_counts_the_debt(shop: Shop, clock: Clock) -> None:
    configure(shop, OWING)
    customer = shop.customer()
    order = shop.order(customer, payment_status="paid")["id"]
    shop.order(customer, "1002", apply_points=70)
    shop.cancel(order)
    clock.shift(60)
    shop.give_points(customer, 100)
    body = shop.get(f"/customers/{customer}/balance/", as_of="2021-09-01T12:00:30+08:00").json()
    assert body["points"]["available"] == -70


def test_c1_m10_an_order_that_comes_back_earns_again_what_was_taken(shop: Shop) -> None:
    configure(shop, TAKING)
    customer = shop.customer()
    order = shop.order(customer, payment_status="paid")["id"]
    shop.cancel(order)

    shop.reinstate(order)
    assert (available(shop, customer), facts(shop, order)) == (100, (100, 0))
    shop.cancel(order)

    assert (available(shop, customer), facts(shop, order)) == (0, (100, 100))


def test_c1_a_job_takes_back_too_for_many_orders_at_once(shop: Shop) -> None:
    configure(shop, TAKING | {"earning": {"points_per_unit": 1, "on_status": "confirmed"}})
    customer = shop.customer()
    orders = [shop.order(customer, str(number), status="confirmed")["id"] for number in range(4)]
    shop.order(customer, "spends", apply_points=250)
    for order in orders:
        fail(shop, order)

    run_jobs()

    assert available(shop, customer) == 0
    assert sum(facts(shop, order)[1] for order in orders) == 150


def test_c1_points_may_be_awarded_for_an_order_by_name(shop: Shop) -> None:
    configure(shop, TAKING)
    customer = shop.customer()
    order = shop.order(customer)["id"]
    body = {"amount": 30, "reason": "double points day", "order": order}

    lot = shop.command(f"/customers/{customer}/points/", body)
    assert (lot.status_code, lot.json()["origin"]) == (201, "earned")
    assert facts(shop, order) == (30, 0)
    shop.cancel(order)

    assert (available(shop, customer), facts(shop, order)) == (0, (30, 30))


def test_c1_t1_an_award_names_an_order_of_the_customer_that_stands(shop: Shop) -> None:
    outsider = open_shop("outsider")
    customer, other = shop.customer(), shop.customer("Bo", "bo@example.org")
    mine, theirs = shop.order(customer)["id"], shop.order(other, "1002")["id"]
    foreign = outsider.order(outsider.customer())["id"]
    gone = shop.order(customer, "1003")["id"]
    shop.cancel(gone)

    def refusal(order: str, amount: int = 30) -> list[tuple[str, str]]:
        body = {"amount": amount, "reason": "x", "order": order}
        answer = shop.command(f"/customers/{customer}/points/", body)
        assert answer.status_code == 422
        return [(error["pointer"], error["code"]) for error in answer.json()["errors"]]

    assert refusal(theirs) == [("/order", "other-customer")]
    assert refusal(foreign) == [("/order", "not-found")]
    assert refusal("987654321") == [("/order", "not-found")]
    assert refusal(gone) == [("/order", "fell-through")]
    assert refusal(mine, -30) == [("/amount", "does-not-fit")]
    assert not PointMovement.unscoped.exists()


def earned_rules(shop: Shop, **rules: Any) -> None:
    configure(shop, EARNING | {"earned_points": {"claw_back": True} | rules})


def test_c1_n3_a_tag_takes_back_by_itself_and_gives_again_when_it_goes(shop: Shop) -> None:
    """Article 001: the tags that a workflow puts on orders are added for earned points too."""
    earned_rules(shop, statuses=[], tags=["Refunded-Order"])
    customer = shop.customer()
    order = shop.order(customer, payment_status="paid")["id"]

    patch(shop, order, tags=["refunded-order-2"])
    assert facts(shop, order) == (100, 0)
    patch(shop, order, tags=["vip", "refunded-order"])
    patch(shop, order, tags=["refunded-order"])
    assert (available(shop, customer), facts(shop, order)) == (0, (100, 100))
    told = shop.get(f"/orders/{order}/timeline/").json()["results"]
    matched = [row["data"]["matched"] for row in told if row["event"] == "order.points_taken_back"]
    assert matched == [{"by": "tag", "value": "Refunded-Order"}]
    shop.cancel(order)
    assert (available(shop, customer), facts(shop, order)) == (0, (100, 100))

    other = shop.order(customer, "1002", payment_status="paid", tags=["refunded-order"])["id"]
    assert facts(shop, other) == (0, 0)
    patch(shop, other, tags=["x"])
    assert facts(shop, other) == (100, 0)
    patch(shop, other, tags=["REFUNDED-ORDER", "x"])
    assert facts(shop, other) == (100, 100)
    patch(shop, other, tags=["x"])
    assert (available(shop, customer), facts(shop, other)) == (100, (100, 0))


def test_c1_n1_only_the_chosen_statuses_take_back(shop: Shop) -> None:
    earned_rules(shop, statuses=["refunded"])
    customer = shop.customer()
    order = shop.order(customer, payment_status="paid")["id"]
    patch(shop, order, payment_status="partially_refunded", refunded_total="40.00")
    assert shop.preview(order).json()["earned_points"]["takes"] == 0
    shop.cancel(order)
    assert (available(shop, customer), facts(shop, order)) == (100, (100, 0))
    patch(shop, order, payment_status="refunded")
    assert (available(shop, customer), facts(shop, order)) == (0, (100, 100))
    # What was taken stays taken, whatever is chosen later.
    earned_rules(shop, statuses=[])
    patch(shop, order, tags=["vip"])
    configure(shop, {"earned_points": {"claw_back": False}})
    patch(shop, order, tags=["vip", "gold"])
    assert facts(shop, order) == (100, 100)


def test_c1_n3_a_skip_tag_keeps_what_was_earned_whoever_cancels_and_whenever_it_comes(shop: Shop) -> None:
    earned_rules(shop, skip_tags=["exchange-order"])
    configure(shop, {"earning": {"on_status": "confirmed"}})
    customer = shop.customer()
    by_hand = shop.order(customer, status="confirmed", tags=["Exchange-Order"])["id"]
    later = shop.order(customer, "1002", status="confirmed")["id"]
    by_job = shop.order(customer, "1003", status="confirmed", tags=["exchange-order"])["id"]

    said = shop.preview(by_hand).json()["earned_points"]
    assert said == {"takes": 0, "dropped": 0, "owed": 0, "from_own": 0, "kept_by": "exchange-order"}
    assert shop.preview(later).json()["earned_points"]["kept_by"] is None
    shop.cancel(by_hand)
    shop.cancel(later)
    assert [facts(shop, order) for order in (by_hand, later)] == [(100, 0), (100, 100)]
    patch(shop, later, tags=["exchange-order"])
    assert (available(shop, customer), facts(shop, later)) == (300, (100, 0))
    patch(shop, by_hand, tags=[])
    assert facts(shop, by_hand) == (100, 100)

    fail(shop, by_job)
    run_jobs()
    assert (shop.get(f"/orders/{by_job}/").json()["status"], facts(shop, by_job)) == ("cancelled", (100, 0))


def test_c1_h4_an_old_version_that_has_the_switch_alone_reads_as_before(shop: Shop) -> None:
    data = {"earned_points": {"claw_back": True}, "earning": {"points_per_unit": "1", "on_status": "paid"}}
    SettingsVersion.unscoped.create(store=shop.store, version=1, data=data, actor="", created_at=timezone.now())
    assert shop.get("/settings/").json()["earned_points"] == {
        "claw_back": True,
        "statuses": ["cancelled", "refunded", "partially_refunded"],
        "tags": [],
        "skip_tags": [],
        "allow_negative": False,
        "carry_shortfall": True,
    }
    customer = shop.customer()
    order = shop.order(customer, payment_status="paid")["id"]
    patch(shop, order, payment_status="partially_refunded", refunded_total="25.00")
    assert facts(shop, order) == (100, 25)
    shop.cancel(order)
    assert facts(shop, order) == (100, 100)
