"""How SHOPLINE in Asia tags orders by itself (N1). ``docs/tagging-orders.md`` says the same."""

from typing import Final

from loyalty.platforms.shop_platform import Recipe, TaggingGuide

TAGGING: Final = TaggingGuide(
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
)
