"""Cancelling many from the list (B1), and who may not."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from credits.models import CreditMovement
from loyalty.store_settings.sections import SpentRevertSettings, StoreSettings
from loyalty.stores.models import Remark, Role, Store
from orders.models import BulkCancel, BulkItem, Order
from orders.services.bulk_cancels import run
from orders.services.intake.change import change_order
from tests.addresses import pages_of, reverse
from tests.factories import ACTOR, NOW, make_customer, make_order, make_settings, make_store
from tests.orders.admin.reverts.cases import staff, store_and_staff, x1_order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]
LIST = "admin:orders_order_changelist"


def choose(client: Client, *orders: Order, query: str = "") -> str:
    """Choose the orders in the list; answers the address of the page that says what it means."""
    action = {"action": "cancel_several", "_selected_action": [str(order.pk) for order in orders]}
    answer = client.post(reverse(LIST) + query, action)
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def choose_all(client: Client, query: str) -> Any:
    return client.post(f"{reverse('admin:orders_order_bulk_cancel')}?{query}")


def said(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def confirm(client: Client, address: str, **more: str) -> tuple[str, str]:
    """Press the button; answers what was said and where it led."""
    answer = client.post(address, {"_confirm": "1", "shown": ""} | more)
    assert answer.status_code == 302, answer.content
    return said(answer), str(answer.headers["Location"])


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def statuses(store: Store) -> list[str]:
    return list(Order.objects.for_store(store).order_by("pk").values_list("status", flat=True))


def pay(order: Order) -> None:
    change_order(store=order.store, order_id=order.pk, values={"payment_status": "paid"}, actor=ACTOR, now=NOW)


def listed(client: Client, said: str) -> set[str]:
    """The orders behind the first link of a message."""
    link = said.split('href="')[1].split('"', maxsplit=1)[0].replace("&amp;", "&")
    return {row.number for row in client.get(link).context["cl"].result_list}


def test_b1_the_page_says_how_many_how_much_and_that_nothing_returns() -> None:
    store, client = store_and_staff()
    orders = [x1_order(store, number=f"{number}", points=100) for number in (1, 2)]
    gone = make_order(make_customer(store), number="777")
    confirm(client, choose(client, gone))
    shown = page(client, choose(client, *orders, gone))
    assert "2 orders will be cancelled. They used 30.00 USD credits and 200 points. Nothing will be returned." in shown
    assert "1 order is cancelled already and stays as it is." in shown
    assert shown.index("cancelled already") < shown.index("Cancel 2 orders, return nothing")
    assert statuses(store) == ["pending", "pending", "cancelled"]


def test_b1_what_stands_out_comes_first_each_only_when_there_is_one() -> None:
    store, client = store_and_staff()
    make_settings(store, StoreSettings(spent_revert=SpentRevertSettings(skip_tags=("Exchange",))))
    plain = x1_order(store, number="1")
    assert "Look at these first" not in page(client, choose(client, plain))
    orders = [
        make_order(make_customer(store), number="2", status="completed"),
        make_order(make_customer(store), number="3", payment_status="paid"),
        make_order(make_customer(store), number="4", payment_status="refunded"),
        make_order(make_customer(store), number="5", platform="shopify"),
        make_order(make_customer(store), number="6", tags=["exchange "]),
    ]
    shown = page(client, choose(client, plain, *orders))
    for words in (
        "1 order is completed.",
        "1 order is paid.",
        "1 order is refunded: its payment has gone back.",
        "1 order is from a shop platform: this does not cancel it there.",
        "1 order is tagged with a skip tag: no automation returns its value later.",
    ):
        assert words in shown
        assert shown.index(words) < shown.index("Cancel 6 orders, return nothing")


def test_b1_confirming_cancels_them_all_and_links_to_those_not_reverted() -> None:
    store, client = store_and_staff()
    orders = [x1_order(store, number="1"), x1_order(store, number="2"), make_order(make_customer(store), number="3")]
    told, led_to = confirm(client, choose(client, *orders), reason="fraud", note="raid")
    assert led_to == reverse(LIST)
    assert "3 orders cancelled, nothing was returned." in told
    assert "Show 2 orders still Not Reverted" in told
    assert statuses(store) == ["cancelled"] * 3
    assert not CreditMovement.objects.for_store(store).filter(type="revert").exists()
    decisions = Order.objects.for_store(store).order_by("pk").values_list("credits_decision", flat=True)
    assert list(decisions) == ["deferred", "deferred", ""]
    reasons = Order.objects.for_store(store).values_list("cancel_reason", "cancelled_by")
    assert set(reasons) == {("fraud", "bulk")}
    assert set(Remark.objects.for_store(store).exclude(reason="Gift").values_list("reason", "note")) == {
        ("fraud", "raid")
    }
    confirm(client, choose(client, x1_order(store, number="4")))
    assert listed(client, told) == {"1", "2"}


def test_b1_each_order_has_its_result_and_the_list_of_bulk_cancels_has_the_counts() -> None:
    store, client = store_and_staff()
    first, second = x1_order(store, number="1"), x1_order(store, number="2")
    confirm(client, choose(client, first))
    address = choose(client, first, second)
    told, _ = confirm(client, address)
    assert "1 order cancelled, nothing was returned. 1 order left as it was." in told
    shown = page(client, address)
    assert "2 of 2</strong> looked at: 1 cancelled, 1 left as they were, 0 could not be cancelled" in shown
    assert "It was cancelled already." in shown
    assert "Show 2 orders still Not Reverted" in shown
    assert "1</a>" in page(client, f"{address}?show=skipped")
    assert ">2</a>" not in page(client, f"{address}?show=skipped")
    bulks = page(client, reverse("admin:orders_bulkcancel_changelist"))
    assert "<span>1 cancelled</span><span>1 left as it was</span>" in bulks


def test_b1_sent_twice_is_the_same_as_once() -> None:
    store, client = store_and_staff()
    address = choose(client, x1_order(store))
    confirm(client, address)
    version = Order.objects.for_store(store).get().version
    assert confirm(client, address)[1] == address
    assert Order.objects.for_store(store).get().version == version
    assert BulkCancel.objects.for_store(store).count() == 1


def test_b1_paid_and_completed_orders_can_be_left_out_and_the_numbers_follow() -> None:
    store, client = store_and_staff()
    orders = [
        x1_order(store, number="1"),
        make_order(make_customer(store), number="2", payment_status="paid"),
        make_order(make_customer(store), number="3", status="completed"),
    ]
    address = choose(client, *orders)
    assert "Cancel 3 orders, return nothing" in page(client, address)
    both = {"leave_paid": "on", "leave_completed": "on"}
    # What is left out has changed since the numbers were shown: nothing happens, the new numbers are.
    answer = client.post(address, {"_confirm": "1", "shown": ""} | both)
    assert answer.status_code == 200
    assert "Nothing was done yet" in answer.content.decode()
    assert "Cancel 1 order, return nothing" in answer.content.decode()
    assert statuses(store) == ["pending", "pending", "completed"]
    told, _ = confirm(client, address, shown="leave_paid,leave_completed", **both)
    assert "1 order cancelled, nothing was returned. 2 orders left as they were." in told
    assert statuses(store) == ["cancelled", "pending", "completed"]
    shown = page(client, address)
    assert "It is paid, and paid orders were left out." in shown
    assert "It is completed, and completed orders were left out." in shown


def test_e6_a_payment_that_arrives_after_the_orders_were_chosen_wins() -> None:
    store, client = store_and_staff()
    order, other = x1_order(store, number="1"), x1_order(store, number="2")
    address = choose(client, order, other)
    pay(order)
    shown = page(client, address)
    assert "1 order is paid or completed after you chose it, and stays as it is." in shown
    assert "Cancel 1 order, return nothing" in shown
    confirm(client, address)
    assert statuses(store) == ["pending", "cancelled"]
    assert "It was paid or completed after it had been chosen." in page(client, address)


def test_b1_all_of_a_filtered_list_over_all_of_its_pages() -> None:
    store, client = store_and_staff()
    customer = make_customer(store)
    for number in range(60):
        make_order(customer, number=f"{number}", tags=["raid"])
    make_order(customer, number="other")
    shown = page(client, f"{reverse(LIST)}?tags=raid")
    assert "Cancel all of this list" in shown
    assert "Cancel all of this list" not in page(client, reverse(LIST))
    answer = choose_all(client, "tags=raid&p=2")
    address = str(answer.headers["Location"])
    assert "60 orders will be cancelled" in page(client, address)
    confirm(client, address)
    assert statuses(store) == ["cancelled"] * 60 + ["pending"]
    bulk = BulkCancel.objects.for_store(store).get()
    assert (bulk.total, bulk.cancelled, bulk.state) == (60, 60, "done")
    assert "this filtered list" in page(client, address)


def test_b1_the_lists_own_select_all_goes_the_same_way() -> None:
    store, client = store_and_staff()
    first, second = (make_order(make_customer(store), number=number, tags=["raid"]) for number in "12")
    make_order(make_customer(store), number="3")
    action = {"action": "cancel_several", "_selected_action": [str(first.pk)], "select_across": "1"}
    address = client.post(f"{reverse(LIST)}?tags=raid", action).headers["Location"]
    assert "2 orders will be cancelled" in page(client, address)
    assert second.status == "pending"


def test_b1_an_order_that_arrives_after_the_list_was_chosen_is_not_cancelled() -> None:
    store, client = store_and_staff()
    make_order(make_customer(store), number="1", tags=["raid"])
    address = str(choose_all(client, "tags=raid").headers["Location"])
    make_order(make_customer(store), number="2", tags=["raid"])
    confirm(client, address)
    assert statuses(store) == ["cancelled", "pending"]


@pytest.mark.parametrize("query", ["placed_from=yesterday", "status=nonsense", "customer=999999999", "bulk=x"])
def test_b1_a_wrong_filter_never_chooses_the_whole_store(query: str) -> None:
    store, client = store_and_staff()
    make_order(make_customer(store))
    answer = choose_all(client, query)
    assert answer.headers["Location"] == f"{reverse(LIST)}?{query}"
    assert "one of the filters is wrong" in said(answer)
    assert not BulkCancel.objects.for_store(store).exists()


def test_b1_an_empty_list_and_a_list_that_is_too_long_choose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    store, client = store_and_staff()
    assert "Choose the orders to cancel" in said(choose_all(client, "tags=nobody"))
    monkeypatch.setattr(run, "MOST", 1)
    for number in "12":
        make_order(make_customer(store), number=number)
    assert "At most 1 orders" in said(choose_all(client, ""))
    assert not BulkCancel.objects.for_store(store).exists()


def test_b1_a_long_one_is_the_workers_and_the_page_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "AT_ONCE", 2)
    monkeypatch.setattr(run, "BATCH", 2)
    store, client = store_and_staff()
    address = choose(client, *(make_order(make_customer(store), number=number) for number in "12345"))
    _, led_to = confirm(client, address)
    assert led_to == address
    assert statuses(store) == ["pending"] * 5
    shown = page(client, address)
    assert 'http-equiv="refresh"' in shown
    assert '<progress class="bulk-bar" value="0" max="5"' in shown
    assert 'http-equiv="refresh"' not in page(client, f"{address}?still=1")
    bulk = BulkCancel.objects.for_store(store).get()
    run.run_batch(bulk.pk, lambda: NOW, {"cancelled": 0, "skipped": 0, "failed": 0})
    assert '<progress class="bulk-bar" value="2" max="5"' in page(client, address)
    client.post(reverse("admin:orders_bulkcancel_stop", args=[bulk.pk]))
    assert run.bulk_cancel(NOW) == {"cancelled": 0, "skipped": 0, "failed": 0}
    shown = page(client, address)
    assert "Carry on with the other 3" in shown
    assert 'http-equiv="refresh"' not in shown
    client.post(reverse("admin:orders_bulkcancel_go_on", args=[bulk.pk]))
    assert run.bulk_cancel(NOW) == {"cancelled": 3, "skipped": 0, "failed": 0}
    shown = page(client, address)
    assert "5 of 5</strong> looked at: 5 cancelled" in shown
    assert 'http-equiv="refresh"' not in shown


def test_b1_a_note_that_is_too_long_comes_back_at_its_field() -> None:
    store, client = store_and_staff()
    address = choose(client, x1_order(store))
    answer = client.post(address, {"_confirm": "1", "shown": "", "note": "x" * 2001})
    assert "at most 2000 characters" in answer.content.decode()
    assert statuses(store) == ["pending"]


def test_t1_another_stores_orders_and_bulk_cancels_are_unknown() -> None:
    store, client = store_and_staff()
    order = x1_order(store)
    address = choose(client, order)
    outsider_store, outsider = store_and_staff(Role.OWNER)
    own = make_order(make_customer(outsider_store))
    bulk = BulkCancel.objects.for_store(store).get()
    with pages_of(outsider_store):
        there = reverse("admin:orders_bulkcancel_change", args=[bulk.pk])
        for foreign in (address, there):
            assert outsider.get(foreign).status_code == 404
            assert outsider.post(foreign, {"_confirm": "1", "shown": ""}).status_code == 404
        for name in ("stop", "go_on"):
            assert outsider.post(reverse(f"admin:orders_bulkcancel_{name}", args=[bulk.pk])).status_code == 404
        confirm(outsider, choose(outsider, order, own))
    assert (statuses(store), statuses(outsider_store)) == (["pending"], ["cancelled"])
    confirm(client, address)
    with pages_of(outsider_store):
        for query in ("", f"?bulk={bulk.pk}"):
            rows = outsider.get(reverse(LIST) + query).context["cl"].result_list
            assert order.number not in {row.number for row in rows}
        assert f"#{bulk.pk}:" not in page(outsider, reverse("admin:orders_bulkcancel_changelist"))


def test_t2_a_viewer_may_look_at_what_came_of_it_and_press_nothing() -> None:
    store, client = store_and_staff()
    viewer, _ = staff(store, Role.VIEWER)
    order = x1_order(store)
    address = choose(client, order)
    assert "return nothing</button>" not in page(viewer, address)
    bulk = BulkCancel.objects.for_store(store).get()
    assert viewer.post(address, {"_confirm": "1", "shown": ""}).status_code == 403
    assert choose_all(viewer, "tags=raid").status_code == 403
    for name in ("stop", "go_on"):
        assert viewer.post(reverse(f"admin:orders_bulkcancel_{name}", args=[bulk.pk])).status_code == 403
    assert b"cancel_several" not in viewer.get(reverse(LIST)).content
    assert "Cancel all of this list" not in page(viewer, f"{reverse(LIST)}?tags=raid")
    assert statuses(store) == ["pending"]
    confirm(client, address)
    assert "1 of 1</strong>" in page(viewer, address)


def test_m1_the_lists_actions_lead_to_the_form_and_to_the_page() -> None:
    store, client = store_and_staff()
    first, second = x1_order(store, number="1"), x1_order(store, number="2")
    one = client.post(reverse(LIST), {"action": "cancel_one", "_selected_action": [str(first.pk)]})
    assert one.headers["Location"] == reverse("admin:orders_order_cancel", args=[first.pk])
    both = {"_selected_action": [str(first.pk), str(second.pk)]}
    refused = client.post(reverse(LIST), {"action": "cancel_one"} | both, follow=True)
    assert "Choose exactly one order" in refused.content.decode()
    assert "2 orders will be cancelled" in page(client, choose(client, first, second))
    assert statuses(store) == ["pending", "pending"]
    assert make_store() != store


@pytest.mark.parametrize("confirmed", [False, True])
def test_the_page_costs_the_same_for_one_and_ten_orders(confirmed: bool) -> None:
    store, client = store_and_staff()
    counts = []
    for size in (1, 10):
        address = choose(client, *(x1_order(store, number=f"{size}-{number}") for number in range(size)))
        if confirmed:
            confirm(client, address)
        page(client, address)
        with CaptureQueriesContext(connection) as queries:
            page(client, address)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 15
    assert BulkItem.objects.for_store(store).count() == 11
