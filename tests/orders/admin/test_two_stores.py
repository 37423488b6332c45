"""One person, two stores, two tabs: a form acts in the store it was opened in (X17, T5)."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from loyalty.accounts.models import Invitation
from loyalty.store_settings.sections import current_settings
from loyalty.stores.models import ApiKey, Role, SettingsVersion, Store
from loyalty.web.addresses import page_of
from orders.models import Order, SavedView
from tests.factories import make_store, make_user

pytestmark = pytest.mark.django_db
NOTICES = {"card": "cancels", "version": "0", "on_automatic": "on"}
LIMITS = {"card": "adjust", "version": "0", "support_adjust_credits": "250.50", "support_adjust_points": "7"}
ORDER = {"number": "T-1", "total": "9", "currency": "USD", "status": "confirmed", "payment": "paid", "_confirm": "1"}


def two_stores(*, operator: bool = False) -> tuple[Store, Store, Client]:
    """Stores that sell in USD and in EUR, and somebody who works in both, the second one last."""
    first, second = make_store(currency="USD"), make_store(currency="EUR")
    user = make_user(is_superuser=True) if operator else make_user((first, Role.OWNER), (second, Role.OWNER))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return first, second, client


def choose(client: Client, store: Store) -> None:
    client.get(page_of(store, "admin:index"))
    assert client.get("/admin/").headers["Location"] == page_of(store, "admin:index")


@pytest.mark.parametrize("operator", [False, True])
def test_x17_limits_change_in_the_store_whose_form_was_sent(operator: bool) -> None:
    first, second, client = two_stores(operator=operator)
    form = page_of(first, "admin:stores_settingsversion_limits")
    client.get(form)
    choose(client, second)
    sent = client.post(form, LIMITS)
    assert sent.headers["Location"].startswith(page_of(first, "admin:index"))
    assert current_settings(first).limits.support_adjust_credits == Decimal("250.50")
    assert not SettingsVersion.objects.for_store(second).exists()


@pytest.mark.parametrize(
    ("name", "query", "fields", "model"),
    [
        ("stores_settingsversion_limits", "", LIMITS, SettingsVersion),
        ("stores_settingsversion_notices", "", NOTICES, SettingsVersion),
        ("stores_settingsversion_orders", "", {"card": "window", "version": "0", "window": "24"}, SettingsVersion),
        ("stores_apikey_add", "", {"name": "Shop", "scopes": ["orders:read"], "once": "a" * 32}, ApiKey),
        ("stores_membership_add", "", {"email": "new@example.org", "role": "support"}, Invitation),
        ("orders_order_keep_view", "?tags=x", {"name": "Mine"}, SavedView),
        ("orders_order_add", "", ORDER, Order),
    ],
)
def test_x17_what_is_made_belongs_to_the_store_in_the_address(
    name: str, query: str, fields: dict[str, Any], model: Any
) -> None:
    first, second, client = two_stores()
    choose(client, second)
    client.post(page_of(first, f"admin:{name}") + query, fields)
    assert (model.objects.for_store(first).count(), model.objects.for_store(second).count()) == (1, 0)
