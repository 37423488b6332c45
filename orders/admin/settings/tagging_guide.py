"""How to have a shop platform tag orders by itself, with the store's own tags to copy (N1, N3).

``docs/tagging-orders.md`` says the same to who reads it outside of a store.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from loyalty.backoffice.base import BackOfficeAdmin, store_view
from loyalty.platforms.models import Platform, PlatformConnection
from loyalty.platforms.registry import LABELS
from loyalty.store_settings.sections import StoreSettings, current_settings
from loyalty.stores.active import active_store
from loyalty.stores.models import Store
from loyalty.stores.roles import Can

ADDRESS: Final = "admin:stores_settingsversion_tagging"
TITLE: Final = "Have the shop platform tag orders by itself"
INTRO: Final = (
    "Cancels and refunds arrive by themselves: for every cancelled order, choose a status and no tag.",
    "Tags are for what a status does not say: a refund for one reason only, or an exchange that returns nothing.",
    "A tag counts as soon as the platform tells of it, also on an order that was cancelled long before.",
    "If the platform tags an order a moment after it cancels it, set “Minutes to wait”: a skip tag then comes in time.",
)
EXAMPLE_TAG: Final = "refunded-order"
_FIELD: Final = "_order_tags"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One workflow, step by step; ``code`` is for whoever looks after the shop's programs."""

    title: str
    steps: Sequence[str]
    code: str = ""


@dataclass(frozen=True, slots=True)
class Guide:
    """What one platform can do."""

    platform: Platform
    words: str
    recipes: Sequence[Recipe]


def _flow(trigger: str, *conditions: str) -> tuple[str, ...]:
    return (
        "In Shopify's admin, install the app Shopify Flow if it is not there, and open it under Apps.",
        "Press “Create workflow”, then “Select a trigger”.",
        f"Search for “{trigger}” and choose it.",
        *conditions,
        "Press “Then”, then “Action”. Search for “Add order tags” and choose it.",
        "Copy a tag from the top of this page into the field “Tags”, letter by letter the same.",
        "Give the workflow a name and press “Turn on workflow”.",
    )


_SNIPPET: Final = """\
add_action( 'woocommerce_order_status_cancelled', 'loyalty_tag_order' );
add_action( 'woocommerce_order_status_refunded', 'loyalty_tag_order' );
function loyalty_tag_order( $order_id ) {
    $order = wc_get_order( $order_id );
    $order->add_meta_data( '%(field)s', '%(tag)s' );
    $order->save();
}
"""

GUIDES: Final = (
    Guide(
        Platform.SHOPIFY,
        "Shopify Flow puts tags on orders. Its changes arrive here like any other.",
        (
            Recipe("Tag every cancelled order", _flow("Order canceled")),
            Recipe(
                "Tag every refunded order",
                _flow(
                    "Refund created",
                    "It starts for partial refunds too. For full ones only, add a condition first: the order's "
                    "financial status is “Refunded”.",
                ),
            ),
        ),
    ),
    Guide(
        Platform.WOOCOMMERCE,
        "WooCommerce has no order tags. They are read from the field that the platform connection names under “Field "
        "that holds the order's tags”: a meta field of the order, with one tag, or several between commas.",
        (
            Recipe(
                "With the extension AutomateWoo",
                (
                    f"On the page “Platform connection”, name the field that holds the tags, for example {_FIELD}.",
                    "In WordPress, open AutomateWoo and add a workflow.",
                    "Choose the trigger “Order Cancelled”, or “Order Refunded”.",
                    "Add an action that updates a custom field of the order: its key is the field's name.",
                    "Its value is a tag copied from the top of this page.",
                    "Set the workflow to active and save it.",
                ),
            ),
            Recipe(
                "Without an extension",
                (
                    f"On the page “Platform connection”, name the field that holds the tags, for example {_FIELD}.",
                    "Have whoever looks after the shop add these lines to functions.php, or to a plugin of its own.",
                ),
                code=_SNIPPET,
            ),
        ),
    ),
    Guide(
        Platform.SHOPLINE,
        "SHOPLINE's orders have tags, 3 to 40 characters long and at most 10 an order. No automation that sets them is "
        "published: staff put them on, or a program does through SHOPLINE's Open API.",
        (
            Recipe(
                "By hand",
                (
                    "In SHOPLINE's admin, open the order.",
                    "Add a tag copied from the top of this page to the order's tags, and save.",
                ),
            ),
        ),
    ),
    Guide(
        Platform.SHOPLINE_GLOBAL,
        "SHOPLINE's app Flow runs workflows of a trigger, conditions and actions, made from its templates.",
        (
            Recipe(
                "With the app Flow",
                (
                    "In SHOPLINE's admin, open the app store, install Flow and open it.",
                    "Choose a template that starts with an order's cancel or refund, and install it.",
                    "If there is none, SHOPLINE's customer service adds one on request.",
                    "Choose the action that adds a tag to the order, and enter a tag copied from the top of this page.",
                    "Switch the workflow on.",
                ),
            ),
        ),
    ),
)


@store_view(needs=Can.VIEW, methods=("GET",))
def guide_page(admin: BackOfficeAdmin, request: HttpRequest, _row: None) -> HttpResponse:
    """``admin:stores_settingsversion_tagging``: the store's tags to copy, and each platform's steps, its own first."""
    store = active_store(request)
    settings = current_settings(store)
    connected = _connected(store)
    tags = tags_in_use(settings)
    field = next((name for name in connected.values() if name), _FIELD)
    filled = {"field": _in_php(field), "tag": _in_php(tags[0][1][0] if tags else EXAMPLE_TAG)}
    context: dict[str, Any] = {
        **admin.admin_site.each_context(request),
        "title": TITLE,
        "content_title": TITLE,
        "intro": INTRO,
        "tags": tags,
        "guides": [
            _shown(guide, connected, filled) for guide in sorted(GUIDES, key=lambda one: one.platform not in connected)
        ],
    }
    return TemplateResponse(request, "orders/admin/settings/tagging_guide.html", context)


def tags_in_use(settings: StoreSettings) -> list[tuple[str, Sequence[str]]]:
    """The tags that the store's settings name, by what they do; without those that do nothing."""
    spent, earned = settings.spent_revert, settings.earned_points
    named = [
        ("Return what was used", spent.tags),
        ("Keep an order from automatic returns", spent.skip_tags),
        ("Take earned points back", earned.tags),
        ("Let the customer keep earned points", earned.skip_tags),
    ]
    return [(words, tags) for words, tags in named if tags]


def _shown(guide: Guide, connected: Collection[str], filled: Mapping[str, str]) -> dict[str, Any]:
    is_connected = guide.platform in connected
    return {
        "label": LABELS[guide.platform],
        "words": guide.words,
        "recipes": [replace(recipe, code=recipe.code % filled) for recipe in guide.recipes],
        "is_connected": is_connected,
        "is_open": is_connected or not connected,
    }


def _in_php(text: str) -> str:
    """Text as it stands between PHP's single quotes."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _connected(store: Store) -> dict[str, str]:
    """The platforms that the store is connected to, with the field that holds an order's tags there."""
    connections = PlatformConnection.objects.for_store(store).filter(enabled=True)
    return dict(connections.values_list("platform", "tag_meta_key"))
