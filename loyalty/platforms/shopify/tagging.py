"""How Shopify tags orders by itself (N1). ``docs/tagging-orders.md`` says the same."""

from typing import Final

from loyalty.platforms.shop_platform import Recipe, TaggingGuide


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


TAGGING: Final = TaggingGuide(
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
)
