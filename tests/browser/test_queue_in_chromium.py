"""Forty cancelled orders and a phone ringing: the queue by keyboard, by mouse, without a script, on a phone (B2)."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from loyalty.stores.models import Membership, Role, Store
from orders.models import Order
from orders.services.reverts.apply import Details
from orders.services.reverts.cancel import cancel_many
from tests import factories
from tests.addresses import reverse
from tests.browser.screens import WAYS, fits, picture
from tests.factories import NOW

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

Visit = Callable[..., Page]
QUEUE = "admin:orders_order_queue"


def waiting(store: Store, number: int, *, days_ago: int) -> Order:
    """15.00 of which 10.00 have expired, and 20 points; cancelled with others, nothing returned."""
    customer = factories.make_customer(store, name=f"Customer {number}")
    factories.grant("credits", customer, "10.00", until=date(2026, 1, 1))
    factories.grant("credits", customer, "5.00")
    factories.grant("points", customer, 20)
    order = factories.make_order(customer, credits="15.00", points=20, number=str(1000 + number))
    moment = NOW - timedelta(days=days_ago)
    cancel_many(store=store, order_ids=[order.pk], details=Details(), actor=factories.ACTOR, now=moment)
    return order


def read(order: Order) -> Order:
    found: Order = Order.objects.for_store(order.store).get(pk=order.pk)
    return found


def at_order(page: Page, order: Order) -> None:
    page.wait_for_url(re.compile(rf"/{order.pk}/cancel/\?walk=1$"))


def test_b2_the_queue_by_keyboard_alone(visit: Visit, store: Store) -> None:
    orders = [waiting(store, number, days_ago=9 - number) for number in range(4)]
    page = visit(reverse(QUEUE))
    expect(page.get_by_role("heading", name="4 orders wait")).to_be_visible()
    page.keyboard.press("o")
    at_order(page, orders[0])
    expect(page.get_by_text("4 of 4 left")).to_be_visible()
    confirm = page.locator("[data-confirm]")
    expect(confirm).to_have_text("Return 5.00 USD + 20 points")

    page.keyboard.press("e")
    expect(confirm).to_have_text("Return 15.00 USD + 20 points")
    page.keyboard.press("r")
    at_order(page, orders[1])
    expect(page.get_by_text("15.00 USD + 20 points returned to Customer 0.")).to_be_visible()

    page.keyboard.press("s")
    at_order(page, orders[2])
    page.keyboard.press("d")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("Settled, dear customer")
    page.keyboard.press("Enter")
    at_order(page, orders[3])
    expect(page.get_by_text("1 of 4 left")).to_be_visible()
    page.keyboard.press("q")
    page.wait_for_url(re.compile(re.escape(reverse(QUEUE)) + "$"))

    found = [read(order) for order in orders]
    assert [order.credits_reverted for order in found] == [15, 0, 0, 0]
    assert [order.needs_revert for order in found] == [False, True, False, True]
    assert found[2].credits_decision == "dismissed"


def test_b2_keys_do_nothing_while_somebody_types_or_has_switched_them_off(visit: Visit, store: Store) -> None:
    order = waiting(store, 1, days_ago=1)
    page = visit(reverse(QUEUE))
    page.keyboard.press("o")
    at_order(page, order)
    page.get_by_label("Staff note").focus()
    page.keyboard.type("sorry, dear reader")
    expect(page.get_by_label("Staff note")).to_have_value("sorry, dear reader")
    page.get_by_label("Keys on this page").uncheck()
    page.keyboard.press("r")
    page.reload()
    expect(page.get_by_label("Keys on this page")).not_to_be_checked()
    assert read(order).needs_revert


@pytest.mark.parametrize("options", WAYS)
def test_b2_the_walk_by_mouse(visit: Visit, store: Store, options: dict[str, Any]) -> None:
    orders = [waiting(store, number, days_ago=30 - number) for number in range(12)]
    page = visit(reverse(QUEUE), **options)
    picture(page, "queue", options)
    assert fits(page)
    page.get_by_role("button", name="Start with the oldest").click()
    at_order(page, orders[0])
    picture(page, "walk", options)
    assert fits(page)
    page.get_by_role("button", name=re.compile("^Return 5.00 USD")).click()
    at_order(page, orders[1])
    expect(page.get_by_text("5.00 USD + 20 points returned to Customer 0.")).to_be_visible()
    page.get_by_role("link", name="Don’t return: dismiss").click()
    page.wait_for_url("**/dismiss/**")
    picture(page, "dismiss", options)
    assert fits(page)
    page.get_by_label("Reason").fill("Settled in the shop")
    page.get_by_role("button", name="Dismiss: do not return 15.00 USD + 20 points").click()
    at_order(page, orders[2])
    expect(page.get_by_text("10 of 12 left")).to_be_visible()
    picture(page, "walk-next", options)
    page.get_by_role("button", name="Skip for now").click()
    at_order(page, orders[3])
    page.get_by_role("link", name="Back to the queue").click()
    expect(page.get_by_role("heading", name="10 orders wait")).to_be_visible()


@pytest.mark.parametrize("options", WAYS)
def test_b2_the_empty_queue(visit: Visit, store: Store, options: dict[str, Any]) -> None:
    page = visit(reverse(QUEUE), **options)
    expect(page.get_by_role("heading", name="Nothing waits")).to_be_visible()
    picture(page, "queue-empty", options)
    assert fits(page)


@pytest.mark.parametrize("options", WAYS)
def test_m11_undo_from_the_message(visit: Visit, store: Store, options: dict[str, Any]) -> None:
    order = waiting(store, 1, days_ago=1)
    page = visit(reverse(QUEUE), **options)
    Membership.objects.filter(store=store).update(role=Role.MANAGER)
    page.goto(page.url.replace(reverse(QUEUE), reverse("admin:orders_order_cancel", args=[order.pk])))
    page.get_by_role("button", name=re.compile("^Return 5.00 USD")).click()
    picture(page, "message", options)
    page.get_by_role("link", name="Undo…", exact=True).click()
    page.wait_for_url("**/undo/**")
    picture(page, "undo", options)
    assert fits(page)
    page.get_by_role("checkbox", name="20 points").uncheck()
    page.get_by_role("button", name="Undo: take back what is ticked").click()
    expect(page.get_by_text("5.00 USD taken back from Customer 1: the return is undone.")).to_be_visible()
    found = read(order)
    assert (found.credits_reverted, found.credits_decision, found.points_reverted) == (0, "declined", 20)
    page.goto(f"{page.url}?tab=reverts")
    picture(page, "reverts", options)
    page.goto(page.url.split("?")[0].replace("/change/", "/undo/"))
    page.get_by_role("button", name="Undo: take back 20 points").click()
    expect(page.get_by_text("20 points taken back from Customer 1")).to_be_visible()
    page.goto(page.url.split("?")[0].replace("/change/", "/undo/"))
    picture(page, "undo-nothing", options)
    page.get_by_role("link", name="Back to the order").click()
    picture(page, "order-declined", options)
