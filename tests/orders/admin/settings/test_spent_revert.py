"""The page *Spent revert* and its look back: cards, tags, warnings, counts, history (N1, N3, H4)."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from loyalty.store_settings.sections import SpentRevertSettings, StoreSettings, current_settings
from loyalty.stores.models import Role, SettingsVersion, Store
from orders.models import Order
from orders.services.automation.count_matches import matching
from tests import factories
from tests.addresses import reverse
from tests.factories import NOW
from tests.orders.admin.reverts.cases import staff, store_and_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def shop() -> tuple[Store, Client]:
    return store_and_staff(Role.MANAGER)


ADDRESS = "admin:stores_settingsversion_spent_revert"
REVERT = {
    "statuses": ["cancelled"],
    "tags": "",
    "kinds": ["credits", "points"],
    "expired_rule": "valid_only",
    "delay": 0,
}


def send(client: Client, card: str, *, version: int, **values: Any) -> Any:
    return client.post(reverse(ADDRESS), {"card": card, "version": version, **values})


def page(client: Client, **query: str) -> str:
    return str(client.get(reverse(ADDRESS), query).content.decode())


def fell_through(store: Store, **facts: Any) -> Order:
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "10")
    order = factories.make_order(customer, credits="10")
    Order.unscoped.filter(pk=order.pk).update(**({"status": "cancelled", "cancelled_at": NOW} | facts))
    return order


def test_n1_each_card_is_saved_by_itself(shop: tuple[Store, Client]) -> None:
    store, client = shop
    assert send(client, "status", version=0, enabled="on").status_code == 302
    tags = " Refunded-Order \r\n\r\nvip gold\r\nREFUNDED-order\r\n"
    assert send(client, "revert", version=1, **(REVERT | {"tags": tags, "delay": 5})).status_code == 302
    assert send(client, "skip", version=2, skip_tags="exchange-order").status_code == 302
    assert current_settings(store).spent_revert == SpentRevertSettings(
        enabled=True,
        statuses=("cancelled",),
        tags=("Refunded-Order", "vip gold"),
        skip_tags=("exchange-order",),
        delay_minutes=5,
    )
    assert current_settings(store).auto_cancel.expired_lots.rules == "valid_only"
    shown = page(client)
    assert "Refunded-Order\nvip gold</textarea>" in shown
    assert send(client, "status", version=3).status_code == 302
    kept = current_settings(store).spent_revert
    assert (kept.enabled, kept.tags) == (False, ("Refunded-Order", "vip gold"))


def test_n1_the_switch_acts_at_once_and_twice_is_once(shop: tuple[Store, Client]) -> None:
    store, client = shop
    off = page(client)
    assert 'role="switch" aria-checked="false" name="enabled" value="on"' in off
    # Pressed twice, or in a second tab that still shows it off: what it says is what it is to be.
    for _ in range(2):
        shown = client.post(reverse(ADDRESS), {"card": "status", "version": 0, "enabled": "on"}, follow=True)
        assert "Spent revert is on: the rules decide" in shown.content.decode()
        assert 'role="switch" aria-checked="true" name="enabled" value=""' in shown.content.decode()
    settings = current_settings(store)
    assert (settings.version, settings.spent_revert) == (1, SpentRevertSettings(enabled=True))


def test_n1_the_switch_takes_nothing_over_that_was_saved_meanwhile(shop: tuple[Store, Client]) -> None:
    store, client = shop
    send(client, "skip", version=0, skip_tags="keep")
    refused = send(client, "status", version=0, enabled="on", skip_tags="other")
    assert refused.status_code == 200
    words = refused.content.decode()
    assert "Nothing was saved: the settings changed in between" in words
    assert "Press it again" in words
    assert 'aria-checked="false"' in words
    assert current_settings(store).spent_revert == SpentRevertSettings(skip_tags=("keep",))
    assert send(client, "status", version=1, enabled="on", skip_tags="other").status_code == 302
    assert current_settings(store).spent_revert == SpentRevertSettings(enabled=True, skip_tags=("keep",))


def test_n3_a_tag_in_both_lists_is_warned_of_and_saved(shop: tuple[Store, Client]) -> None:
    store, client = shop
    send(client, "skip", version=0, skip_tags="Keep")
    tried = send(client, "revert", version=1, _preview="1", **(REVERT | {"tags": "keep"}))
    assert "“keep” is a trigger tag and a skip tag" in tried.content.decode()
    assert current_settings(store).spent_revert.tags == ()
    assert send(client, "revert", version=1, **(REVERT | {"tags": "keep"})).status_code == 302
    assert page(client).count("“keep” is a trigger tag and a skip tag") == 2


def test_n1_nothing_chosen_is_warned_of(shop: tuple[Store, Client]) -> None:
    _, client = shop
    tried = send(client, "revert", version=0, _preview="1", expired_rule="valid_only", delay=0).content.decode()
    assert "nothing will trigger" in tried
    assert "nothing will return" in tried


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("tags", {"tags": "x" * 256}),
        ("tags", {"tags": "\n".join(map(str, range(101)))}),
        ("delay", {"delay": -1}),
        ("statuses", {"statuses": ["paid"]}),
    ],
)
def test_n1_what_cannot_be_saved_is_named(shop: tuple[Store, Client], field: str, values: dict[str, Any]) -> None:
    store, client = shop
    answer = send(client, "revert", version=0, **(REVERT | values))
    (form,) = (card.form for card in answer.context["cards"] if card.form.errors)
    assert list(form.errors) == [field]
    assert current_settings(store).version == 0


def test_n1_how_many_orders_match_what_is_chosen(shop: tuple[Store, Client]) -> None:
    store, client = shop
    assert "No order with store credits or member points to return matches now" in page(client)
    fell_through(store)
    fell_through(store, tag_keys=["keep"])
    fell_through(store, credits_decision="declined")
    fell_through(store, credits_decision="deferred")
    fell_through(store, status="confirmed", cancelled_at=None, tag_keys=["back"])
    fell_through(factories.make_store())
    assert "2 orders with value to return match now. While the rules are off" in page(client)
    tried = send(client, "skip", version=0, _preview="1", skip_tags="keep").content.decode()
    assert "1 order with value to return matches now" in tried
    tried = send(client, "revert", version=0, _preview="1", **(REVERT | {"tags": "BACK"})).content.decode()
    assert "3 orders with value to return match now" in tried
    send(client, "status", version=0, enabled="on")
    assert "Saving returns nothing" in page(client)


def test_n1_matching_is_one_statement_and_three_at_most_for_its_tags(shop: tuple[Store, Client]) -> None:
    store, _ = shop
    rules = SpentRevertSettings(statuses=("cancelled", "refunded", "partially_refunded"), tags=("a",), skip_tags=("b",))
    order = fell_through(store, payment_status="refunded", tag_keys=["a"])
    with CaptureQueriesContext(connection) as queries:
        assert matching(store, rules) == 1
    assert len(queries) == 4
    Order.unscoped.filter(pk=order.pk).update(is_test=True)
    assert matching(store, rules) == 0
    assert matching(store, SpentRevertSettings(statuses=())) == 0
    assert matching(store, SpentRevertSettings(kinds=())) == 0


def test_h4_history_says_what_changed_and_restores_it(shop: tuple[Store, Client]) -> None:
    store, client = shop
    send(client, "revert", version=0, **(REVERT | {"tags": "back"}))
    send(client, "revert", version=1, **(REVERT | {"tags": "other\nback", "statuses": []}))
    shown = page(client)
    assert "from <em>back</em> to <em>other, back</em>" in shown
    assert "from <em>Cancelled</em> to <em>none</em>" in shown
    first = SettingsVersion.objects.for_store(store).get(version=1)
    client.post(reverse("admin:stores_settingsversion_restore", args=[first.pk, "spent_revert"]), {"version": 2})
    assert current_settings(store).spent_revert.tags == ("back",)


def test_t2_a_viewer_reads_and_changes_nothing(shop: tuple[Store, Client]) -> None:
    store, _ = shop
    factories.make_settings(store, StoreSettings(spent_revert=SpentRevertSettings(tags=("back",))))
    viewer, _ = staff(store, Role.VIEWER)
    shown = page(viewer)
    assert "back" in shown
    assert "data-setting-card" not in shown
    assert send(viewer, "status", version=1, enabled="on").status_code == 403


# --- the look back


def look_back(client: Client, **query: Any) -> str:
    return str(client.get(reverse("admin:orders_order_rules_backtest"), query).content.decode())


TRIED = {"days": 90, "statuses": "refunded", "kinds": ["credits"], "expired_lots": "valid_only", "delay_minutes": 0}


def test_n1_the_look_back_opens_with_the_saved_rules(shop: tuple[Store, Client]) -> None:
    store, client = shop
    factories.make_settings(store, StoreSettings(spent_revert=SpentRevertSettings(tags=("back",), delay_minutes=7)))
    shown = look_back(client)
    assert "back</textarea>" in shown
    assert 'value="7"' in shown
    assert "Nothing tried yet" in shown
    assert "No order would have triggered" in look_back(client, **TRIED)
    assert "Choose a status or a tag" in look_back(client, **(TRIED | {"statuses": []}))


def test_n1_the_look_back_shows_figures_and_orders(shop: tuple[Store, Client]) -> None:
    store, client = shop
    customer = factories.make_customer(store, name="Ana <b>Lee")
    factories.grant("credits", customer, "20")
    factories.make_order(customer, credits="15", number="R-1", payment_status="refunded")
    shown = look_back(client, **(TRIED | {"tags": "keep", "skip_tags": "Keep"}))
    for words in (
        "Orders acted on",
        "1 by status and 0 by tag",
        "15.00 USD",
        "Status refunded",
        "R-1",
        "Ana &lt;b&gt;Lee",
    ):
        assert words in shown
    assert "“keep” is a trigger tag and a skip tag" in shown
    assert "365" in look_back(client, **(TRIED | {"days": 366}))
