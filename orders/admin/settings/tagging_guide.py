"""How to have a shop platform tag orders by itself, with the store's own tags to copy (N1, N3).

``docs/tagging-orders.md`` says the same to who reads it outside of a store.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.core.phrases import sentences
from loyalty.languages.own_names import own_words
from loyalty.platforms.models import PlatformConnection
from loyalty.platforms.registry import LABELS, PLATFORMS
from loyalty.platforms.shop_platform import Recipe, TaggingGuide
from loyalty.store_settings.sections import StoreSettings, current_settings
from loyalty.stores.active_store import active_store
from loyalty.stores.models import Store
from loyalty.stores.roles import Can

ADDRESS: Final = "admin:stores_settingsversion_tagging"
TITLE: Final = gettext_noop("Have the shop platform tag orders by itself")
INTRO: Final = (
    gettext_noop("Cancels and refunds arrive by themselves: for every cancelled order, choose a status and no tag."),
    gettext_noop(
        "Tags are for what a status does not say: a refund for one reason only, or an exchange that returns nothing."
    ),
    gettext_noop("A tag counts as soon as the platform tells of it, also on an order that was cancelled long before."),
    gettext_noop(
        "If the platform tags an order a moment after it cancels it, set “Minutes to wait”: a skip tag then comes in "
        "time."
    ),
)
EXAMPLE_TAG: Final = "refunded-order"
GUIDES: Final = {key: platform.tagging for key, platform in PLATFORMS.items() if platform.tagging}


@store_view(needs=Can.VIEW, methods=("GET",))
def guide_page(admin: BackOfficeAdmin, request: HttpRequest, _row: None) -> HttpResponse:
    """``admin:stores_settingsversion_tagging``: the store's tags to copy, and each platform's steps, its own first."""
    store = active_store(request)
    settings = current_settings(store)
    connected = _connected(store)
    tags = tags_in_use(settings)
    tag = tags[0][1][0] if tags else EXAMPLE_TAG
    context: dict[str, Any] = {
        **admin.admin_site.each_context(request),
        "title": _(TITLE),
        "content_title": _(TITLE),
        "intro": sentences(_(words) for words in INTRO),
        "tags": tags,
        "guides": [
            _shown(platform, GUIDES[platform], connected, tag)
            for platform in sorted(GUIDES, key=lambda one: one not in connected)
        ],
    }
    return TemplateResponse(request, "orders/admin/settings/tagging_guide.html", context)


def tags_in_use(settings: StoreSettings) -> list[tuple[str, Sequence[str]]]:
    """The tags that the store's settings name, by what they do; without those that do nothing."""
    spent, earned = settings.spent_revert, settings.earned_points
    named = [
        (_("Return what was used"), spent.tags),
        (_("Keep an order from automatic returns"), spent.skip_tags),
        (own_words("Take earned points back"), earned.tags),
        (own_words("Let the customer keep earned points"), earned.skip_tags),
    ]
    return [(words, tags) for words, tags in named if tags]


def _shown(platform: str, guide: TaggingGuide, connected: Mapping[str, str], tag: str) -> dict[str, Any]:
    is_connected = platform in connected
    filled = {"field": _in_php(connected.get(platform) or guide.example_field), "tag": _in_php(tag)}
    return {
        "label": LABELS[platform],
        "words": _(guide.words),
        "recipes": [_recipe(recipe, filled) for recipe in guide.recipes],
        "is_connected": is_connected,
        "is_open": is_connected or not connected,
    }


def _recipe(recipe: Recipe, filled: Mapping[str, str]) -> Recipe:
    return replace(recipe, title=_(recipe.title), steps=[_(step) for step in recipe.steps], code=recipe.code % filled)


def _in_php(text: str) -> str:
    """Text as it stands between PHP's single quotes."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _connected(store: Store) -> dict[str, str]:
    """The platforms that the store is connected to, with the field that holds an order's tags there."""
    connections = PlatformConnection.objects.for_store(store).filter(enabled=True)
    return dict(connections.values_list("platform", "tag_meta_key"))
