"""The page *Order settings*: plain words, counts before saving, versions, and two people at once (E2, H4)."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from loyalty.journal.models import JournalEntry
from loyalty.store_settings.sections import AutoCancelSettings, SpentRevertSettings, StoreSettings, current_settings
from loyalty.stores.models import Role, SettingsVersion, Store
from orders.admin.settings.automation import affected_words
from orders.services.automation import upcoming
from orders.services.automation.upcoming import Affected
from tests import factories
from tests.addresses import pages_of, reverse
from tests.factories import NOW
from tests.orders.admin.reverts.cases import staff, store_and_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]
PAGE = "admin:stores_settingsversion_orders"
EXPIRED = {"card": "expired", "expired": "cancel_and_revert", "expired_rule": "all_or_nothing"}


@pytest.fixture
def shop() -> tuple[Store, Client]:
    return store_and_staff(Role.MANAGER)


def send(client: Client, fields: dict[str, Any], *, version: int = 0, **more: str) -> Any:
    return client.post(reverse(PAGE), fields | {"version": version} | more)


def sentence(answer: Any, key: str) -> str:
    return str(next(card.sentence for card in answer.context["cards"] if card.key == key))


def place(store: Store, *, credits: str = "0", **fields: Any) -> None:
    customer = factories.make_customer(store)
    if credits != "0":
        factories.grant("credits", customer, credits)
    factories.make_order(customer, credits=credits, now=NOW, **fields)


def test_e2_the_options_are_in_the_articles_words(shop: tuple[Store, Client]) -> None:
    page = shop[1].get(reverse(PAGE)).content.decode()
    for words in (
        "Auto cancel orders with expired payment status",
        "Auto cancel only",
        "Auto cancel order and return credits &amp; points with original expiry date",
        "Auto cancel orders with failed payment status",
        "All or nothing",
        "Nothing has been changed yet",
    ):
        assert words in page


def test_e2_e4_f1_each_card_saves_its_own_part(shop: tuple[Store, Client]) -> None:
    store, client = shop
    assert send(client, EXPIRED | {"expired_rule": "valid_only"}).status_code == 302
    failed = {"card": "failed", "failed": "cancel", "failed_rule": "all_or_nothing", "failed_grace": "30"}
    assert send(client, failed, version=1).status_code == 302
    assert send(client, {"card": "window", "window": "72"}, version=2).status_code == 302
    settings = current_settings(store)
    auto = settings.auto_cancel
    assert (auto.expired, auto.failed, auto.failed_grace_minutes, auto.payment_window_hours) == (
        "cancel_and_revert",
        "cancel",
        30,
        72,
    )
    assert (auto.expired_lots.payment_expired, auto.expired_lots.payment_failed) == ("valid_only", "all_or_nothing")
    assert settings.version == 3
    assert send(client, {"card": "window", "window": ""}, version=3).status_code == 302
    assert current_settings(store).auto_cancel.payment_window_hours is None
    entry = JournalEntry.objects.for_store(store).order_by("-id")[0]
    assert entry.data["changed"] == ["auto_cancel.payment_window_hours"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        (EXPIRED | {"expired": "maybe"}, "expired"),
        ({"card": "window", "window": "0"}, "window"),
        ({"card": "window", "window": "8761"}, "window"),
        ({"card": "failed", "failed": "off", "failed_rule": "valid_only", "failed_grace": ""}, "failed_grace"),
    ],
)
def test_a_wrong_value_is_named_beside_its_field(shop: tuple[Store, Client], fields: Any, field: str) -> None:
    answer = send(shop[1], fields)
    assert answer.status_code == 200
    (form,) = (card.form for card in answer.context["cards"] if card.form.errors)
    assert field in form.errors
    assert not SettingsVersion.objects.for_store(shop[0]).exists()


def test_what_a_choice_would_cancel_is_said_before_it_is_saved(shop: tuple[Store, Client]) -> None:
    store, client = shop
    place(store, payment_status="expired", credits="5.00")
    place(store, payment_due_at=NOW)
    place(store, placed_at=NOW - timedelta(hours=24))
    place(store, payment_status="failed", credits="5.00")
    place(factories.make_store(), payment_status="expired", credits="5.00")
    first = client.get(reverse(PAGE))
    assert sentence(first, "expired") == "No order would be cancelled now."
    assert sentence(first, "failed") == "1 order would be cancelled now, 1 with store credits or member points."
    shown = send(client, EXPIRED, _preview="1")
    assert sentence(shown, "expired") == "2 orders would be cancelled now, 1 with store credits or member points."
    assert not SettingsVersion.objects.for_store(store).exists()
    window = {"card": "window", "window": "24"}
    assert sentence(send(client, window, _preview="1"), "window") == "No order would be cancelled now."
    off = {"card": "failed", "failed": "off", "failed_rule": "valid_only", "failed_grace": "0"}
    assert sentence(send(client, off, _preview="1"), "failed") == "No order would be cancelled now."
    send(client, EXPIRED)
    shown = send(client, window, version=1, _preview="1")
    assert sentence(shown, "window") == "2 orders would be cancelled now, none with store credits or member points."
    grace = off | {"failed": "cancel", "failed_grace": "1"}
    assert sentence(send(client, grace, _preview="1"), "failed") == "No order would be cancelled now."


def test_counts_are_bounded(shop: tuple[Store, Client], monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = shop
    for _ in range(4):
        place(store, payment_status="failed", credits="5.00")
    monkeypatch.setattr(upcoming, "COUNTED_TO", 2)
    assert upcoming.would_cancel_failed(store, StoreSettings(), NOW) == Affected(3, 3)


@pytest.mark.parametrize(
    ("affected", "words"),
    [
        (Affected(), "No order would be cancelled now."),
        (Affected(1, 0), "1 order would be cancelled now, none with store credits or member points."),
        (Affected(10_000, 10_000), "10,000 orders would be cancelled now, 10,000 with store credits or member points."),
        (
            Affected(10_001, 12),
            "More than 10,000 orders would be cancelled now, at least 12 with store credits or member points.",
        ),
        (
            Affected(10_001, 10_001),
            "More than 10,000 orders would be cancelled now, more than 10,000 with store credits or member points.",
        ),
    ],
)
def test_counts_in_words(affected: Affected, words: str) -> None:
    assert affected_words(affected) == words


def test_h4_somebody_saved_in_between(shop: tuple[Store, Client]) -> None:
    store, client = shop
    other, person = staff(store, Role.OWNER)
    send(other, {"card": "window", "window": "72"})
    stale = send(client, EXPIRED)
    assert stale.status_code == 200
    page = stale.content.decode()
    assert "Nothing was saved: the settings changed in between" in page
    assert str(person) in page
    assert "from “none” to “72”" in page
    assert current_settings(store).auto_cancel.expired == "off"
    assert '<input type="hidden" name="version" value="0">' not in page
    assert send(client, EXPIRED, version=1).status_code == 302
    assert current_settings(store).auto_cancel == AutoCancelSettings(
        payment_window_hours=72, expired="cancel_and_revert"
    )


def test_h4_counting_does_not_forget_what_the_page_was_made_from(shop: tuple[Store, Client]) -> None:
    store, client = shop
    send(staff(store, Role.OWNER)[0], {"card": "window", "window": "72"})
    looked = send(client, EXPIRED, _preview="1").content.decode()
    assert '<input type="hidden" name="version" value="0">' in looked


def test_h4_history_and_restore(shop: tuple[Store, Client]) -> None:
    store, client = shop
    factories.make_settings(store, StoreSettings(spent_revert=SpentRevertSettings(skip_tags=("exchange",))))
    send(client, EXPIRED, version=1)
    send(client, {"card": "window", "window": "48"}, version=2)
    history = client.get(reverse(PAGE)).context["history"]
    assert [row["version"] for row in history] == [3, 2]
    assert history[0]["changes"] == [("Hours to pay after the order was placed", "none", "48")]
    old = SettingsVersion.objects.for_store(store).get(version=2)
    address = reverse("admin:stores_settingsversion_restore", args=[old.pk, "orders"])
    assert client.get(address).status_code == 405
    client.post(address, {"version": 2})
    assert current_settings(store).version == 3
    client.post(address, {"version": 3})
    settings = current_settings(store)
    assert (settings.version, settings.auto_cancel.payment_window_hours) == (4, None)
    assert settings.auto_cancel.expired == "cancel_and_revert"
    assert settings.spent_revert.skip_tags == ("exchange",)


def test_t2_who_may_not_change_them_reads_them(shop: tuple[Store, Client]) -> None:
    store = shop[0]
    send(shop[1], EXPIRED)
    version = SettingsVersion.objects.for_store(store).get()
    for role in (Role.SUPPORT, Role.VIEWER):
        client, _ = staff(store, role)
        page = client.get(reverse(PAGE)).content.decode()
        assert "Auto cancel order and return credits &amp; points" in page
        assert "data-setting-card" not in page
        assert "Restore version" not in page
        assert send(client, EXPIRED | {"expired": "off"}, version=1).status_code == 403
        restore = reverse("admin:stores_settingsversion_restore", args=[version.pk, "orders"])
        assert client.post(restore, {"version": 1}).status_code == 403
    assert current_settings(store).auto_cancel.expired == "cancel_and_revert"


def test_t1_an_outsider_neither_sees_nor_restores(shop: tuple[Store, Client]) -> None:
    send(shop[1], EXPIRED)
    version = SettingsVersion.objects.for_store(shop[0]).get()
    outsider_store, outsider = store_and_staff(Role.OWNER)
    with pages_of(outsider_store):
        assert outsider.get(reverse(PAGE)).context["history"] == []
        for name, more in (("restore", ["orders"]), ("change", [])):
            address = reverse(f"admin:stores_settingsversion_{name}", args=[version.pk, *more])
            assert outsider.post(address, {"version": 0}).status_code == 404
        assert outsider.get(reverse("admin:stores_settingsversion_changelist")).status_code == 302
    assert current_settings(outsider_store).version == 0
