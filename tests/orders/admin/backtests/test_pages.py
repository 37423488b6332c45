"""The page that tries automatic cancelling on the past: prefilled, shown, shared, empty; it writes nothing."""

import re
from collections.abc import Mapping
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from loyalty.journal.models import JournalEntry
from loyalty.store_settings.sections import AutoCancelSettings, StoreSettings
from loyalty.stores.models import Role, Store
from orders.models import Order, OrderStatus
from orders.services.backtests.tally import PER_PAGE
from tests.addresses import reverse
from tests.factories import NOW, grant, make_customer, make_order, make_settings, make_store, make_user

pytestmark = pytest.mark.django_db

TRIED = {
    "days": "90",
    "expired": "cancel_and_revert",
    "payment_window_hours": "24",
    "expired_lots": "all_or_nothing",
    "failed": "cancel_and_revert",
    "failed_grace_minutes": "0",
    "failed_lots": "valid_only",
}


def open_page(store: Store, query: Mapping[str, str] | None = None, role: Role = Role.MANAGER) -> str:
    client = Client()
    client.force_login(make_user((store, role)), backend="django.contrib.auth.backends.ModelBackend")
    with time_machine.travel(NOW, tick=False):
        return client.get(reverse("admin:orders_order_backtest"), query or {}).content.decode()


def test_it_opens_with_the_saved_settings_and_says_what_to_do(store: Store) -> None:
    make_settings(store, StoreSettings(auto_cancel=AutoCancelSettings(payment_window_hours=37, failed="cancel")))
    page = open_page(store)
    assert 'value="37"' in page
    assert '<option value="cancel" selected>Auto cancel only</option>' in page
    assert "Nothing tried yet" in page
    assert "<svg class" not in page


def test_e3_it_shows_figures_a_chart_a_table_and_the_orders(store: Store) -> None:
    customer = make_customer(store, name="Ana <b>Lee")
    grant("credits", customer, "20.00", now=NOW - timedelta(days=9))
    order = make_order(customer, credits="15.00", now=NOW - timedelta(days=5))
    before = JournalEntry.unscoped.count()
    page = open_page(store, TRIED)
    for words in (
        "1 payment expired and 0 payments failed",
        "15.00 USD",
        "1,000.00 USD",
        "The same as a table",
        "Jan 1, 2026",
    ):
        assert words in page
    assert len(re.findall('<rect class="bt-expired"', page)) == 1
    assert 'role="img" aria-labelledby="bt-words"' in page
    assert reverse("admin:orders_order_change", args=[order.pk]) in page
    assert "Ana &lt;b&gt;Lee" in page
    assert Order.unscoped.get(pk=order.pk).status == OrderStatus.PENDING
    assert JournalEntry.unscoped.count() == before


def test_order_settings_lead_here_and_the_menu_says_where_it_belongs(store: Store) -> None:
    client = Client()
    client.force_login(make_user((store, Role.MANAGER)), backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("admin:orders_order_backtest")
    assert f'href="{address}"' in client.get(reverse("admin:stores_settingsversion_orders")).content.decode()
    assert f'href="{reverse("admin:stores_settingsversion_orders")}"' in client.get(address).content.decode()


def test_numbers_of_the_chart_are_written_for_programs_whatever_the_locale(store: Store) -> None:
    make_order(make_customer(store), now=NOW - timedelta(days=5))
    assert re.search(
        r'<rect class="bt-expired" x="[0-9.]+" y="0.0" width="[0-9.]+" height="160.0">', open_page(store, TRIED)
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (TRIED, "No payment expired or failed in these days"),
        (TRIED | {"expired": "off", "failed": "off"}, "Both are off"),
        (TRIED | {"days": "0"}, "greater than or equal to 1"),
        (TRIED | {"days": "366"}, "less than or equal to 365"),
        (TRIED | {"expired": "x"}, "Select a valid choice"),
    ],
)
def test_an_empty_past_and_bad_input_say_what_to_do(store: Store, query: dict[str, str], words: str) -> None:
    assert words in open_page(store, query)


def test_orders_come_in_pages_that_keep_what_was_asked(store: Store) -> None:
    customer = make_customer(store)
    orders = [make_order(customer, now=NOW - timedelta(days=5)) for _ in range(PER_PAGE + 1)]
    first = open_page(store, TRIED)
    assert "page=2#orders" in first
    assert "payment_window_hours=24" in first
    assert f">{orders[0].number}</a>" not in first
    second = open_page(store, TRIED | {"page": "2"})
    assert f">{orders[0].number}</a>" in second
    assert "page=1#orders" in second
    for far in ("999999", "9" * 5000):
        assert "no more orders on this page" in open_page(store, TRIED | {"page": far})


def test_t1_t2_another_stores_orders_and_other_roles_see_nothing(store: Store) -> None:
    order = make_order(make_customer(store), now=NOW - timedelta(days=5))
    assert order.number not in open_page(make_store(), TRIED)
    assert order.number not in open_page(store, TRIED, Role.SUPPORT)
