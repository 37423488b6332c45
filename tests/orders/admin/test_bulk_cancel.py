"""Cancelling many from the list (B1), and who may not."""

from collections.abc import Iterator

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from credits.models import CreditMovement
from loyalty.stores.models import Role, Store
from orders.admin.bulk_cancel import LIMIT
from orders.models import Order
from tests.factories import NOW, make_customer, make_order, make_store
from tests.orders.admin.cancelling_cases import store_and_staff, x1_order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fifth_of_january() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def page_address() -> str:
    return reverse("admin:orders_order_bulk_cancel")


def ids_of(*orders: Order) -> str:
    return ",".join(str(order.pk) for order in orders)


def confirm(client: Client, ids: str, **more: str) -> tuple[int, str]:
    answer = client.post(page_address(), {"ids": ids, "_confirm": "1"} | more)
    return answer.status_code, " ".join(str(message) for message in get_messages(answer.wsgi_request))


def statuses(store: Store) -> list[str]:
    return list(Order.objects.for_store(store).order_by("pk").values_list("status", flat=True))


def test_b1_the_page_says_how_many_how_much_and_that_nothing_returns() -> None:
    store, client = store_and_staff()
    orders = [x1_order(store, number=f"{number}", points=100) for number in (1, 2)]
    gone = make_order(make_customer(store), number="777")
    confirm(client, ids_of(gone))
    page = " ".join(client.get(page_address(), {"ids": ids_of(*orders, gone)}).content.decode().split())
    assert "2 orders will be cancelled. They used 30.00 USD credits and 200 points. Nothing will be returned." in page
    assert "1 of the orders is already cancelled and stays as it is: 777." in page
    assert page.index("777") < page.index("Cancel 2 orders, return nothing")
    assert statuses(store) == ["pending", "pending", "cancelled"]


def test_b1_confirming_cancels_them_all_and_links_to_those_not_reverted() -> None:
    store, client = store_and_staff()
    orders = [x1_order(store, number="1"), x1_order(store, number="2"), make_order(make_customer(store), number="3")]
    code, said = confirm(client, ids_of(*orders), reason="fraud", note="raid")
    assert code == 302
    assert "3 orders cancelled, nothing was returned." in said
    assert "Show 2 orders still Not Reverted" in said
    assert statuses(store) == ["cancelled"] * 3
    assert not CreditMovement.objects.for_store(store).filter(type="revert").exists()
    decisions = Order.objects.for_store(store).order_by("pk").values_list("credits_decision", flat=True)
    assert list(decisions) == ["deferred", "deferred", ""]
    other = x1_order(store, number="4")
    with time_machine.travel(NOW.replace(hour=9), tick=False):
        confirm(client, ids_of(other))
    link = said.split('href="')[1].split('"')[0].replace("&amp;", "&")
    rows = client.get(link).context["cl"].result_list
    assert {row.number for row in rows} == {"1", "2"}


def test_b1_sent_twice_is_the_same_as_once() -> None:
    store, client = store_and_staff()
    order = x1_order(store)
    confirm(client, ids_of(order))
    version = Order.objects.for_store(store).get().version
    code, said = confirm(client, ids_of(order))
    assert code == 302
    assert "1 order had been cancelled already." in said
    assert "Show 1 order still Not Reverted" in said
    assert Order.objects.for_store(store).get().version == version


def test_b1_more_than_the_limit_is_refused() -> None:
    store, client = store_and_staff()
    order = x1_order(store)
    ids = ",".join(str(order.pk + more) for more in range(LIMIT + 1))
    code, said = confirm(client, ids)
    assert code == 302
    assert f"At most {LIMIT} orders" in said
    assert statuses(store) == ["pending"]


@pytest.mark.parametrize("ids", ["", "abc", "²", "-1", "99999999999999999999", "999999999"])
def test_b1_ids_that_are_no_orders_lead_back_to_the_list(ids: str) -> None:
    _, client = store_and_staff()
    assert client.get(page_address(), {"ids": ids}).status_code == 302
    assert confirm(client, ids)[0] == 302


def test_b1_a_note_that_is_too_long_comes_back_at_its_field() -> None:
    store, client = store_and_staff()
    order = x1_order(store)
    answer = client.post(page_address(), {"ids": ids_of(order), "_confirm": "1", "note": "x" * 2001})
    assert "at most 2000 characters" in answer.content.decode()
    assert statuses(store) == ["pending"]


def test_t1_another_stores_orders_are_unknown() -> None:
    store, _ = store_and_staff()
    order = x1_order(store)
    outsider_store, outsider = store_and_staff(Role.OWNER)
    own = make_order(make_customer(outsider_store))
    assert order.number not in outsider.get(page_address(), {"ids": ids_of(order, own)}).content.decode()
    confirm(outsider, ids_of(order, own))
    assert statuses(store) == ["pending"]
    assert statuses(outsider_store) == ["cancelled"]


def test_t2_a_viewer_may_not_and_the_list_offers_nothing() -> None:
    store, viewer = store_and_staff(Role.VIEWER)
    order = x1_order(store)
    assert viewer.get(page_address(), {"ids": ids_of(order)}).status_code in {403, 404}
    assert viewer.post(page_address(), {"ids": ids_of(order), "_confirm": "1"}).status_code in {403, 404}
    assert b"cancel_several" not in viewer.get(reverse("admin:orders_order_changelist")).content


def test_m1_the_lists_actions_lead_to_the_form_and_to_the_page() -> None:
    store, client = store_and_staff()
    first, second = x1_order(store, number="1"), x1_order(store, number="2")
    orders = reverse("admin:orders_order_changelist")
    one = client.post(orders, {"action": "cancel_one", "_selected_action": [str(first.pk)]})
    assert one.headers["Location"] == reverse("admin:orders_order_cancel", args=[first.pk])
    both = {"_selected_action": [str(first.pk), str(second.pk)]}
    refused = client.post(orders, {"action": "cancel_one"} | both, follow=True)
    assert "Choose exactly one order" in refused.content.decode()
    many = client.post(orders, {"action": "cancel_several"} | both, follow=True)
    assert "2 orders will be cancelled" in " ".join(many.content.decode().split())
    assert statuses(store) == ["pending", "pending"]
    assert make_store() != store
