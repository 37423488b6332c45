"""The reinstate page and the list of late payments, over Django's client (M10, X10, E6, T1, T2)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from loyalty.jobs.periodic import run_job
from loyalty.stores.models import Customer, Role, Store
from orders.models import Order
from orders.services.intake.change import change_order
from tests import factories
from tests.addresses import reverse
from tests.books import find_faults
from tests.factories import ACTOR, NOW
from tests.orders.admin.reverts.cases import staff, store_and_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

LIST = "admin:orders_order_changelist"


@pytest.fixture
def desk() -> tuple[Store, Client]:
    return store_and_staff()


@pytest.fixture
def store(desk: tuple[Store, Client]) -> Store:
    return desk[0]


@pytest.fixture
def client(desk: tuple[Store, Client]) -> Client:
    return desk[1]


@pytest.fixture
def ana(store: Store) -> Customer:
    return factories.make_customer(store, name="Ana Lee")


@pytest.fixture
def order(ana: Customer) -> Order:
    """15.00 and 100 points; cancelled, and both kinds returned."""
    factories.grant("credits", ana, "15.00")
    factories.grant("points", ana, 100)
    return factories.cancel(factories.make_order(ana, credits="15.00", points=100, number="1001"))


def late(customer: Customer, number: str = "2001") -> Order:
    """Cancelled because the payment failed, and paid afterwards."""
    order = factories.make_order(customer, number=number)
    facts: dict[str, Any] = {"store": order.store, "order_id": order.pk, "actor": ACTOR, "now": NOW}
    change_order(values={"payment_status": "failed"}, **facts)
    run_job("orders.auto_cancel", NOW)
    return change_order(values={"payment_status": "paid"}, **facts)


def address(order: Order) -> str:
    return reverse("admin:orders_order_reinstate", args=[order.pk])


def page_of(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def fields_of(answer: Any) -> dict[str, str]:
    """The hidden fields, and the status and the choice that are chosen at first."""
    html = answer.content.decode()
    form = html[html.index('class="ri"') :]
    found = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', form))
    found |= dict(re.findall(r'type="radio" name="(deduct)" value="(\w+)" checked', form))
    if chosen := re.search(r'<option value="(\w+)" selected', form):
        found["status"] = chosen[1]
    return found


def send(client: Client, order: Order, deduct: str = "", **values: str) -> Any:
    fields = fields_of(client.get(address(order))) | ({"deduct": deduct} if deduct else {}) | values
    return client.post(address(order), fields)


def fresh(order: Order) -> Order:
    found: Order = Order.objects.for_store(order.store).get(pk=order.pk)
    return found


def has(customer: Customer) -> tuple[Any, Any]:
    return factories.balance("credits", customer, now=NOW), factories.balance("points", customer, now=NOW)


def test_m10_the_status_field_leads_to_the_page_and_saves_nothing(client: Client, order: Order) -> None:
    shown = text_of(client.get(page_of(order)))
    assert f'href="{address(order)}"' in shown

    sent = client.post(page_of(order), {"status": "completed"})

    assert sent.headers["Location"] == f"{address(order)}?status=completed"
    assert fresh(order).status == "cancelled"
    assert fields_of(client.get(sent.headers["Location"]))["status"] == "completed"


def test_m10_the_page_says_what_is_in_the_customers_hands_and_what_each_choice_leads_to(
    client: Client, order: Order
) -> None:
    page = text_of(client.get(address(order)))

    assert "What order 1001 used was returned to Ana Lee." in page
    assert "Deduct all again: 15.00 USD + 100 points" in page
    assert "Store credits: 15.00 USD" in page
    assert "Deduct what is available" not in page
    assert "Reinstate order and deduct 15.00 USD + 100 points" in page
    assert "Reinstate order and deduct nothing" in page
    assert fields_of(client.get(address(order)))["deduct"] == "none"


def test_m10_nothing_is_taken_unless_it_is_chosen(client: Client, order: Order, ana: Customer) -> None:
    answer = send(client, order)

    assert answer.headers["Location"] == page_of(order)
    assert (fresh(order).status, has(ana)) == ("confirmed", (15, 100))
    page = text_of(client.get(page_of(order)))
    assert "Order 1001 is confirmed again. Nothing was deducted." in page
    assert "went back to the customer and were not deducted again" in page
    assert ">Deduct again</a>" in page


def test_x10_deduct_all_and_a_second_cancel_through_the_form(client: Client, order: Order, ana: Customer) -> None:
    send(client, order, status="pending")
    assert "Deduct all again: 15.00 USD + 100 points" in text_of(client.get(address(order)))
    answer = send(client, order, "all")
    assert (answer.status_code, fresh(order).status, has(ana)) == (302, "pending", (0, 0))
    form = text_of(client.get(reverse("admin:orders_order_cancel", args=[order.pk])))
    assert "used 15.00 USD credits and 100 points" in form
    assert "Cancel order and return 15.00 USD + 100 points" in form
    assert "Given, deducted again" in form
    assert "Reverted (" not in form
    assert find_faults(order.store) == []


def test_m10_partly_covered_is_shown_and_asked(client: Client, order: Order, ana: Customer) -> None:
    factories.make_order(ana, credits="7.00", now=NOW)

    page = text_of(client.get(address(order)))

    assert "The balance covers only a part. What is deducted again?" in page
    assert "7.00 USD cannot be deducted" in page
    assert "The customer does not have that much." in page
    assert 'value="all" disabled' in page
    assert "Deduct what is available: 8.00 USD + 100 points" in page
    send(client, order, "available")
    assert (fresh(order).credits_reverted, has(ana)) == (7, (0, 0))


def test_m10_a_balance_that_shrank_meanwhile_does_nothing_and_asks_again(
    client: Client, order: Order, ana: Customer
) -> None:
    fields = fields_of(client.get(address(order))) | {"deduct": "all"}
    factories.make_order(ana, credits="7.00", now=NOW)

    answer = client.post(address(order), fields)

    assert answer.status_code == 409
    assert "balance has become too small" in text_of(answer)
    assert (fresh(order).status, has(ana)) == ("cancelled", (8, 100))


def test_m7_sent_twice_it_is_done_once(client: Client, order: Order, ana: Customer) -> None:
    factories.grant("credits", ana, "50.00", now=NOW)
    fields = fields_of(client.get(address(order))) | {"deduct": "all"}

    answers = [client.post(address(order), fields) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert has(ana) == (50, 0)
    assert "Nothing was changed this time" in text_of(client.get(page_of(order)))


def test_m6_an_order_that_changed_meanwhile_is_shown_again(client: Client, order: Order, ana: Customer) -> None:
    fields = fields_of(client.get(address(order))) | {"deduct": "all"}
    send(client, order, "none")

    answer = client.post(address(order), fields)

    assert answer.status_code == 409
    assert "The order has changed since this was shown." in text_of(answer)
    assert "Deduct 15.00 USD + 100 points again" in text_of(answer)
    assert has(ana) == (15, 100)


@pytest.mark.parametrize("values", [{"deduct": "some"}, {"status": "cancelled"}, {"version": "x"}])
def test_a_form_that_was_tampered_with_does_nothing(client: Client, order: Order, values: dict[str, str]) -> None:
    assert send(client, order, **values).status_code == 422
    assert fresh(order).status == "cancelled"


def test_an_order_without_value_gets_a_plain_confirmation(client: Client, ana: Customer) -> None:
    order = factories.cancel(factories.make_order(ana, number="77"))
    page = text_of(client.get(address(order)))
    assert "has returned nothing to the customer" in page
    assert ">Reinstate order</span>" in page
    assert send(client, order).status_code == 302
    assert "There is nothing to deduct again." in text_of(client.get(address(order)))


def test_t2_a_viewer_sees_no_button_and_is_refused(store: Store, order: Order) -> None:
    viewer, _ = staff(store, Role.VIEWER)
    assert address(order) not in text_of(viewer.get(page_of(order)))
    for answer in (viewer.get(address(order)), viewer.post(address(order), {"status": "confirmed", "deduct": "all"})):
        assert answer.status_code == 403
    refund = reverse("admin:orders_order_refund_later", args=[order.pk])
    assert viewer.post(refund).status_code == 403
    assert fresh(order).status == "cancelled"


def test_t1_an_outsider_finds_nothing(order: Order) -> None:
    outsider, _ = staff(factories.make_store(), Role.OWNER)
    refund = reverse("admin:orders_order_refund_later", args=[order.pk])
    answers = [
        outsider.get(address(order)),
        outsider.post(address(order), {"status": "confirmed", "deduct": "all"}),
        outsider.post(refund),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


def test_e6_late_payments_have_a_list_a_menu_entry_with_a_count_and_choices(
    client: Client, ana: Customer, order: Order
) -> None:
    paid = late(ana)
    view = f"{reverse(LIST)}?paid_after_cancellation=yes"

    page = text_of(client.get(view))

    assert [row.number for row in client.get(view).context["cl"].result_list] == ["2001"]
    assert f'href="{view}"' in page
    assert "Keep cancelled and mark for refund" in page
    assert "Keep cancelled and mark for refund" not in text_of(client.get(reverse(LIST)))
    shown = text_of(client.get(page_of(paid)))
    assert "The payment arrived after this order was cancelled automatically." in shown
    assert address(paid) in shown


def test_e6_keep_cancelled_and_mark_for_refund(client: Client, ana: Customer) -> None:
    paid = late(ana)
    refund = reverse("admin:orders_order_refund_later", args=[paid.pk])
    assert client.get(refund).status_code == 405

    answers = [client.post(refund) for _ in range(2)]

    assert {answer.headers["Location"] for answer in answers} == {page_of(paid)}
    row = fresh(paid)
    assert (row.status, row.refund_marked_at, row.paid_after_cancellation) == ("cancelled", NOW, False)
    shown = text_of(client.get(page_of(paid)))
    assert "is marked for refund" in shown
    assert "Paid after cancellation</h2>" not in shown
    assert "Marked for refund" in shown


def test_e6_the_list_marks_several_and_says_which_it_could_not(client: Client, ana: Customer, order: Order) -> None:
    first, second = late(ana, "2001"), late(ana, "2002")
    view = f"{reverse(LIST)}?paid_after_cancellation=yes"
    chosen = {"action": "keep_cancelled", "_selected_action": [first.pk, second.pk]}

    page = text_of(client.post(view, chosen, follow=True))

    assert page.count("is marked for refund") == 2
    assert [fresh(row).paid_after_cancellation for row in (first, second)] == [False, False]
    refund = reverse("admin:orders_order_refund_later", args=[order.pk])
    assert "Nothing was done" in text_of(client.post(refund, follow=True))


def test_the_lists_action_opens_the_page_of_one_order(client: Client, order: Order, ana: Customer) -> None:
    other = factories.make_order(ana)
    one = client.post(reverse(LIST), {"action": "reinstate_one", "_selected_action": [order.pk]})
    assert one.headers["Location"] == address(order)
    two = client.post(reverse(LIST), {"action": "reinstate_one", "_selected_action": [order.pk, other.pk]}, follow=True)
    assert "Choose exactly one order to reinstate it." in text_of(two)


def test_an_unpaid_order_says_what_becomes_of_it(client: Client, ana: Customer) -> None:
    order = late(ana)
    facts: dict[str, Any] = {"store": order.store, "order_id": order.pk, "actor": ACTOR}
    change_order(values={"payment_status": "expired"}, now=NOW + timedelta(hours=1), **facts)
    assert "The order’s payment has expired." in text_of(client.get(address(order)))
