"""Dismissing what is left of an order, and bringing it back into the queue (B2, N4)."""

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.core.errors import NotFound, VersionConflict
from loyalty.journal.models import JournalEntry
from loyalty.store_settings.sections import AutoCancelSettings, StoreSettings
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Store
from orders.models import Order
from orders.services.automation.cancel_unpaid import auto_cancel
from orders.services.intake.change import change_order
from orders.services.reverts.apply import Details
from orders.services.reverts.cancel import NotReturnable, cancel_many
from orders.services.reverts.choices import CancelChoice
from orders.services.reverts.dismiss import NothingLeft, dismiss_revert, put_back_in_queue
from tests import factories
from tests.books import find_faults
from tests.factories import NOW

pytestmark = pytest.mark.django_db

WHO: dict[str, Any] = {"act": Act(factories.ACTOR, Trigger.ADMIN, NOW)}


@pytest.fixture
def ana(store: Store) -> Customer:
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "100")
    factories.grant("points", customer, 100)
    return customer


def bulk_cancelled(customer: Customer) -> Order:
    order = factories.make_order(customer, credits="15", points=10)
    cancel_many(store=order.store, order_ids=[order.pk], details=Details(), actor=factories.ACTOR, now=NOW)
    return read(order)


def read(order: Order) -> Order:
    found: Order = Order.objects.for_store(order.store).get(pk=order.pk)
    return found


def dismiss(order: Order, **facts: Any) -> Order:
    defaults: dict[str, Any] = {"store": order.store, "reason": "Settled in the shop"}
    return dismiss_revert(order_id=order.pk, **(defaults | WHO | facts))


def put_back(order: Order, **facts: Any) -> Order:
    return put_back_in_queue(order_id=order.pk, **({"store": order.store} | WHO | facts))


def test_b2_dismissed_leaves_the_queue_and_stays_not_reverted(ana: Customer) -> None:
    order = bulk_cancelled(ana)
    assert order.needs_revert

    answered = dismiss(order)

    found = read(order)
    assert (found.needs_revert, found.credits_decision, found.points_decision) == (False, "dismissed", "dismissed")
    assert (found.credit_revert_status, found.points_revert_status) == ("not_reverted", "not_reverted")
    assert (answered.needs_revert, answered.version) == (False, found.version)
    assert find_faults(order.store) == []


def test_n6_each_kind_leaves_one_trace_with_the_reason(ana: Customer) -> None:
    dismiss(bulk_cancelled(ana))
    entries = JournalEntry.unscoped.filter(event="order.revert_dismissed").order_by("id")
    assert [(entry.data["kind"], entry.data["remains"], entry.data["code"]) for entry in entries] == [
        ("credits", "15.00", "declined"),
        ("points", 10, "declined"),
    ]
    assert {entry.remark.reason for entry in entries if entry.remark} == {"Settled in the shop"}
    assert {entry.data["matched"]["by"] for entry in entries} == {"person"}


def test_again_changes_nothing_and_keeps_what_was_declined(ana: Customer) -> None:
    order = factories.make_order(ana, credits="15", points=10)
    factories.cancel_choosing(order, CancelChoice(returns={"credits": False}))
    dismiss(order)
    once = read(order)
    assert (once.credits_decision, once.points_decision) == ("declined", "dismissed")

    dismiss(order, reason="Another")

    assert read(order).version == once.version
    assert JournalEntry.unscoped.filter(event="order.revert_dismissed").count() == 1


def test_b2_brought_back_it_waits_again(ana: Customer) -> None:
    order = bulk_cancelled(ana)
    dismiss(order)

    put_back(order)

    found = read(order)
    assert (found.needs_revert, found.credits_decision, found.points_decision) == (True, "deferred", "deferred")
    put_back(order)
    assert read(order).version == found.version
    assert JournalEntry.unscoped.filter(event="order.revert_waits_again").count() == 2


def test_people_still_return_what_was_dismissed(ana: Customer) -> None:
    order = bulk_cancelled(ana)
    dismiss(order)

    factories.cancel_and_return(order)

    found = read(order)
    assert (found.credits_reverted, found.credits_decision, found.completeness) == (15, "", "full")
    with pytest.raises(NothingLeft):
        dismiss(order)


def test_only_what_fell_through_is_dismissed(ana: Customer) -> None:
    order = factories.make_order(ana, credits="15")
    with pytest.raises(NotReturnable):
        dismiss(order)
    change_order(
        store=order.store, order_id=order.pk, values={"payment_status": "refunded"}, actor=factories.ACTOR, now=NOW
    )
    assert read(order).needs_revert
    dismiss(order)
    found = read(order)
    assert (found.status, found.needs_revert, found.credits_decision) == ("pending", False, "dismissed")


def test_n4_automation_leaves_alone_what_was_dismissed(store: Store, ana: Customer) -> None:
    factories.make_settings(store, StoreSettings(auto_cancel=AutoCancelSettings(expired="cancel_and_revert")))
    order = factories.make_order(ana, credits="15", points=10)
    for payment in ("refunded", "expired"):
        values = {"payment_status": payment}
        change_order(store=store, order_id=order.pk, values=values, actor=factories.ACTOR, now=NOW)
        if payment == "refunded":
            dismiss(order)

    assert auto_cancel(NOW) == {"cancelled": 1, "failed": 0}

    found = read(order)
    assert (found.status, found.credits_reverted, found.credits_decision) == ("cancelled", 0, "dismissed")


def test_t1_and_versions(ana: Customer) -> None:
    order = bulk_cancelled(ana)
    calls: list[Callable[..., Order]] = [dismiss, put_back]
    for call in calls:
        with pytest.raises(NotFound):
            call(order, store=factories.make_store())
        with pytest.raises(VersionConflict):
            call(order, version=1)
