"""Pages of settings beside *Order settings*: every section has its place, versions, the way back (H4)."""

from collections import Counter
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from loyalty.backoffice.settings import pages as setting_pages
from loyalty.journal.models import JournalEntry
from loyalty.store_settings.sections import (
    EarnedPointsSettings,
    EarningSettings,
    NotifySettings,
    StoreSettings,
    current_settings,
)
from loyalty.stores.models import Role, SettingsVersion, Store
from orders.admin.settings.admin import PAGES
from orders.models import Revert
from tests import factories
from tests.addresses import reverse
from tests.factories import NOW
from tests.orders.admin.reverts.cases import staff, store_and_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def shop() -> tuple[Store, Client]:
    return store_and_staff(Role.MANAGER)


def address(key: str) -> str:
    return reverse(f"admin:stores_settingsversion_{key}")


def send(client: Client, key: str, card: str, *, version: int, **values: str) -> Any:
    return client.post(address(key), {"card": card, "version": version, **values})


def test_h4_no_setting_is_on_two_pages() -> None:
    places = Counter(path for page in PAGES for card in page.cards for path in card.form.paths.values())
    assert [path for path, count in places.items() if count > 1] == []
    assert {path[0] for path in places} <= {item.name for item in fields(StoreSettings)}


def test_m5_h3_notices_are_saved_card_by_card(shop: tuple[Store, Client]) -> None:
    store, client = shop
    sent = send(client, "notices", "cancels", version=0, on_cancel_default="on", on_automatic="on")
    assert sent.status_code == 302
    assert send(client, "notices", "redemptions", version=1).status_code == 302
    assert current_settings(store).notify == NotifySettings(
        on_cancel_default=True, on_automatic=True, on_redemption_reversal_default=False
    )
    entry = JournalEntry.objects.for_store(store).order_by("-id")[0]
    assert entry.data["changed"] == ["notify.on_redemption_reversal_default"]
    assert send(client, "notices", "reminder", version=2, days_before="7").status_code == 302
    assert current_settings(store).reminders.days_before == 7
    assert send(client, "notices", "reminder", version=3, days_before="").status_code == 302
    assert current_settings(store).reminders.days_before is None
    wrong = send(client, "notices", "reminder", version=4, days_before="366")
    (form,) = (card.form for card in wrong.context["cards"] if card.form.errors)
    assert "days_before" in form.errors


def test_h4_restoring_a_page_leaves_the_others_alone(shop: tuple[Store, Client]) -> None:
    store, client = shop
    send(client, "notices", "cancels", version=0, on_automatic="on")
    send(client, "orders", "window", version=1, window="24")
    send(client, "notices", "cancels", version=2)
    old = SettingsVersion.objects.for_store(store).get(version=1)
    client.post(reverse("admin:stores_settingsversion_restore", args=[old.pk, "notices"]), {"version": 3})
    settings = current_settings(store)
    assert (settings.version, settings.notify.on_automatic) == (4, True)
    assert settings.auto_cancel.payment_window_hours == 24
    unknown = reverse("admin:stores_settingsversion_restore", args=[old.pk, "nothing"])
    assert client.post(unknown, {"version": 4}).status_code == 404


def test_h4_what_an_old_version_says_and_today_refuses_is_not_restored(shop: tuple[Store, Client]) -> None:
    store, client = shop
    SettingsVersion.unscoped.create(
        store=store, version=1, data={"auto_cancel": {"payment_window_hours": 999_999}}, actor="user:1", created_at=NOW
    )
    send(client, "orders", "window", version=1, window="24")
    old = SettingsVersion.objects.for_store(store).get(version=1)
    restore = reverse("admin:stores_settingsversion_restore", args=[old.pk, "orders"])
    page = client.post(restore, {"version": 2}, follow=True).content.decode()
    assert "Nothing was restored" in page
    assert current_settings(store).auto_cancel.payment_window_hours == 24


def test_h4_a_version_says_who_when_what_changed_and_all_that_governed(shop: tuple[Store, Client]) -> None:
    store, client = shop
    send(client, "orders", "window", version=0, window="24")
    send(client, "notices", "cancels", version=1, on_automatic="on")
    versions = {row.version: row for row in SettingsVersion.objects.for_store(store)}
    viewer, _ = staff(store, Role.VIEWER)
    first = viewer.get(reverse("admin:stores_settingsversion_change", args=[versions[1].pk]))
    ((page, changes),) = first.context["changed"]
    assert (page.key, changes) == ("orders", [("Hours to pay after the order was placed", "none", "24")])
    assert first.context["replaced"] == versions[2]
    second = viewer.get(reverse("admin:stores_settingsversion_change", args=[versions[2].pk]))
    assert [page.key for page, _ in second.context["changed"]] == ["notices"]
    said = {page.key: {name: value for name, value, _ in lines} for page, lines in second.context["says"]}
    assert said["orders"]["Hours to pay after the order was placed"] == "24"
    assert said["notices"]["Tell the customer after an automatic cancel"] == "Yes"
    assert "in force" in second.content.decode()


def test_h4_a_revert_names_the_version_that_governed_it(shop: tuple[Store, Client]) -> None:
    store, client = shop
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "10.00")
    first = factories.make_order(customer, credits="5.00")
    factories.cancel_and_return(first)
    send(client, "orders", "window", version=0, window="24")
    second = factories.make_order(customer, credits="5.00")
    factories.cancel_and_return(second)
    pages = [
        client.get(reverse("admin:orders_revert_change", args=[revert.pk])).content.decode()
        for revert in Revert.objects.for_store(store).order_by("pk")
    ]
    version = SettingsVersion.objects.for_store(store).get()
    assert "nothing had been changed yet" in pages[0]
    assert reverse("admin:stores_settingsversion_change", args=[version.pk]) in pages[1]


def test_h4_older_versions_are_a_page_away(shop: tuple[Store, Client], monkeypatch: pytest.MonkeyPatch) -> None:
    _, client = shop
    monkeypatch.setattr(setting_pages, "VERSIONS_SHOWN", 2)
    for version in range(3):
        send(client, "orders", "window", version=version, window=str(24 + version))
    first = client.get(address("orders"))
    assert [row["version"] for row in first.context["history"]] == [3, 2]
    assert "?before=2" in first.content.decode()
    older = client.get(address("orders") + "?before=2")
    assert [row["version"] for row in older.context["history"]] == [1]
    assert older.context["older"] is None
    assert "Restore version 1" in older.content.decode()
    nonsense = client.get(address("orders") + "?before=x").context["history"]
    assert [row["version"] for row in nonsense] == [3, 2]


def test_t2_read_only_roles_see_everything_and_press_nothing(shop: tuple[Store, Client]) -> None:
    store = shop[0]
    for role in (Role.SUPPORT, Role.VIEWER):
        client, _ = staff(store, role)
        for page in PAGES:
            shown = client.get(address(page.key)).content.decode()
            for card in page.cards:
                assert card.title in shown
                sent = client.post(address(page.key), {"card": card.key, "version": 0})
                assert sent.status_code == 403
            assert ">Save<" not in shown
    assert current_settings(store).version == 0


def sentence(answer: Any, key: str) -> str:
    return str(next(card.sentence for card in answer.context["cards"] if card.key == key))


SCHEME = {"scheme": "days", "days": "30", "month": "3", "day": "31"}


def test_h4_every_section_of_the_contract_has_its_page() -> None:
    shown = {path[:2] for page in PAGES for card in page.cards for path in card.form.paths.values()}
    wanted = {
        (section.name, item.name)
        for section in fields(StoreSettings)
        if section.name != "version"
        for item in fields(getattr(StoreSettings(), section.name))
    }
    assert shown >= wanted


@pytest.mark.parametrize(
    ("scheme", "words"),
    [
        ({"scheme": "never"}, "never expire"),
        ({"scheme": "days", "days": "30"}, "expire at the end of February 4, 2026"),
        ({"scheme": "yearly", "month": "3", "day": "31"}, "expire at the end of March 31, 2027"),
        ({"scheme": "yearly", "month": "2", "day": "29"}, "expire at the end of February 28, 2027"),
    ],
)
def test_l7_an_example_says_when_points_given_today_expire(
    shop: tuple[Store, Client], scheme: dict[str, str], words: str
) -> None:
    store, client = shop
    looked = send(client, "expiry", "points", version=0, _preview="1", **(SCHEME | scheme))
    assert words in sentence(looked, "points")
    assert current_settings(store).version == 0
    assert send(client, "expiry", "points", version=0, **(SCHEME | scheme)).status_code == 302
    assert words in sentence(client.get(address("expiry")), "points")


def test_l7_a_day_that_the_month_does_not_have_is_named_beside_its_field(shop: tuple[Store, Client]) -> None:
    store, client = shop
    answer = send(client, "expiry", "points", version=0, scheme="yearly", days="30", month="2", day="30")
    (form,) = (card.form for card in answer.context["cards"] if card.form.errors)
    assert form.errors["day"] == ["The month has no such day."]
    assert current_settings(store).version == 0


def test_m3_extension_is_saved_and_more_than_the_most_is_refused(shop: tuple[Store, Client]) -> None:
    store, client = shop
    first = client.get(address("expiry"))
    assert "until February 4, 2026, and until January 5, 2027 at most" in sentence(first, "extend")
    wrong = send(client, "expiry", "extend", version=0, default_days="91", max_days="90")
    (form,) = (card.form for card in wrong.context["cards"] if card.form.errors)
    assert form.errors["default_days"] == ["The default is more than the maximum."]
    assert send(client, "expiry", "extend", version=0, default_days="90", max_days="90").status_code == 302
    assert (current_settings(store).extend.default_days, current_settings(store).extend.max_days) == (90, 90)
    changes = client.get(address("expiry")).context["history"][0]["changes"]
    assert changes == [
        ("Extension: days that the form suggests", "30", "90"),
        ("Extension: days at most", "365", "90"),
    ]


def test_l6_limits_are_saved_and_empty_means_not_at_all(shop: tuple[Store, Client]) -> None:
    store, client = shop
    assert "This store has no Support staff" in sentence(client.get(address("limits")), "adjust")
    staff(store, Role.SUPPORT)
    sent = send(client, "limits", "adjust", version=0, support_adjust_credits="250.50", support_adjust_points="")
    assert sent.status_code == 302
    limits = current_settings(store).limits
    assert (str(limits.support_adjust_credits), limits.support_adjust_points) == ("250.50", None)
    page = client.get(address("limits"))
    assert sentence(page, "adjust").startswith("1 person works here as support.")
    assert page.context["history"][0]["changes"] == [
        ("Store credits in USD that each support person may give and remove in a day", "100.00 USD", "250.50 USD"),
        ("Member points that each support person may give and remove in a day", "1,000 points", "not at all"),
    ]
    for amount in ("0.001", "-1", "x", "1234567890123"):
        wrong = send(client, "limits", "adjust", version=1, support_adjust_credits=amount, support_adjust_points="1")
        (form,) = (card.form for card in wrong.context["cards"] if card.form.errors)
        assert list(form.errors) == ["support_adjust_credits"]
    assert current_settings(store).version == 1


def test_m11_the_period_for_undoing_says_how_many_returns_it_covers(shop: tuple[Store, Client]) -> None:
    store, client = shop
    assert "nothing to undo now" in sentence(client.get(address("limits")), "undo")
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "10.00")
    factories.cancel_and_return(factories.make_order(customer, credits="5.00"))
    assert sentence(client.get(address("limits")), "undo").startswith("1 return since ")
    never = send(client, "limits", "undo", version=0, undo_hours="0", _preview="1")
    assert sentence(never, "undo") == "No return can be undone."
    assert send(client, "limits", "undo", version=0, undo_hours="24").status_code == 302
    assert current_settings(store).limits.undo_hours == 24


def test_c1_earned_points_are_saved(shop: tuple[Store, Client]) -> None:
    store, client = shop
    assert send(client, "earned", "claw_back", version=0, claw_back="on").status_code == 302
    earned = current_settings(store).earned_points
    assert (earned.claw_back, earned.allow_negative) == (True, False)
    both = {"statuses": ["refunded"], "tags": "Back\nexchange", "carry_shortfall": "on"}
    answer = client.post(address("earned"), {"card": "triggers", "version": 1} | both)
    assert answer.status_code == 302
    assert send(client, "earned", "skip", version=2, skip_tags="Exchange").status_code == 302
    assert current_settings(store).earned_points == EarnedPointsSettings(
        claw_back=True, statuses=("refunded",), tags=("Back", "exchange"), skip_tags=("Exchange",)
    )
    page = client.get(address("earned")).content.decode()
    assert page.count("“exchange” is in both lists. Skip tags win") == 2
    assert 'role="switch" aria-checked="true" name="claw_back"' in page
    looked = client.post(address("earned"), {"card": "triggers", "version": 3, "_preview": "1"})
    assert "nothing will be taken" in looked.content.decode()
    send(client, "earned", "claw_back", version=3)
    assert "Nothing is taken back now." in client.get(address("earned")).content.decode()


def test_h3_the_messages_can_be_read_before_they_are_sent(shop: tuple[Store, Client]) -> None:
    store, client = shop
    cards = {card.key: card for card in client.get(address("notices")).context["cards"]}
    texts = [sample.text for sample in (*cards["cancels"].samples, *cards["reminder"].samples)]
    assert len(texts) == 3
    assert all("Ana Lee" in text and store.name in text and "5.00 USD" in text for text in texts)
    assert "because it was not paid in time" in texts[1]
    send(client, "notices", "reminder", version=0, days_before="3")
    cards = {card.key: card for card in client.get(address("notices")).context["cards"]}
    assert "January 8, 2026" in cards["reminder"].samples[0].text


def test_c1_what_orders_earn_is_said_by_an_example(shop: tuple[Store, Client]) -> None:
    store, client = shop
    assert "Orders earn no points by themselves now." in client.get(address("earned")).content.decode()
    sent = send(client, "earned", "earning", version=0, points_per_unit="0.1", on_status="paid")
    assert sent.status_code == 302
    page = client.get(address("earned")).content.decode()
    assert "earns 10 points, once." in page
    assert current_settings(store).earning == EarningSettings(Decimal("0.1"), "paid")
    send(client, "earned", "earning", version=1, points_per_unit="", on_status="completed")
    assert current_settings(store).earning == EarningSettings()


def test_h3_names_of_credits_and_points_are_saved_for_each_language(shop: tuple[Store, Client]) -> None:
    store, client = shop
    saved = send(client, "words_de", "names", version=0, credits="Einkaufsgeld", points="Taler", point=" Taler ")
    assert saved.status_code == 302
    words = current_settings(store).words
    assert (words.de.credits, words.de.points, words.de.point) == ("Einkaufsgeld", "Taler", "Taler")
    assert words.en.credits == ""

    history = client.get(address("words_de")).context["history"]
    assert ("Name of store credits", "ours", "Einkaufsgeld") in history[0]["changes"]
    assert client.get(address("words_ja")).context["history"] == []

    refused = send(client, "words_de", "names", version=1, credits="Geld\u202edleG")
    assert "A name is one line of text." in refused.content.decode()
    assert current_settings(store).version == 1
