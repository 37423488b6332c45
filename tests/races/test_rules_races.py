"""The spent-revert rules under fire: platforms, staff and several workers at the same moment, and killed ones (N4, E8).

`ROUNDS=1000` makes the long run.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

import pytest
from django.db import transaction
from django.utils import timezone

from benchmarks.data import generate
from loyalty.core.errors import DomainError
from loyalty.journal.models import JournalEntry
from loyalty.platforms.snapshot import OrderSnapshot
from loyalty.store_settings.sections import SpentRevertSettings, StoreSettings
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import Store
from orders.models import Order, Revert
from orders.services.automation import run_rules
from orders.services.automation.run_rules import evaluate_rules
from orders.services.intake.ingest import ingest
from orders.services.reverts.choices import CancelChoice
from orders.services.reverts.undo import undo_revert
from tests import factories
from tests.books import find_faults
from tests.database import as_owner
from tests.races.killing import KILLS, end_state, killed_job
from tests.races.racing import ROUNDS, in_turn, together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

NOW: Final = factories.NOW
RULES: Final = SpentRevertSettings(enabled=True, tags=("back",), skip_tags=("keep",))
BOTH: Final = CancelChoice(returns={"credits": True, "points": True})
NONE: Final = CancelChoice(returns={"credits": False, "points": False})


@pytest.fixture
def store() -> Store:
    shop = factories.make_store()
    factories.make_settings(shop, StoreSettings(spent_revert=RULES))
    return shop


def spent(store: Store, **facts: Any) -> Order:
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "40")
    factories.grant("points", customer, 30)
    number = f"7{Order.unscoped.count()}"
    return factories.make_order(
        customer, credits="40", points=30, platform="shopify", external_id=number, number=number, **facts
    )


def saying(
    order: Order, *, minute: int = 1, status: str = "cancelled", tags: tuple[str, ...] = ()
) -> Callable[[], Any]:
    said = OrderSnapshot(
        external_id=str(order.external_id),
        number=order.number,
        status=status,
        payment_status="paid",
        currency=order.currency,
        total=order.total,
        refunded_total=Decimal(0),
        placed_at=order.placed_at,
        updated_at=order.placed_at + timedelta(minutes=minute),
        customer=None,
        tags=tags,
    )
    actor = Actor.platform("shopify")
    return partial(ingest, store=order.store, platform="shopify", snapshot=said, actor=actor, now=NOW)


def cancelling(order: Order, choice: CancelChoice) -> Callable[[], Any]:
    return partial(factories.cancel_choosing, order, choice)


def back(order: Order) -> tuple[str, int, int]:
    order.refresh_from_db()
    return order.status, int(order.credits_reverted), order.points_reverted


@pytest.mark.parametrize("webhook_first", [True, False])
@pytest.mark.parametrize(("choice", "returned"), [(BOTH, (40, 30)), (NONE, (0, 0))])
def test_n4_a_webhook_and_a_cancel_by_hand_in_either_order(
    store: Store, webhook_first: bool, choice: CancelChoice, returned: tuple[int, int]
) -> None:
    order = spent(store)
    calls = [saying(order, tags=("back",)), cancelling(order, choice)]
    in_turn(*(calls if webhook_first else calls[::-1]))
    evaluate_rules(NOW)
    assert back(order) == ("cancelled", *returned)
    assert Revert.unscoped.filter(order=order).count() == (2 if returned[0] else 0)
    last = JournalEntry.unscoped.filter(order=order, actor="rule:spent_revert").order_by("id")
    assert {entry.data["code"] for entry in last} == {"already_reverted" if returned[0] else "declined"}
    assert find_faults(store) == []


def test_m7_rules_staff_and_the_platform_at_once_return_once(store: Store) -> None:
    for _ in ROUNDS:
        order = spent(store)
        saying(order)()
        again = saying(order, minute=2, tags=("back",))
        together(partial(evaluate_rules, NOW), cancelling(order, BOTH), again, partial(evaluate_rules, NOW))
        evaluate_rules(NOW)
        assert back(order) == ("cancelled", 40, 30)
        assert Revert.unscoped.filter(order=order).count() == 2
        assert Order.unscoped.get(pk=order.pk).rules_due_at is None
    assert find_faults(store) == []


def test_n4_what_is_undone_while_the_rules_look_is_not_returned_again(store: Store) -> None:
    for _ in ROUNDS:
        order = spent(store)
        saying(order)()
        evaluate_rules(NOW)
        saying(order, minute=2, tags=("back",))()
        revert = Revert.unscoped.get(order=order, kind="credits")
        facts: dict[str, Any] = {"store": store, "act": Act(factories.ACTOR, Trigger.ADMIN, NOW)}
        done = together(partial(undo_revert, revert_id=revert.pk, **facts), partial(evaluate_rules, NOW))
        assert not any(isinstance(one, DomainError) for one in done)
        saying(order, minute=3, tags=("back", "again"))()
        evaluate_rules(NOW)
        assert back(order) == ("cancelled", 0, 30)
        assert order.credits_decision == "declined"
    assert find_faults(store) == []


def test_n3_a_skip_tag_that_is_being_written_counts(store: Store) -> None:
    order = spent(store)
    saying(order)()
    with transaction.atomic():
        saying(order, minute=2, tags=("keep",))()
        done: list[Any] = together(partial(evaluate_rules, NOW))
        assert done[0]["returned"] == 0
    assert evaluate_rules(NOW) == {"returned": 0, "skipped": 1, "failed": 0}
    assert back(order) == ("cancelled", 0, 0)


def test_e8_several_workers_do_the_work_of_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_rules, "BATCH", 5)
    orders = [spent(store, tags=["back"] if number % 2 else ["back", "keep"]) for number in range(40)]
    done: list[Any] = together(*[partial(evaluate_rules, NOW)] * 3)
    evaluate_rules(NOW)
    assert sum(counts["failed"] for counts in done) == 0
    assert {back(order) for order in orders[1::2]} == {("pending", 40, 30)}
    assert {back(order) for order in orders[::2]} == {("pending", 0, 0)}
    assert Revert.unscoped.count() == 40
    assert JournalEntry.unscoped.filter(event="order.revert_skipped").count() == 40
    assert find_faults(store) == []


def refunded_orders(now: Any) -> int:
    """A thousand orders of five stores; those whose payment had expired are refunded and wait for the rules."""
    with as_owner():
        generate(1000, stores=5, now=now)
    for shop in Store.objects.all():
        factories.make_settings(shop, StoreSettings(spent_revert=RULES))
    waiting = Order.unscoped.filter(payment_status="expired", status="confirmed")
    return int(waiting.update(payment_status="refunded", rules_due_at=now))


def looked_at(before: int, after: int) -> bool:
    return Order.unscoped.filter(rules_due_at__isnull=False).count() <= before - after


@pytest.mark.slow
def test_e8_a_killed_worker_is_finished_by_the_next_one_as_if_nothing_had_been() -> None:
    chance = random.Random(2026)
    now = timezone.now()
    waiting = refunded_orders(now)
    evaluate_rules(now)
    undisturbed = end_state()
    killed = 0
    for _ in KILLS:
        assert refunded_orders(now) == waiting
        after = chance.randrange(waiting * 9 // 10)
        killed_job("orders.evaluate_rules", partial(looked_at, waiting, after), chance.uniform(0, 0.05))
        killed += Order.unscoped.filter(rules_due_at__isnull=False).exists()
        evaluate_rules(timezone.now())
        assert end_state() == undisturbed
        assert find_faults(None) == []
    assert killed
