"""The guide that has a platform tag orders by itself: the tags of the store, its platform first; the docs too (N1)."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from loyalty.platforms.connections.connect import Credentials, connect
from loyalty.store_settings.sections import SpentRevertSettings, StoreSettings
from loyalty.stores.models import Role
from orders.admin.settings.tagging_guide import ADDRESS, GUIDES, INTRO
from tests import factories
from tests.addresses import reverse
from tests.factories import ACTOR, NOW
from tests.orders.admin.reverts.cases import staff, store_and_staff


@pytest.mark.django_db
def test_n1_the_guide_shows_the_store_s_tags_and_its_platform_first() -> None:
    store, client = store_and_staff(Role.MANAGER)
    page = reverse("admin:stores_settingsversion_spent_revert")
    assert client.get(page).content.decode().count(f'href="{reverse(ADDRESS)}"') == 2

    def shown() -> tuple[Any, str]:
        answer = staff(store, Role.VIEWER)[0].get(reverse(ADDRESS))
        return answer.context["guides"], answer.content.decode()

    guides, words = shown()
    assert "No tag is chosen yet" in words
    assert all(guide["is_open"] for guide in guides)
    rules = SpentRevertSettings(tags=("it's <back>",), skip_tags=("exchange",))
    factories.make_settings(store, StoreSettings(spent_revert=rules))
    given = Credentials(base_url="https://shop.example", tag_meta_key="_labels")
    connect(store=store, platform="woocommerce", given=given, actor=ACTOR, now=NOW)
    guides, words = shown()
    assert [(guide["label"], guide["is_open"]) for guide in guides][:2] == [("WooCommerce", True), ("Shopify", False)]
    assert "it&#x27;s &lt;back&gt;</code>" in words
    assert "exchange</code>" in words
    assert guides[0]["recipes"][1].code.splitlines()[4] == r"    $order->add_meta_data( '_labels', 'it\'s <back>' );"


def test_n1_the_docs_say_what_the_guide_says() -> None:
    text = " ".join((Path(django_settings.BASE_DIR) / "docs" / "tagging-orders.md").read_text().split())
    recipes = [recipe for guide in GUIDES.values() for recipe in guide.recipes]
    said = [*INTRO, *(guide.words for guide in GUIDES.values()), *(step for recipe in recipes for step in recipe.steps)]
    assert [words for words in said if " ".join(words.split()) not in text] == []
