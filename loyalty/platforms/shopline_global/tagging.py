"""How SHOPLINE Global tags orders by itself (N1). ``docs/tagging-orders.md`` says the same."""

from typing import Final

from loyalty.platforms.shop_platform import Recipe, TaggingGuide

TAGGING: Final = TaggingGuide(
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
)
