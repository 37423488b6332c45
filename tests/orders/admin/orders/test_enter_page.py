"""Staff enter an order (O2, O5, O7, R7, T1, T7)."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client

from loyalty.journal.models import JournalEntry
from loyalty.store_settings.sections import EarningSettings, LimitSettings, StoreSettings
from loyalty.stores.models import Customer, Role, Store
from orders.models import Order
from tests import factories
from tests.addresses import reverse
from tests.books import find_faults
from tests.factories import NOW, balance
from tests.orders.admin.reverts.cases import staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]
PLAIN = {"number": "T-1", "total": "100", "currency": "usd", "status": "confirmed", "payment": "paid"}


@pytest.fixture
def store() -> Store:
    return factories.make_store(locale="en-GB")


@pytest.fixture
def ana(store: Store) -> Customer:
    ana = factories.make_customer(store, name="Ana Lee", email="ana@example.org")
    factories.grant("credits", ana, "50")
    factories.grant("points", ana, 300)
    return ana


def send(client: Client, **fields: str) -> Any:
    return client.post(reverse("admin:orders_order_add"), PLAIN | {"once": "tab"} | fields)


def page(answer: Any) -> str:
    return unescape(re.sub(r"\s+", " ", answer.content.decode()))


def confirmed(shown: Any) -> dict[str, str]:
    """What the confirming button of a preview sends."""
    form = next(
        form for form in re.findall(r"<form.*?</form>", shown.content.decode(), re.DOTALL) if "_confirm" in form
    )
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', unescape(form))
    return {name: value for name, value in fields if name != "csrfmiddlewaretoken"} | {"_confirm": "1"}


def entered(store: Store) -> list[Order]:
    return list(Order.objects.for_store(store).order_by("pk"))


def test_o2_staff_enter_an_order_with_what_it_used_once(store: Store, ana: Customer) -> None:
    client, _ = staff(store)
    fields = {
        "who": "ana@example.org",
        "credits": "15",
        "points": "100",
        "tags": "vip\nTill",
        "note": "Paid at the till",
    }
    found = page(send(client, who="ana@example.org", number="", _find="1"))
    assert "Ana Lee has 50.00 USD." in found
    assert "This field is required" not in found

    shown = send(client, **fields)

    assert "15.00 USD and 100 points would be taken" in page(shown)
    assert '<td data-label="Balance after" class="number">35.00 USD</td>' in page(shown)
    assert (entered(store), balance("credits", ana, now=NOW)) == ([], 50), "a preview writes nothing"
    for _ in range(2):
        done = client.post(reverse("admin:orders_order_add"), confirmed(shown), follow=True)
        assert done.redirect_chain[-1][0] == reverse("admin:orders_order_change", args=[entered(store)[0].pk])
    assert "Nothing was changed this time" in page(done)
    (order,) = entered(store)
    assert (order.number, order.platform, order.customer, order.total) == ("T-1", "staff", ana, 100)
    assert (order.credits_applied, order.points_applied, order.tags) == (15, 100, ["vip", "Till"])
    assert (order.status, order.payment_status, order.currency) == ("confirmed", "paid", "USD")
    assert (balance("credits", ana, now=NOW), balance("points", ana, now=NOW)) == (35, 200)
    assert "Recorded by staff" in page(client.get(done.redirect_chain[-1][0] + "?tab=used"))
    assert find_faults(store) == []


def test_o2_a_guests_order_keeps_its_note_and_when_it_is_due(store: Store) -> None:
    client, _ = staff(store)
    shown = send(client, payment="pending", due="2026-01-07T18:30", placed="2026-01-04T09:00", note="By telephone")
    assert "7 Jan 2026, 18:30" in page(shown)
    assert "Guest" in page(shown)

    client.post(reverse("admin:orders_order_add"), confirmed(shown))

    (order,) = entered(store)
    assert order.customer is None
    assert order.payment_due_at == datetime(2026, 1, 7, 18, 30, tzinfo=store.tz)
    assert order.placed_at == datetime(2026, 1, 4, 9, tzinfo=store.tz)
    entry = JournalEntry.objects.for_store(store).get(order=order, event="order.created")
    assert entry.remark is not None
    assert entry.remark.reason == "By telephone"


def test_o2_what_is_wrong_is_said_at_its_field_and_nothing_is_written(store: Store, ana: Customer) -> None:
    client, _ = staff(store)
    code = {"codes": "NOPE-1"}
    who = {"who": "ana@example.org", "note": "x"}
    for fields, field, words in (
        ({"number": ""}, "number", "required"),
        ({"total": "-1"}, "total", "0 or more"),
        ({"total": "1.005"}, "total", "finer than the smallest amount"),
        ({"currency": "XYZ"}, "currency", "not a currency code"),
        ({"who": "nobody"}, "who", "No customer of this store"),
        ({"who": "ana@example.org", "new_email": "x@example.org"}, "new_email", "not both"),
        ({"new_name": "Bo"}, "new_email", "needs an e-mail"),
        ({"points": "5", "note": "x"}, "who", "Say whose"),
        ({"points": "5", "who": "ana@example.org"}, "note", "Say why store credits"),
        ({"points": "301"} | who, "points", "does not have 301 points: the balance is 300 points"),
        ({"credits": "100.01", "total": "100"} | who, "credits", "More credits than the order's total"),
        ({"credits": "5", "currency": "EUR"} | who, "credits", "does not have 5.00 EUR: the balance is 0.00 EUR"),
        ({"placed": "2026-02-01T10:00"}, "placed", "now or earlier"),
        ({"due": "1999-01-01T10:00"}, "due", "Moments from"),
        ({"payment": "refunded"}, "payment", "not one of the available choices"),
        ({"status": "cancelled"}, "status", "not one of the available choices"),
        (code, "codes", "has not issued the code “NOPE-1”"),
    ):
        refused = send(client, **({"once": "x", "_confirm": "1"} | fields))
        assert refused.status_code == 422, fields
        assert any(words in error for error in refused.context["form"].errors[field]), refused.context["form"].errors
    assert entered(store) == []
    assert (balance("credits", ana, now=NOW), balance("points", ana, now=NOW)) == (50, 300)
    assert Customer.objects.for_store(store).count() == 1


def test_o2_a_number_that_is_there_is_not_entered_again(store: Store, ana: Customer) -> None:
    client, _ = staff(store)
    from_shop = factories.make_order(ana, number="T-1", platform="shopify", external_id="9")
    first, second = (confirmed(send(client, once=name)) for name in "ab")
    warned = page(send(client))
    assert f'<a class="cell-link" href="{reverse("admin:orders_order_change", args=[from_shop.pk])}">' in warned
    assert "already, from Shopify." in warned

    client.post(reverse("admin:orders_order_add"), first)
    refused = client.post(reverse("admin:orders_order_add"), second)

    assert refused.context["form"].errors["number"] == ["Order T-1 is here already."]
    assert [order.platform for order in entered(store)] == ["shopify", "staff"]


def test_o7_a_customer_is_made_or_found_by_the_address(store: Store, ana: Customer) -> None:
    client, _ = staff(store)
    new = send(client, new_email="bo@example.org", new_name="Bo Diaz")
    assert "Bo Diaz (bo@example.org), a new customer" in page(new)
    client.post(reverse("admin:orders_order_add"), confirmed(new))
    known = send(client, number="T-2", once="b", new_email="ANA@example.org", new_name="Anna", points="50", note="x")
    assert "50 points would be taken" in page(known)
    client.post(reverse("admin:orders_order_add"), confirmed(known))

    first, second = entered(store)
    assert first.customer is not None
    assert (first.customer.name, second.customer) == ("Bo Diaz", ana)


def test_o7_whoever_was_shown_is_taken_from_and_nobody_else(store: Store, ana: Customer) -> None:
    client, _ = staff(store)
    sent = confirmed(send(client, who="Ana", points="50", note="x"))
    Customer.unscoped.filter(pk=ana.pk).update(name="Bo", email="bo@example.org")
    factories.grant("points", factories.make_customer(store, name="Ana Mendes"), 90)

    refused = client.post(reverse("admin:orders_order_add"), sent)

    assert refused.context["form"].errors["who"] == ["Somebody else matches that now. Look again."]
    assert entered(store) == []
    corrected = {name: value for name, value in sent.items() if name != "_confirm"} | {"who": "bo@example.org"}
    assert "Bo has 300 points." in page(client.post(reverse("admin:orders_order_add"), corrected))


def test_r7_an_order_entered_with_a_code_used_its_points(store: Store, ana: Customer) -> None:
    factories.grant("points", ana, 500)
    redemption = factories.make_redemption(ana, factories.make_reward(store))
    client, _ = staff(store)
    shown = send(client, codes=(redemption.code or "").lower())
    assert f"{redemption.code}: 500 points" in page(shown)

    client.post(reverse("admin:orders_order_add"), confirmed(shown))

    (order,) = entered(store)
    assert (order.points_applied, order.customer) == (500, ana)
    assert factories.redemption_of(redemption.pk).state == "used"
    factories.cancel(order)
    assert balance("points", ana, now=NOW) == 800
    assert find_faults(store) == []


@pytest.mark.parametrize(("role", "earned"), [(Role.SUPPORT, 0), (Role.MANAGER, 100)])
def test_t7_limits_hold_and_a_person_with_limits_earns_nothing_by_it(
    store: Store, ana: Customer, role: Role, earned: int
) -> None:
    limits = LimitSettings(support_adjust_credits=Decimal(20), support_adjust_points=100)
    factories.make_settings(
        store, StoreSettings(limits=limits, earning=EarningSettings(points_per_unit=Decimal(1), on_status="paid"))
    )
    client, _ = staff(store, role)
    for number, once in (("T-1", "a"), ("T-2", "b")):
        send(client, number=number, once=once, _confirm="1", who="ana@example.org", credits="15", note="x")

    orders = entered(store)

    assert len(orders) == (2 if earned else 1)
    assert orders[0].points_earned == earned
    over = send(client, number="T-3", who="ana@example.org", points="101", note="x")
    assert over.status_code == (200 if earned else 422)


def test_t1_another_stores_people_and_orders_are_unknown(store: Store, ana: Customer) -> None:
    other, (client, _) = factories.make_store(), staff(store)
    theirs = factories.make_customer(other, name="Zoe", email="zoe@example.org")
    factories.make_order(theirs, number="T-1", platform="staff")
    assert "No customer of this store matches that" in page(send(client, who="zoe@example.org"))
    shown = send(client)
    assert "is here already" not in page(shown)
    assert "There is an" not in page(shown)
    client.post(reverse("admin:orders_order_add"), confirmed(shown))
    assert [order.number for order in entered(store)] == ["T-1"]
    assert timedelta(0) == entered(store)[0].placed_at - NOW
