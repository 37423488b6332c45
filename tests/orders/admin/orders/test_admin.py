"""The order list and the order page."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from loyalty.stores.models import Role, Store
from orders.models import Order
from tests import factories
from tests.addresses import reverse

pytestmark = pytest.mark.django_db
LIST = "admin:orders_order_changelist"


@pytest.fixture
def client(store: Store) -> Client:
    return sign_in(store, Role.SUPPORT)


def sign_in(store: Store, role: Role) -> Client:
    client = Client()
    client.force_login(factories.make_user((store, role)), backend="django.contrib.auth.backends.ModelBackend")
    return client


def place(store: Store, number: str, **fields: Any) -> Order:
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "100.00")
    factories.grant("points", customer, 100)
    return factories.make_order(customer, number=number, credits="15.00", points=100, **fields)


def numbers(client: Client, **query: str) -> set[str]:
    answer = client.get(reverse(LIST), query)
    assert answer.status_code == 200
    return {order.number for order in answer.context["cl"].result_list}


def test_the_list_costs_the_same_for_one_and_three_rows(client: Client, store: Store) -> None:
    place(store, "1")
    client.get(reverse(LIST))
    with CaptureQueriesContext(connection) as one:
        client.get(reverse(LIST))
    place(store, "2")
    place(store, "3")
    with CaptureQueriesContext(connection) as three:
        client.get(reverse(LIST))
    assert len(one) == len(three) <= 15
    assert not [query for query in three if "COUNT(" in query["sql"].upper() and "LIMIT" not in query["sql"].upper()]
    assert not [query for query in three if '"platform_data",' in query["sql"]]


def test_o4_labels_and_filters(client: Client, store: Store) -> None:
    place(store, "1")
    factories.cancel_and_return(place(store, "2", tags=["VIP "]))
    page = client.get(reverse(LIST)).content.decode()
    for words in ("Additional filters", "Credit Revert Status", "Points Revert Status", "Not Reverted", "Reverted"):
        assert words in page
    assert numbers(client, credit_revert_status="reverted") == {"2"}
    assert numbers(client, credit_revert_status="reverted", points_revert_status="not_reverted") == set()
    assert numbers(client, status="pending", payment_status="pending") == {"1"}
    assert numbers(client, tags=" vip ") == {"2"}
    assert numbers(client, cancelled_by="automatic") == set()
    assert numbers(client, needs_revert="yes") == set()
    assert numbers(client, placed_from="2001-01-01", placed_to="2001-01-02") == set()


def test_a_wrong_filter_says_so_beside_its_field(client: Client, store: Store) -> None:
    place(store, "1")
    answer = client.get(reverse(LIST), {"placed_from": "yesterday", "placed_to": "9999-12-31"})
    assert "Enter a valid date" in answer.content.decode()
    assert "Days from 2000-01-01" in answer.content.decode()


def test_lists_cannot_be_filtered_through_columns(client: Client) -> None:
    assert client.get(reverse(LIST), {"customer__email__startswith": "a"}).status_code == 400


def test_the_exact_number_is_found_first(client: Client, store: Store) -> None:
    order = place(store, "1001")
    place(store, "10010")
    assert numbers(client, q="1001") == {"1001"}
    assert order.customer is not None
    assert numbers(client, q=order.customer.email) == {"1001"}


def test_m1_choosing_one_order_leads_to_the_cancel_form(client: Client, store: Store) -> None:
    first, second = place(store, "1"), place(store, "2")
    one = client.post(reverse(LIST), {"action": "cancel_one", "_selected_action": [first.pk]})
    assert one["Location"].startswith(reverse("admin:orders_order_cancel", args=[first.pk]))
    two = client.post(reverse(LIST), {"action": "cancel_one", "_selected_action": [first.pk, second.pk]})
    assert "cancel" not in two["Location"]


def test_a_viewer_has_no_actions_and_no_buttons(store: Store) -> None:
    order = place(store, "1")
    viewer = sign_in(store, Role.VIEWER)
    viewer.post(reverse(LIST), {"action": "cancel_several", "_selected_action": [order.pk]})
    page = viewer.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert reverse("admin:orders_order_cancel", args=[order.pk]) not in page
    assert (
        viewer.post(reverse("admin:orders_order_change", args=[order.pk]), {"status": "confirmed"}).status_code == 403
    )
    order.refresh_from_db()
    assert order.status == "pending"


def test_m1_m8_the_status_field_leads_to_the_form_and_saves_the_others(client: Client, store: Store) -> None:
    order = place(store, "1")
    here = reverse("admin:orders_order_change", args=[order.pk])
    answer = client.post(here, {"status": "cancelled"})
    assert answer["Location"].startswith(reverse("admin:orders_order_cancel", args=[order.pk]))
    order.refresh_from_db()
    assert order.status == "pending"
    client.post(here, {"status": "confirmed"})
    order.refresh_from_db()
    assert order.status == "confirmed"
    client.post(here, {"status": "nonsense"})
    order.refresh_from_db()
    assert order.status == "confirmed"


@pytest.mark.parametrize("tab", ["details", "used", "reverts", "timeline", "notices", "unknown"])
def test_every_tab_opens_before_and_after_a_cancel(client: Client, store: Store, tab: str) -> None:
    order = place(store, "1")
    here = reverse("admin:orders_order_change", args=[order.pk])
    assert client.get(here, {"tab": tab}).status_code == 200
    factories.cancel_and_return(order)
    assert client.get(here, {"tab": tab}).status_code == 200
