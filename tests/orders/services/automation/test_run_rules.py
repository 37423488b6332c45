"""N1-N6, X7-X9: what the spent-revert rules return, through what platforms say and through REST, and the job."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
import time_machine
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credits.models import CreditAllocation, CreditLot, CreditMovement
from loyalty.journal.models import JournalEntry
from loyalty.journal.record import Event
from loyalty.notices.models import Notice
from loyalty.platforms.snapshot import OrderSnapshot
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.timeline.sentences import sentence
from orders.models import Order, Problem, Revert
from orders.services.automation import run_rules
from orders.services.automation.run_rules import evaluate_rules
from orders.services.intake.ingest import ingest
from orders.services.reverts.dismiss import put_back_in_queue
from tests.books import find_faults
from tests.examples import Shop, open_shop
from tests.factories import grant, make_customer, make_order
from tests.orders.services.automation.sweeping import balance, order_of, returned, run_jobs

Clock = time_machine.Traveller

pytestmark = pytest.mark.django_db
DONE: Final = ("reverted", "50.00", "reverted", 100)
NONE: Final = ("not_reverted", "0.00", "not_reverted", 0)
OPEN: Final = (None, "0.00", None, 0)


@pytest.fixture
def shop() -> Shop:
    return open_shop()


@pytest.fixture
def clock(shop: Shop) -> Any:
    with time_machine.travel(shop.at(2026, 1, 5), tick=False) as traveller:
        yield traveller


class Platform:
    """An order as the platform says it is; each saying is a minute newer."""

    def __init__(self, shop: Shop, external_id: str, placed_at: datetime) -> None:
        self.shop, self.minutes, self.placed_at = shop, 0, placed_at
        self.facts: dict[str, Any] = {
            "external_id": external_id,
            "number": f"#{external_id}",
            "status": "confirmed",
            "payment_status": "paid",
            "currency": "",
            "total": Decimal(100),
            "refunded_total": Decimal(0),
            "customer": None,
            "tags": ("vip",),
        }

    def says(self, *, again: bool = False, **facts: Any) -> None:
        self.facts |= facts
        self.minutes += not again
        said = OrderSnapshot(
            **self.facts, placed_at=self.placed_at, updated_at=self.placed_at + timedelta(minutes=self.minutes)
        )
        actor = Actor.platform("shopify")
        ingest(store=self.shop.store, platform="shopify", snapshot=said, actor=actor, now=timezone.now())


def rules(shop: Shop, **changes: Any) -> None:
    answer = shop.send("PATCH", "/settings/", {"spent_revert": {"enabled": True} | changes})
    assert answer.status_code == 200, answer.content


def spend(shop: Shop, number: str = "5001", **more: Any) -> str:
    """A platform's order that used 50.00 and 100 points, as a client of the API records it."""
    customer = shop.customer("Ana Lee", f"ana-{number}@example.org")
    shop.give_credits(customer, "20.00", "2026-02-01")
    shop.give_credits(customer, "30.00")
    shop.give_points(customer, 100)
    facts: dict[str, Any] = {
        "external_id": number,
        "platform": "shopify",
        "status": "confirmed",
        "payment_status": "paid",
    }
    facts |= {"apply_credits": "50.00", "apply_points": 100} | more
    order = shop.order(customer, f"#{number}", **facts)
    return str(order["id"])


def evaluate() -> str:
    (line,) = run_jobs("orders.evaluate_rules")
    return line.removeprefix("orders.evaluate_rules: ")


def kinds(shop: Shop, order: str) -> tuple[Any, ...]:
    return returned(shop, order)[1:]


def trace(shop: Shop, order: str, kind: str = "credits") -> list[tuple[Any, ...]]:
    """What was decided about one kind, oldest first: trigger, what matched, code."""
    entries = shop.get(f"/orders/{order}/decisions/").json()["results"]
    return [
        (entry["trigger"], entry["matched"]["by"], entry["matched"]["value"], entry["code"])
        for entry in reversed(entries)
        if entry["kind"] == kind
    ]


Say = Callable[..., None]


@pytest.fixture(params=["platform", "rest"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def sayer(way: str, shop: Shop, order: str, **first: Any) -> Say:
    """How somebody outside says what the order is now: the platform, or a client of the API."""
    if way == "platform":
        platform = Platform(shop, str(order_of(shop, order)["external_id"]), shop.at(2026, 1, 4))
        platform.says(**first)
        evaluate()
        return platform.says

    def patch(**facts: Any) -> None:
        facts.pop("again", None)
        body = {name: str(value) if isinstance(value, Decimal) else value for name, value in facts.items()}
        answer = shop.send("PATCH", f"/orders/{order}/", body)
        assert answer.status_code == 200, answer.content

    return patch


# --- the worked examples


def test_x7_a_skip_tag_beats_the_cancel_that_comes_with_it(shop: Shop, clock: Clock) -> None:
    rules(shop, skip_tags=["exchange-order"])
    order = spend(shop)
    Platform(shop, "5001", shop.at(2026, 1, 4)).says(status="cancelled", tags=("vip", "Exchange-Order"))
    assert evaluate() == "returned=0 skipped=1 failed=0"
    assert returned(shop, order) == ("cancelled", *NONE)
    assert trace(shop, order) == [("rule_status", "skip_tag", "exchange-order", "skip_tag")]
    entry = shop.get(f"/orders/{order}/decisions/").json()["results"][0]
    assert "exchange-order" in entry["sentence"]
    assert find_faults(shop.store) == []


def test_x7_through_rest_the_skip_tag_and_the_refund_together(shop: Shop, clock: Clock) -> None:
    rules(shop, skip_tags=["exchange-order"])
    order = spend(shop)
    sayer("rest", shop, order)(payment_status="refunded", tags=["vip", "Exchange-Order "])
    evaluate()
    assert kinds(shop, order) == NONE
    assert trace(shop, order, "points") == [("rule_status", "skip_tag", "exchange-order", "skip_tag")]


def test_x8_a_tag_alone_returns_once_and_said_twice_leaves_a_trace(shop: Shop, clock: Clock, way: str) -> None:
    rules(shop, tags=["refunded-order"])
    order = spend(shop)
    say = sayer(way, shop, order)
    before = len(trace(shop, order))
    say(tags=("vip", "Refunded-Order"))
    assert evaluate() == "returned=1 skipped=0 failed=0"
    assert returned(shop, order) == ("confirmed", *DONE)
    say(tags=("vip", "Refunded-Order"), again=True)
    assert evaluate() == "returned=0 skipped=1 failed=0"
    assert trace(shop, order)[before:] == [
        ("rule_tag", "tag", "refunded-order", None),
        ("rule_tag", "tag", "refunded-order", "already_reverted"),
    ]
    assert balance(shop, order_of(shop, order)["customer"]["id"]) == ("50.00", 100)
    assert set(Revert.unscoped.values_list("trigger", "actor")) == {("rule_tag", "rule:spent_revert")}
    assert find_faults(shop.store) == []


def test_x9_what_a_person_declined_no_rule_returns(shop: Shop, clock: Clock, way: str) -> None:
    rules(shop, tags=["refunded-order"])
    order = spend(shop)
    say = sayer(way, shop, order)
    before = len(trace(shop, order))
    assert shop.cancel(order, revert_credits=False, revert_points=False).status_code == 200
    if way == "platform":
        say(status="cancelled")
    say(tags=("refunded-order",))
    evaluate()
    assert returned(shop, order) == ("cancelled", *NONE)
    assert [entry[3] for entry in trace(shop, order)[before:]] == ["declined", "declined"]
    assert trace(shop, order)[-1] == ("rule_status", "person", None, "declined")


# --- what triggers


@pytest.mark.parametrize(
    ("statuses", "said", "back"),
    [
        (["cancelled", "refunded"], {"status": "cancelled"}, True),
        (["cancelled", "refunded"], {"payment_status": "refunded"}, True),
        (["refunded"], {"status": "cancelled"}, False),
        (["cancelled"], {"payment_status": "refunded"}, False),
        ([], {"status": "cancelled"}, False),
        (["cancelled", "refunded"], {"payment_status": "partially_refunded", "refunded_total": Decimal(50)}, False),
        (["cancelled", "refunded"], {"payment_status": "failed"}, False),
    ],
)
def test_n1_the_chosen_statuses_trigger(
    shop: Shop, clock: Clock, statuses: list[str], said: dict[str, Any], back: bool
) -> None:
    rules(shop, statuses=statuses)
    order = spend(shop)
    Platform(shop, "5001", shop.at(2026, 1, 4)).says(**said)
    evaluate()
    assert order_of(shop, order)["points_reverted"] == (100 if back else 0)
    assert trace(shop, order)[-1][3] == (None if back else "no_trigger")


def test_n1_switched_off_nothing_returns_and_the_trace_says_so(shop: Shop, clock: Clock, way: str) -> None:
    rules(shop, tags=["back"], enabled=False)
    order = spend(shop)
    say = sayer(way, shop, order)
    say(tags=("other",))
    assert (evaluate(), trace(shop, order)) == ("returned=0 skipped=0 failed=0", [])
    say(tags=("back",))
    evaluate()
    assert kinds(shop, order) == OPEN
    assert trace(shop, order) == [("rule_tag", "setting", "spent_revert.enabled", "rules_disabled")]


def test_n1_only_the_chosen_kind_returns(shop: Shop, clock: Clock) -> None:
    rules(shop, kinds=["points"])
    order = spend(shop)
    Platform(shop, "5001", shop.at(2026, 1, 4)).says(status="cancelled")
    evaluate()
    assert kinds(shop, order) == ("not_reverted", "0.00", "reverted", 100)
    assert trace(shop, order) == [("rule_status", "setting", "spent_revert.kinds", "not_selected")]
    assert Order.unscoped.get(pk=order).credits_decision == ""


def test_n2_staffs_own_cancel_triggers_nothing(shop: Shop, clock: Clock) -> None:
    rules(shop)
    order = spend(shop)
    shop.command("/orders/bulk-cancel/", {"ids": [order]})
    assert evaluate() == "returned=0 skipped=0 failed=0"
    assert kinds(shop, order) == NONE


def test_n2_an_order_that_used_nothing_is_not_a_revert(shop: Shop, clock: Clock) -> None:
    rules(shop)
    platform = Platform(shop, "5001", shop.at(2026, 1, 4))
    platform.says()
    assert evaluate() == "returned=0 skipped=0 failed=0"
    platform.says(status="cancelled")
    assert evaluate() == "returned=0 skipped=1 failed=0"
    order = str(Order.unscoped.get().pk)
    assert kinds(shop, order) == (None, "0.00", None, 0)
    assert [entry[3] for entry in trace(shop, order)] == ["not_applied"]


def test_n2_an_order_that_arrives_with_a_trigger_and_is_spent_on_returns_at_once(shop: Shop, clock: Clock) -> None:
    rules(shop, tags=["refunded-order"])
    order = spend(shop, tags=["refunded-order"])
    evaluate()
    assert kinds(shop, order) == DONE


def test_n2_a_spend_that_is_recorded_after_the_tag_came_returns(shop: Shop, clock: Clock) -> None:
    rules(shop, tags=["refunded-order"])
    Platform(shop, "5001", shop.at(2026, 1, 4)).says(tags=("refunded-order",))
    evaluate()
    order = spend_on_existing(shop)
    evaluate()
    assert kinds(shop, order) == DONE


def spend_on_existing(shop: Shop) -> str:
    Order.unscoped.update(customer=None)
    customer = shop.customer()
    shop.give_credits(customer, "50.00")
    shop.give_points(customer, 100)
    Order.unscoped.update(customer=int(customer))
    facts = {"external_id": "5001", "platform": "shopify", "apply_credits": "50.00", "apply_points": 100}
    return str(shop.order(customer, "#5001", **facts)["id"])


def test_n2_what_is_valid_returns_to_its_lot_judged_when_it_is_written(shop: Shop, clock: Clock) -> None:
    rules(shop, delay_minutes=60)
    order = spend(shop)
    clock.move_to(shop.at(2026, 2, 1, 23, 30))
    Platform(shop, "5001", shop.at(2026, 1, 4)).says(status="cancelled")
    assert evaluate() == "returned=0 skipped=0 failed=0"
    clock.move_to(shop.at(2026, 2, 2, 0, 30))
    evaluate()
    assert kinds(shop, order) == ("reverted", "30.00", "reverted", 100)
    assert trace(shop, order) == [("rule_status", "status", "cancelled", "expired")]


def test_e4_all_or_nothing_for_rules(shop: Shop, clock: Clock) -> None:
    rules(shop)
    shop.send("PATCH", "/settings/", {"auto_cancel": {"expired_lots": {"rules": "all_or_nothing"}}})
    order = spend(shop)
    clock.move_to(shop.at(2026, 2, 2))
    Platform(shop, "5001", shop.at(2026, 1, 4)).says(status="cancelled")
    evaluate()
    assert kinds(shop, order) == ("not_reverted", "0.00", "reverted", 100)
    assert trace(shop, order) == [("rule_status", "status", "cancelled", "blocked")]


# --- skip tags and the delay


def test_n3_within_the_delay_a_skip_tag_still_counts(shop: Shop, clock: Clock, way: str) -> None:
    rules(shop, delay_minutes=10, skip_tags=["keep"], tags=["back"])
    order = spend(shop)
    say = sayer(way, shop, order)
    say(tags=("back",))
    evaluate()
    clock.shift(timedelta(minutes=9))
    say(tags=("back", "KEEP"))
    clock.shift(timedelta(minutes=10))
    evaluate()
    assert kinds(shop, order) == OPEN
    assert trace(shop, order)[-1] == ("rule_tag", "skip_tag", "keep", "skip_tag")
    say(tags=("back",))
    clock.shift(timedelta(minutes=9, seconds=59))
    assert evaluate() == "returned=0 skipped=0 failed=0"
    clock.shift(timedelta(seconds=1))
    assert evaluate() == "returned=1 skipped=0 failed=0"


@pytest.mark.parametrize("tag", ["re-funded", "re funded", "refunde", "xrefunded"])
def test_n3_tags_match_whole(shop: Shop, clock: Clock, tag: str) -> None:
    rules(shop, tags=["refunded"])
    order = spend(shop)
    sayer("rest", shop, order)(tags=[tag])
    evaluate()
    assert trace(shop, order) == [("rule_tag", None, None, "no_trigger")]


# --- people beat rules


def deferred(shop: Shop, order: str) -> None:
    assert shop.cancel(order).status_code == 200
    assert Order.unscoped.get(pk=order).credits_decision == "deferred"


def test_n4_deferred_waits_for_a_trigger_that_enters_newly(shop: Shop, clock: Clock) -> None:
    rules(shop, tags=["back"])
    order = spend(shop)
    platform = Platform(shop, "5001", shop.at(2026, 1, 4))
    platform.says()
    deferred(shop, order)
    platform.says(status="cancelled")
    platform.says(tags=("vip", "another"))
    evaluate()
    assert trace(shop, order)[-1] == ("rule_status", "person", None, "not_selected")
    platform.says(again=True)
    evaluate()
    assert kinds(shop, order) == NONE
    platform.says(payment_status="refunded")
    evaluate()
    assert kinds(shop, order) == DONE


@pytest.mark.parametrize("said", [{"tags": ["vip", "Back"]}, {"refunded_total": "10.00"}])
def test_n4_deferred_returns_for_a_new_trigger_tag_or_a_higher_refund(
    shop: Shop, clock: Clock, said: dict[str, Any]
) -> None:
    rules(shop, tags=["back"])
    order = spend(shop)
    deferred(shop, order)
    sayer("rest", shop, order)(**said)
    evaluate()
    assert kinds(shop, order) == DONE


def test_n4_what_came_before_it_was_deferred_counts_no_more(shop: Shop, clock: Clock) -> None:
    rules(shop, tags=["back"], delay_minutes=10)
    order = spend(shop)
    say = sayer("rest", shop, order)
    say(tags=["back"])
    deferred(shop, order)
    clock.shift(timedelta(minutes=10))
    evaluate()
    assert kinds(shop, order) == NONE
    say(tags=["back"])
    clock.shift(timedelta(minutes=10))
    evaluate()
    assert kinds(shop, order) == NONE
    say(tags=[])
    say(tags=["back"])
    clock.shift(timedelta(minutes=10))
    evaluate()
    assert kinds(shop, order) == DONE


def test_n4_dismissed_is_final_and_put_back_waits_for_something_new(shop: Shop, clock: Clock) -> None:
    rules(shop, tags=["back"], delay_minutes=10)
    order = spend(shop)
    shop.cancel(order)
    say = sayer("rest", shop, order)
    shop.command(f"/orders/{order}/dismiss-revert/", {"reason": "Agreed"})
    say(tags=["back"])
    by = Actor.command("tests")
    put_back_in_queue(store=shop.store, order_id=int(order), act=Act(by, Trigger.ADMIN, timezone.now()))
    clock.shift(timedelta(minutes=10))
    evaluate()
    assert kinds(shop, order) == NONE
    say(payment_status="refunded")
    clock.shift(timedelta(minutes=10))
    evaluate()
    assert kinds(shop, order) == DONE


def test_n4_cancelled_by_a_setting_that_only_cancels_is_deferred(shop: Shop, clock: Clock) -> None:
    rules(shop)
    shop.send("PATCH", "/settings/", {"auto_cancel": {"failed": "cancel"}})
    order = spend(shop, payment_status="pending")
    platform = Platform(shop, "5001", shop.at(2026, 1, 4))
    platform.says(payment_status="failed")
    run_jobs("orders.evaluate_rules", "orders.auto_cancel")
    platform.says(status="cancelled", tags=("other",))
    evaluate()
    assert trace(shop, order)[-1] == ("rule_status", "setting", "auto_cancel.failed", "not_selected")
    assert kinds(shop, order) == NONE


def test_n4_declined_for_one_kind_and_the_other_returns(shop: Shop, clock: Clock) -> None:
    rules(shop, tags=["back"])
    order = spend(shop)
    shop.cancel(order, revert_points=False)
    sayer("rest", shop, order)(tags=["back"])
    evaluate()
    assert kinds(shop, order) == ("reverted", "50.00", "not_reverted", 0)
    assert trace(shop, order, "points")[-1] == ("rule_status", "person", None, "declined")


def test_n4_deducted_again_starts_fresh(shop: Shop, clock: Clock) -> None:
    rules(shop, tags=["back"])
    order = spend(shop)
    shop.cancel(order, revert_credits=True, revert_points=True)
    shop.reinstate(order, "all")
    sayer("rest", shop, order)(tags=["back"])
    evaluate()
    assert kinds(shop, order) == DONE
    assert find_faults(shop.store) == []


# --- partial refunds


def partial(shop: Shop, **more: Any) -> tuple[str, Say]:
    rules(shop, statuses=["cancelled", "refunded", "partially_refunded"])
    order = spend(shop, **more)
    return order, sayer("rest", shop, order)


def test_n5_the_share_grows_with_the_refund_and_comes_from_the_last_lots(shop: Shop, clock: Clock) -> None:
    order, say = partial(shop)
    say(payment_status="partially_refunded", refunded_total=Decimal("33.33"))
    evaluate()
    assert kinds(shop, order) == ("reverted", "16.66", "reverted", 33)
    revert = Revert.unscoped.filter(kind="credits").get()
    assert [(lot["outcome"], lot["amount"]) for lot in revert.lots] == [("returned", "16.66")]
    say(refunded_total=Decimal("70.00"))
    evaluate()
    assert kinds(shop, order) == ("reverted", "35.00", "reverted", 70)
    assert list(CreditLot.unscoped.order_by("id").values_list("remaining", flat=True)) == [Decimal(5), Decimal(30)]
    say(refunded_total=Decimal("70.00"))
    evaluate()
    assert trace(shop, order)[-1] == ("rule_status", "status", "partially_refunded", "already_reverted")
    say(payment_status="refunded")
    evaluate()
    assert kinds(shop, order) == DONE
    assert find_faults(shop.store) == []


def test_n5_an_expired_lots_share_is_not_taken_from_another(shop: Shop, clock: Clock) -> None:
    order, say = partial(shop)
    clock.move_to(shop.at(2026, 2, 2))
    say(payment_status="partially_refunded", refunded_total=Decimal("80.00"))
    evaluate()
    assert kinds(shop, order) == ("reverted", "30.00", "reverted", 80)
    assert trace(shop, order) == [("rule_status", "status", "partially_refunded", "expired")]
    revert = Revert.unscoped.filter(kind="credits").get()
    assert [(lot["outcome"], lot["amount"]) for lot in revert.lots] == [("expired", "10.00"), ("returned", "30.00")]


def test_n5_a_refund_of_less_than_a_unit_returns_nothing(shop: Shop, clock: Clock) -> None:
    order, say = partial(shop)
    say(payment_status="partially_refunded", refunded_total=Decimal("0.01"))
    evaluate()
    assert kinds(shop, order) == OPEN
    assert trace(shop, order) == [("rule_status", "status", "partially_refunded", "no_trigger")]


def test_n5_a_partial_refund_of_more_than_the_total_is_everything(shop: Shop, clock: Clock) -> None:
    order, say = partial(shop)
    say(payment_status="partially_refunded", refunded_total=Decimal("500.00"))
    evaluate()
    assert kinds(shop, order) == DONE


# --- orders that were split


def test_n8_a_parent_and_its_part_that_each_spent_each_return_their_own(shop: Shop, clock: Clock) -> None:
    rules(shop)
    orders = [spend(shop, number) for number in ("7001", "7002")]
    Platform(shop, "7001", shop.at(2026, 1, 4)).says(status="cancelled", child_external_ids=("7002",))
    Platform(shop, "7002", shop.at(2026, 1, 4)).says(status="cancelled", parent_external_id="7001")
    assert evaluate() == "returned=2 skipped=0 failed=0"
    assert [kinds(shop, order) for order in orders] == [DONE, DONE]
    assert evaluate() == "returned=0 skipped=0 failed=0"


def test_n8_what_a_parent_spent_before_it_was_split_returns_once(shop: Shop, clock: Clock) -> None:
    rules(shop)
    parent = spend(shop, "7001")
    part = str(shop.order(shop.customer(), "#7002", external_id="7002", platform="shopify")["id"])
    parents, parts = (Platform(shop, number, shop.at(2026, 1, 4)) for number in ("7001", "7002"))
    parts.says(status="cancelled", parent_external_id="7001")
    evaluate()
    assert kinds(shop, parent) == OPEN
    parents.says(status="cancelled", child_external_ids=("7002",))
    evaluate()
    parts.says(status="cancelled", tags=("again",))
    evaluate()
    assert kinds(shop, parent) == DONE
    assert kinds(shop, part) == (None, "0.00", None, 0)


# --- the job itself


def test_h3_customers_are_told_when_the_store_says_so(shop: Shop, clock: Clock) -> None:
    rules(shop)
    shop.send("PATCH", "/settings/", {"notify": {"on_automatic": True}})
    spend(shop)
    platform = Platform(shop, "5001", shop.at(2026, 1, 4))
    platform.says(status="cancelled")
    evaluate()
    platform.says(tags=("other",))
    evaluate()
    notice = Notice.unscoped.get()
    assert "30.00" in notice.text
    assert "Not returned" not in notice.text


def test_e7_an_order_that_cannot_be_processed_is_set_aside_and_the_others_are_done(
    shop: Shop, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    rules(shop, tags=["back"])
    orders = [spend(shop, f"800{number}") for number in range(4)]
    for order in orders:
        sayer("rest", shop, order)(tags=["back"])
    broken = CreditLot.unscoped.filter(pk__in=CreditAllocation.unscoped.filter(order=orders[2]).values("lot"))
    broken.update(remaining=F("granted"))
    assert evaluate() == "returned=3 skipped=0 failed=1"
    problem = Problem.unscoped.get()
    assert (str(problem.order_id), problem.job) == (orders[2], "orders.evaluate_rules")
    broken.update(remaining=0)
    clock.shift(timedelta(minutes=5))
    assert evaluate() == "returned=1 skipped=0 failed=0"
    assert not Problem.unscoped.exists()
    assert {kinds(shop, order) for order in orders} == {DONE}


def test_e8_more_than_a_batch_with_both_triggers(shop: Shop, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_rules, "BATCH", 3)
    rules(shop, tags=["back"])
    orders = [spend(shop, f"9{number}") for number in range(8)]
    for number, order in enumerate(orders):
        sayer("rest", shop, order)(**({"tags": ["back"]} if number % 2 else {"payment_status": "refunded"}))
    assert evaluate() == "returned=8 skipped=0 failed=0"
    assert evaluate() == "returned=0 skipped=0 failed=0"
    assert {trace(shop, order)[0][0] for order in orders} == {"rule_tag", "rule_status"}
    assert find_faults(shop.store) == []


def test_t1_a_store_with_many_orders_keeps_no_other_waiting(
    shop: Shop, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, plain = open_shop("pens"), run_rules.evaluate_batch
    turns: list[set[int]] = []

    def noted(*said: Any) -> tuple[set[int], bool]:
        stores, is_full = plain(*said)
        turns.append(stores)
        return stores, is_full

    monkeypatch.setattr(run_rules, "BATCH", 2)
    monkeypatch.setattr(run_rules, "evaluate_batch", noted)
    for one, orders in ((shop, 5), (other, 1)):
        rules(one, tags=["back"])
        for number in range(orders):
            sayer("rest", one, spend(one, f"8{number}"))(tags=["back"])
    assert evaluate() == "returned=6 skipped=0 failed=0"
    assert [turn for turn in turns if turn][:2] == [{shop.store.pk}, {other.store.pk}]


def statements_of(shop: Shop, orders: int, *, skip: bool) -> int:
    customer = make_customer(shop.store)
    grant("credits", customer, "1000.00", until=date(2026, 10, 1))
    grant("points", customer, 1000)
    for _ in range(orders):
        make_order(customer, credits="1.00", points=1, tags=["back", "keep"] if skip else ["back"])
    with CaptureQueriesContext(connection) as queries:
        counts = evaluate_rules(shop.at(2026, 1, 5))
    assert counts["skipped" if skip else "returned"] == orders
    return sum(not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")) for query in queries)


@pytest.mark.parametrize(("skip", "most"), [(False, 10), (True, 6)])
def test_e8_statements_do_not_grow_with_the_orders(shop: Shop, clock: Clock, skip: bool, most: int) -> None:
    rules(shop, tags=["back"], skip_tags=["keep"])
    one, sixty = (statements_of(shop, orders, skip=skip) for orders in (1, 60))
    assert one == sixty <= most


def test_n6_movements_name_the_rule(shop: Shop, clock: Clock) -> None:
    rules(shop)
    order = spend(shop)
    sayer("rest", shop, order)(payment_status="refunded")
    evaluate()
    movement = CreditMovement.unscoped.filter(type="revert").first()
    assert movement is not None
    assert (movement.actor, movement.trigger) == ("rule:spent_revert", "rule_status")
    timeline = shop.get(f"/orders/{order}/timeline/").json()["results"]
    assert timeline[0]["actor"]["name"] == "Spent-revert rules"
    assert JournalEntry.unscoped.filter(event="order.revert_skipped").count() == 0


# --- payments that fall through on the platform


@pytest.mark.parametrize(("status", "trigger"), [("failed", "payment_failed"), ("expired", "payment_expired")])
def test_e5_a_payment_that_falls_through_on_the_platform_is_acted_on_after_the_commit(
    shop: Shop,
    clock: Clock,
    django_capture_on_commit_callbacks: Any,
    caplog: pytest.LogCaptureFixture,
    way: str,
    status: str,
    trigger: str,
) -> None:
    shop.send("PATCH", "/settings/", {"auto_cancel": {"expired": "cancel_and_revert"}})
    order = spend(shop, payment_status="pending")
    say = sayer(way, shop, order, payment_status="pending")
    with django_capture_on_commit_callbacks() as woken:
        say(payment_status=status)
    assert "orders.auto_cancel" in [name for one in woken for name in one.args]
    run_jobs("orders.auto_cancel")
    assert returned(shop, order) == ("cancelled", *DONE)
    assert order_of(shop, order)["cancelled_by"] == trigger


# --- sentences


def sentences(shop: Shop, order: str, kind: str = "credits") -> list[str]:
    entries = shop.get(f"/orders/{order}/decisions/").json()["results"]
    return [entry["sentence"] for entry in reversed(entries) if entry["kind"] == kind]


def test_n6_sentences_say_what_decided(shop: Shop, clock: Clock) -> None:
    rules(shop, statuses=["cancelled", "refunded", "partially_refunded"], tags=["back"], skip_tags=["keep"])
    order = spend(shop)
    say = sayer("rest", shop, order)
    say(tags=["vip"])
    evaluate()
    say(payment_status="partially_refunded", refunded_total="0.00")
    evaluate()
    say(refunded_total="20.00")
    evaluate()
    say(refunded_total="20.00")
    evaluate()
    say(tags=["back", "keep"])
    evaluate()
    rules(shop, enabled=False)
    say(tags=["back"])
    evaluate()
    stays = "Did not return {} USD of store credits"
    share = "because of the status “partially refunded”"
    kept = "by a rule about a tag: the tag “keep” keeps them from being returned automatically."
    assert sentences(shop, order) == [
        f"{stays.format('50.00')}: no status and no tag of the order is one that returns value.",
        f"{stays.format('50.00')} {share}: the share of what was refunded is nothing.",
        f"Returned 10.00 USD of 50.00 USD {share}.",
        f"Returned nothing {share}: the share of what was refunded is already back.",
        f"{stays.format('40.00')} {kept}",
        f"{stays.format('40.00')}: this store's rules are switched off.",
    ]


def test_n6_sentences_about_kinds_and_people(shop: Shop, clock: Clock) -> None:
    rules(shop, tags=["back"], kinds=["points"])
    left = spend(shop)
    deferred(shop, left)
    sayer("rest", shop, left)(tags=["vip"])
    evaluate()
    sayer("rest", shop, left)(tags=["back"])
    evaluate()
    assert sentences(shop, left)[-1] == "Did not return 50.00 USD of store credits: the rules leave this kind alone."
    assert "left for later, and nothing new" in sentences(shop, left, "points")[1]


def test_n6_what_was_decided_while_one_of_split_orders_returned_can_still_be_read(shop: Shop) -> None:
    data = {
        "kind": "credits", "trigger": "rule_status", "code": "already_reverted", "remains": "50.00", "currency": "USD",
        "matched": {"by": None, "value": "#5001"},
    }  # fmt: skip
    entry = JournalEntry(store=shop.store, event=Event.REVERT_SKIPPED, data=data)
    assert sentence(entry, shop.store) == (
        "Did not return 50.00 USD of store credits: order #5001, which it was split from or into, has its value back"
    )
