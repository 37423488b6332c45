"""How Shopify tags orders by itself (N1). ``docs/tagging-orders.md`` says the same."""

from typing import Final

from django.utils.translation import gettext_noop

from loyalty.platforms.shop_platform import Recipe, TaggingGuide


def _flow(*searched: str) -> tuple[str, ...]:
    return (
        gettext_noop("In Shopify's admin, install the app Shopify Flow if it is not there, and open it under Apps."),
        gettext_noop("Press “Create workflow”, then “Select a trigger”."),
        *searched,
        gettext_noop("Press “Then”, then “Action”. Search for “Add order tags” and choose it."),
        gettext_noop("Copy a tag from the top of this page into the field “Tags”, letter by letter the same."),
        gettext_noop("Give the workflow a name and press “Turn on workflow”."),
    )


TAGGING: Final = TaggingGuide(
    gettext_noop("Shopify Flow puts tags on orders. Its changes arrive here like any other."),
    (
        Recipe(
            gettext_noop("Tag every cancelled order"), _flow(gettext_noop("Search for “Order canceled” and choose it."))
        ),
        Recipe(
            gettext_noop("Tag every refunded order"),
            _flow(
                gettext_noop("Search for “Refund created” and choose it."),
                gettext_noop(
                    "It starts for partial refunds too. For full ones only, add a condition first: the order's "
                    "financial status is “Refunded”."
                ),
            ),
        ),
    ),
)
