"""Staff record what an order used, on its page (O5, O7, O8, T1, T7)."""

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client

from loyalty.journal.models import JournalEntry
from loyalty.store_settings.sections import LimitSettings, StoreSettings
from loyalty.stores.models import Customer, Role, Store
from loyalty.timeline.sentences import sentence
from orders.models import Order
from tests import factories
from tests.addresses import pages_of, reverse
from tests.books import find_faults
from tests.factories import NOW, balance
from tests.orders.admin.reverts.cases import staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def ana(store: Store) -> Customer:
    ana = factories.make_customer(store, name="Ana Lee", email="ana@example.org")
    factories.grant("credits", ana, "50")
    factories.grant("points", ana, 300)
    return ana


def at(order: Order, name: str = "record") -> str:
    return reverse(f"admin:orders_order_{name}", args=[order.pk])


def page(answer: Any) -> str:
    return unescape(re.sub(r"\s+", " ", answer.content.decode()))


def read(order: Order) -> Order:
    found: Order = Order.objects.for_store(order.store).get(pk=order.pk)
    return found


def confirmed(shown: Any) -> dict[str, str]:
    """What the confirming button of a preview, or of the order's card, sends."""
    form = next(form for form in re.findall(r"<form.*?</form>", page(shown)) if "_confirm" in form)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    return {name: value for name, value in fields.items() if name != "csrfmiddlewaretoken"} | {"_confirm": "1"}


def preview(client: Client, order: Order, **fields: str) -> Any:
    return client.post(at(order), {"reason": "Paid at the till", "version": str(order.version), "once": "tab"} | fields)


def holds(ana: Customer) -> tuple[Any, Any]:
    return balance("credits", ana, now=NOW), balance("points", ana, now=NOW)


def test_o5_staff_see_the_balance_preview_and_record_once(store: Store, ana: Customer) -> None:
    order = factories.make_order(ana, number="1001", total=Decimal(100))
    client, _ = staff(store)
    assert "Ana Lee has 50.00 USD." in page(client.get(at(order)))

    shown = preview(client, order, credits="15", points="100")

    assert "15.00 USD and 100 points would be taken" in page(shown)
    assert '<td data-label="Balance after" class="number">35.00 USD</td>' in page(shown)
    assert holds(ana) == (50, 300), "a preview writes nothing"
    fields = confirmed(shown)
    for _ in range(2):
        assert client.post(at(order), fields)["Location"] == at(order, "change")
    assert "nothing was taken twice" in page(client.get(at(order, "change")))
    assert holds(ana) == (35, 200)
    after = read(order)
    assert (after.credits_applied, after.points_applied) == (15, 100)
    entry = JournalEntry.objects.for_store(store).get(order=order, event="order.spent")
    assert sentence(entry, store) == "Recorded by staff: the order used 15.00 USD and 100 points"
    assert entry.remark is not None
    assert entry.remark.reason == "Paid at the till"
    assert find_faults(store) == []


def test_o5_both_or_none_is_taken(store: Store, ana: Customer) -> None:
    order = factories.make_order(ana, total=Decimal(100))
    client, _ = staff(store)

    for amounts, words in (
        ({"credits": "10", "points": "301"}, "does not have 301 points"),
        ({"credits": "100.01"}, "More credits than the order's total"),
        ({"credits": "0.001"}, "decimal"),
        ({"points": "1.5"}, "Points are whole numbers"),
        ({"points": "-5"}, "above zero"),
        ({}, "Say how much"),
    ):
        refused = preview(client, order, _confirm="1", **amounts)
        assert refused.status_code == 422
        assert words in page(refused)

    assert holds(ana) == (50, 300)
    assert read(order).version == order.version


def test_o5_two_tabs_record_once_and_the_second_is_shown_what_changed(store: Store, ana: Customer) -> None:
    order = factories.make_order(ana, total=Decimal(100))
    client, _ = staff(store)
    first, second = (confirmed(preview(client, order, credits="15", once=name)) for name in "ab")

    client.post(at(order), first)
    late = client.post(at(order), second)

    assert holds(ana) == (35, 300)
    assert late.status_code in (409, 422)


def test_o5_what_the_platform_says_was_used_there_is_recorded_by_one_click(store: Store, ana: Customer) -> None:
    order = factories.make_order(ana, platform="shopline", external_id="a1", total=Decimal(80))
    order.platform_data = {"credits_used_there": "20.00", "points_used_there": 100}
    order.save(update_fields=["platform_data"])
    client, _ = staff(store)
    shown = client.get(at(order, "change"))
    assert "SHOPLINE says that this order used 20.00 USD and 100 points there." in page(shown)

    client.post(at(order), confirmed(shown))

    after = read(order)
    assert (after.credits_applied, after.points_applied, after.total) == (20, 100, 100)
    assert holds(ana) == (30, 200)
    assert "Not in this ledger" not in page(client.get(at(order, "change")))


@pytest.mark.parametrize(
    ("platform", "there", "words"),
    [
        ("shopify", {"some_credits_used_there": True}, "Shopify says that this order used store credit (not saying"),
        ("shopline_global", {"points_worth_there": "5.00"}, "used points worth 5.00 USD (not saying how many) there."),
    ],
)
def test_o5_where_it_does_not_say_how_much_a_person_does(
    store: Store, ana: Customer, platform: str, there: dict[str, object], words: str
) -> None:
    order = factories.make_order(ana, platform=platform, external_id="a1", total=Decimal(80))
    order.platform_data = there
    order.save(update_fields=["platform_data"])
    client, _ = staff(store)
    shown = page(client.get(at(order, "change")))
    assert words in shown
    assert "Record what it used…" in shown
    assert words in page(client.get(at(order)))


def test_o8_what_the_total_leaves_out_is_said_by_the_platform(store: Store, ana: Customer) -> None:
    order = factories.make_order(ana, platform="shopify", external_id="a1", total=Decimal(80))
    order.platform_data = {"credits_used_there": "20.00", "points_used_there": 0, "outside_total_there": "0.00"}
    order.save(update_fields=["platform_data"])
    client, _ = staff(store)

    client.post(at(order), confirmed(client.get(at(order, "change"))))

    after = read(order)
    assert (after.credits_applied, after.total) == (20, 80)


def test_o7_an_order_without_a_customer_takes_the_chosen_one(store: Store, ana: Customer) -> None:
    other = factories.make_customer(store, name="Ana Mendes", email="mendes@example.org")
    order = factories.make_order(None, store=store, total=Decimal(100))
    client, _ = staff(store)
    assert "matches that" in page(preview(client, order, credits="5", who="nobody"))
    assert "Pick one" in page(preview(client, order, credits="5", who="Ana"))
    mine = confirmed(preview(client, order, credits="5", who="Ana", customer=str(ana.pk), once="a"))
    theirs = preview(client, order, credits="5", who="Ana", customer=str(other.pk), once="b")
    assert "does not have 5.00 USD" in page(theirs)

    client.post(at(order), mine)

    assert read(order).customer_id == ana.pk
    assert holds(ana) == (45, 300)


def test_o5_a_closed_order_takes_nothing(store: Store, ana: Customer) -> None:
    order = factories.cancel(factories.make_order(ana, total=Decimal(100)))
    client, _ = staff(store)
    assert "is cancelled, so nothing more can be taken" in page(client.get(at(order)))
    assert client.post(at(order), {"credits": "5", "reason": "x", "_confirm": "1"}).status_code == 302
    assert "Record what it used" not in page(client.get(at(order, "change")))
    assert holds(ana) == (50, 300)


def test_t7_what_support_records_counts_against_the_days_limit(store: Store, ana: Customer) -> None:
    factories.make_settings(store, StoreSettings(limits=LimitSettings(support_adjust_credits=Decimal(20))))
    orders = [factories.make_order(ana, total=Decimal(100)) for _ in range(2)]
    client, _ = staff(store)
    client.post(at(orders[0]), confirmed(preview(client, orders[0], credits="15")))

    refused = preview(client, orders[1], credits="6")

    assert refused.status_code == 422
    assert "5.00 USD left today" in page(refused)
    assert holds(ana) == (35, 300)
    manager, _ = staff(store, Role.MANAGER)
    manager.post(at(orders[1]), confirmed(preview(manager, orders[1], credits="6", once="other")))
    assert holds(ana) == (29, 300)


def test_t1_another_stores_orders_and_customers_are_unknown_and_a_viewer_may_not(store: Store, ana: Customer) -> None:
    order = factories.make_order(None, store=store, total=Decimal(100))
    elsewhere = factories.make_store()
    stranger = factories.make_customer(elsewhere, name="Stranger", email="stranger@example.org")
    factories.grant("credits", stranger, "50")
    client, _ = staff(store)
    asked = preview(client, order, credits="5", who="stranger@example.org", customer=str(stranger.pk))
    assert "No customer of this store matches that" in page(asked)
    assert staff(store, Role.VIEWER)[0].get(at(order)).status_code == 403
    with pages_of(elsewhere):
        assert staff(elsewhere)[0].get(at(order)).status_code == 404
