"""The queue page, the walk through it, dismissing and undoing, as store staff meet them (B2, M11)."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from loyalty.store_settings.sections import LimitSettings, StoreSettings
from loyalty.stores.models import Customer, Role, Store, User
from orders.models import Look, Order, Revert, RevertUndo
from orders.services.reverts.apply import Details
from orders.services.reverts.cancel import cancel_many
from tests import factories
from tests.addresses import reverse
from tests.factories import NOW
from tests.orders.admin.reverts.cases import address, fields_of, staff, x1_order

pytestmark = pytest.mark.django_db

QUEUE = "admin:orders_order_queue"


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW + timedelta(hours=2), tick=False) as traveller:
        yield traveller


@pytest.fixture
def ana(store: Store) -> Customer:
    ana = factories.make_customer(store, name="Ana Lee")
    factories.grant("credits", ana, "500")
    factories.grant("points", ana, 500)
    return ana


def waiting(customer: Customer, number: str, *, days_ago: int = 0, points: int = 0) -> Order:
    """Cancelled together with others, nothing returned."""
    order = factories.make_order(customer, credits="15", points=points, number=number)
    moment = NOW - timedelta(days=days_ago)
    cancel_many(store=order.store, order_ids=[order.pk], details=Details(), actor=factories.ACTOR, now=moment)
    return order


def page(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def at(name: str, order: Order) -> str:
    return reverse(f"admin:orders_order_{name}", args=[order.pk])


def walk(order: Order) -> str:
    return f"{address(order)}?walk=1"


def read(order: Order) -> Order:
    found: Order = Order.objects.for_store(order.store).get(pk=order.pk)
    return found


def confirm(client: Client, order: Order) -> Any:
    """Press the confirming button of the form, on the walk."""
    fields = fields_of(client.get(walk(order)))
    return client.post(walk(order), fields | {"_confirm": "1"})


def test_b2_the_queue_lists_oldest_first_with_age_amounts_and_the_reason(store: Store, ana: Customer) -> None:
    waiting(ana, "young")
    waiting(ana, "old", days_ago=3, points=20)
    client, _ = staff(store)

    shown = page(client.get(reverse(QUEUE)))

    assert "2 orders wait" in shown
    assert shown.index(">old</a>") < shown.index(">young</a>")
    assert "<strong>3 days</strong>" in shown
    assert "15.00 USD" in shown
    assert "20 points" in shown
    assert "15.00 USD of store credits" in shown
    assert "Start with the oldest" in shown


def test_b2_an_empty_queue_says_so(store: Store) -> None:
    shown = page(staff(store)[0].get(reverse(QUEUE)))
    assert "Nothing waits" in shown
    assert "Start with the oldest" not in shown


def test_t2_a_viewer_sees_the_queue_and_can_press_nothing(store: Store, ana: Customer) -> None:
    order = waiting(ana, "1")
    client, _ = staff(store, Role.VIEWER)

    shown = page(client.get(reverse(QUEUE)))

    assert ">1</a>" in shown
    assert not re.search(r'<a[^>]*walk=1|data-key="o"', shown)
    for name in ("queue_skip", "dismiss", "put_back", "undo"):
        assert client.post(at(name, order), {"reason": "x"}).status_code == 403
    assert client.post(reverse("admin:orders_order_queue_start")).status_code == 403
    assert read(order).needs_revert


def test_b2_the_walk_returns_dismisses_skips_and_ends(store: Store, ana: Customer) -> None:
    orders = [waiting(ana, f"10{days}", days_ago=days) for days in (4, 3, 2, 1)]
    client, _ = staff(store)

    first = client.post(reverse("admin:orders_order_queue_start"))
    assert first["Location"] == walk(orders[0])
    assert "4 of 4 left" in page(client.get(first["Location"]))

    second = confirm(client, orders[0])
    assert second["Location"] == walk(orders[1])
    shown = page(client.get(second["Location"]))
    assert "3 of 4 left" in shown
    assert "Order 104: 15.00 USD returned to Ana Lee." in shown

    third = client.post(at("queue_skip", orders[1]))
    assert third["Location"] == walk(orders[2])
    assert "2 of 4 left" in page(client.get(third["Location"]))

    fourth = client.post(f"{at('dismiss', orders[2])}?walk=1", {"reason": "Settled in the shop"})
    assert fourth["Location"] == walk(orders[3])
    end = client.post(at("queue_skip", orders[3]))
    assert end["Location"] == reverse(QUEUE)
    shown = page(client.get(reverse(QUEUE)))
    assert "You have been through the queue. 2 orders are left" in shown
    assert read(orders[2]).credits_decision == "dismissed"
    assert [read(order).needs_revert for order in orders] == [False, True, False, True]


def test_b2_the_last_one_says_so(store: Store, ana: Customer) -> None:
    order = waiting(ana, "1")
    client, _ = staff(store)
    client.post(reverse("admin:orders_order_queue_start"))

    done = client.post(f"{at('dismiss', order)}?walk=1", {"reason": "Settled"}, follow=True)

    assert "That was the last one: nothing waits any more." in page(done)
    assert "Nothing waits" in page(done)


def test_b2_nothing_is_handed_to_two_people_at_once(store: Store, ana: Customer) -> None:
    first, second = waiting(ana, "101", days_ago=2), waiting(ana, "102", days_ago=1)
    (mine, me), (theirs, _) = staff(store), staff(store)
    User.objects.filter(pk=me.pk).update(name="Mei Chen")
    start = reverse("admin:orders_order_queue_start")

    assert mine.post(start)["Location"] == walk(first)
    assert theirs.post(start)["Location"] == walk(second)

    assert "being looked at by Mei Chen since 4:00" in page(theirs.get(walk(first)))
    assert "being looked at by" not in page(mine.get(walk(first)))
    assert "being looked at by Mei Chen since 4:00" in page(theirs.get(reverse(QUEUE)))
    mine.get(reverse(QUEUE))
    assert Look.unscoped.count() == 0


def test_b2_back_in_the_queue_page_the_order_is_free_again(store: Store, ana: Customer, clock: Any) -> None:
    order = waiting(ana, "101")
    (mine, _), (theirs, _) = staff(store), staff(store)
    start = reverse("admin:orders_order_queue_start")
    mine.post(start)
    assert theirs.post(start)["Location"] == reverse(QUEUE)
    clock.shift(timedelta(minutes=10))
    assert theirs.post(start)["Location"] == walk(order)


def test_the_queue_takes_as_many_statements_for_ten_rows_as_for_one(store: Store, ana: Customer) -> None:
    client, _ = staff(store)
    counts = []
    for number in range(10):
        waiting(ana, str(number), points=1)
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse(QUEUE))
        counts.append(len(queries))
    assert counts[0] == counts[-1] <= 15


def test_b2_dismissing_needs_a_reason_and_says_what_stays(store: Store, ana: Customer) -> None:
    order = waiting(ana, "101", points=20)
    client, _ = staff(store)
    form = client.get(address(order))
    assert f'href="{at("dismiss", order)}"' in page(form)

    asked = page(client.get(at("dismiss", order)))
    refused = client.post(at("dismiss", order), {"reason": " "})
    done = client.post(at("dismiss", order), {"reason": "Settled in the shop"}, follow=True)

    assert "15.00 USD + 20 points of order 101 of Ana Lee will not be returned." in asked
    assert (refused.status_code, "This field is required." in page(refused)) == (422, True)
    assert "Order 101: dismissed, 15.00 USD + 20 points will not be returned." in page(done)
    assert page(done).count(">dismissed<") >= 2
    assert "Dismissed: 15.00 USD of store credits will not be returned" in page(done)
    assert "There is nothing to dismiss" in page(client.get(at("dismiss", order)))
    assert "Settled in the shop" in page(client.get(f"{at('change', order)}?tab=timeline"))


def test_b2_dismissed_orders_are_found_and_brought_back(store: Store, ana: Customer) -> None:
    dismissed, other = waiting(ana, "101"), waiting(ana, "102")
    client, _ = staff(store)
    client.post(at("dismiss", dismissed), {"reason": "Settled"})
    orders = reverse("admin:orders_order_changelist")

    found = page(client.get(f"{orders}?decision=dismissed"))
    assert ("101" in found, "102" in found) == (True, False)
    assert "put_back" not in page(client.get(orders))
    assert "Bring back into the queue" in page(client.get(at("change", dismissed)))

    chosen = {"action": "put_back", "_selected_action": [dismissed.pk]}
    done = page(client.post(f"{orders}?decision=dismissed", chosen, follow=True))

    assert "Order 101 is back in the queue of what needs a revert." in done
    assert read(dismissed).needs_revert
    client.post(at("dismiss", dismissed), {"reason": "Settled"})
    assert "is back in the queue" in page(client.post(at("put_back", dismissed), follow=True))
    assert read(other).version == 3


def returned(store: Store, client: Client, *, points: int = 100) -> Order:
    """X1, cancelled through the form with what it offers: 5.00 USD and the points come back."""
    order = x1_order(store, points=points)
    client.post(address(order), fields_of(client.get(address(order))) | {"_confirm": "1"})
    return order


def test_m11_undo_from_the_message_after_a_cancel(store: Store) -> None:
    client, _ = staff(store, Role.MANAGER)
    order = returned(store, client)
    message = page(client.get(at("change", order)))
    link = re.search(rf'href="({at("undo", order)}\?[^"]*)" class="underline">Undo…', message)
    assert link

    asked = page(client.get(link[1].replace("&amp;", "&")))

    assert asked.count("checked") == 2
    assert "5.00 USD of store credits" in asked
    assert "The customer can spend 5.00 USD" in asked
    assert "<strong>0.00 USD</strong>" in asked
    assert "<strong>0 points</strong>" in asked


def undo_fields(client: Client, order: Order) -> dict[str, Any]:
    found = page(client.get(at("undo", order)))
    names = ("once", "version")
    return {name: re.search(rf'name="{name}" value="([^"]*)"', found)[1] for name in names}  # type: ignore[index]


def test_m11_confirmed_it_takes_back_what_is_ticked(store: Store) -> None:
    client, _ = staff(store, Role.MANAGER)
    order = returned(store, client)
    credits = Revert.objects.for_store(store).get(kind="credits")
    sent = undo_fields(client, order) | {"revert": credits.pk, "reason": "Wrong order"}

    done = page(client.post(at("undo", order), sent, follow=True))
    twice = page(client.post(at("undo", order), sent, follow=True))

    assert "5.00 USD taken back from Ana Lee: the return is undone." in done
    assert "changed since this was shown" in twice
    found = read(order)
    assert (found.credits_reverted, found.credits_decision, found.points_reverted) == (0, "declined", 100)
    assert RevertUndo.unscoped.count() == 1
    reverts = page(client.get(f"{at('change', order)}?tab=reverts"))
    assert reverts.count(">undone<") == 1
    shown = page(client.get(reverse("admin:orders_revert_change", args=[credits.pk])))
    assert "Wrong order" in shown
    assert "Undo this return" not in shown
    listed = page(client.get(reverse("admin:orders_revert_changelist") + "?undone=yes"))
    assert listed.count(">undone<") == 1
    used = page(client.get(f"{at('change', order)}?tab=used"))
    assert "100 points to its lot" in used
    assert "Undone: taken out again by" in used


def test_m11_a_second_sending_of_a_committed_form_does_nothing_twice(store: Store) -> None:
    client, _ = staff(store, Role.MANAGER)
    order = returned(store, client)
    credits = Revert.objects.for_store(store).get(kind="credits")
    points = Revert.objects.for_store(store).get(kind="points")
    sent = undo_fields(client, order)
    client.post(at("undo", order), sent | {"revert": credits.pk})

    again = page(client.post(at("undo", order), sent | {"revert": points.pk}, follow=True))

    assert "Already done. Nothing was changed this time." in again
    assert RevertUndo.unscoped.count() == 1


def test_m11_a_sentence_says_why_not(store: Store) -> None:
    client, _ = staff(store, Role.MANAGER)
    order = returned(store, client, points=0)
    assert order.customer
    factories.make_order(order.customer, credits="2", now=NOW)

    asked = page(client.get(at("undo", order)))

    assert "Cannot be undone. 5.00 USD came back to lot" in asked
    assert "which now holds 3.00 USD: the customer has used what came back." in asked
    assert "Undo: take back" not in asked
    revert = Revert.objects.for_store(store).get()
    shown = page(client.get(reverse("admin:orders_revert_change", args=[revert.pk])))
    assert "It cannot be undone. 5.00 USD came back" in shown
    sent = undo_fields(client, order) | {"revert": revert.pk}
    assert client.post(at("undo", order), sent).status_code == 422
    assert RevertUndo.unscoped.count() == 0


def test_m11_facts_that_changed_meanwhile_do_nothing(store: Store) -> None:
    client, _ = staff(store, Role.MANAGER)
    order = returned(store, client, points=0)
    revert = Revert.objects.for_store(store).get()
    sent = undo_fields(client, order) | {"revert": revert.pk}
    factories.cancel(order, now=NOW + timedelta(hours=2))
    Order.unscoped.filter(pk=order.pk).update(version=99)

    refused = client.post(at("undo", order), sent)

    assert (refused.status_code, "The order has changed since this was shown" in page(refused)) == (409, True)
    assert RevertUndo.unscoped.count() == 0


def test_t2_support_returns_but_does_not_undo(store: Store) -> None:
    client, _ = staff(store, Role.SUPPORT)
    order = returned(store, client)

    shown = page(client.get(at("change", order)))

    assert "returned to Ana Lee" in shown
    assert "Undo" not in shown
    assert client.get(at("undo", order)).status_code == 403


def test_m11_the_stores_hours_hold_on_the_page(store: Store, clock: Any) -> None:
    factories.make_settings(store, StoreSettings(limits=LimitSettings(undo_hours=1)))
    client, _ = staff(store, Role.MANAGER)
    order = returned(store, client)
    clock.shift(timedelta(hours=1))
    assert "A return can be undone for 1 hour;" in page(client.get(at("undo", order)))
