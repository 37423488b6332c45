"""How SHOPLINE in Asia tags orders by itself (N1). ``docs/tagging-orders.md`` says the same."""

from typing import Final

from django.utils.translation import gettext_noop

from loyalty.platforms.shop_platform import Recipe, TaggingGuide

TAGGING: Final = TaggingGuide(
    gettext_noop(
        "SHOPLINE's orders have tags, 3 to 40 characters long and at most 10 an order. No automation "
        "that sets them is published: staff put them on, or a program does through SHOPLINE's Open "
        "API."
    ),
    (
        Recipe(
            gettext_noop("By hand"),
            (
                gettext_noop("In SHOPLINE's admin, open the order."),
                gettext_noop("Add a tag copied from the top of this page to the order's tags, and save."),
            ),
        ),
    ),
)
