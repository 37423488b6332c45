"""How SHOPLINE Global tags orders by itself (N1). ``docs/tagging-orders.md`` says the same."""

from typing import Final

from django.utils.translation import gettext_noop

from loyalty.platforms.shop_platform import Recipe, TaggingGuide

TAGGING: Final = TaggingGuide(
    gettext_noop("SHOPLINE's app Flow runs workflows: a trigger, conditions and actions, made from its templates."),
    (
        Recipe(
            gettext_noop("With the app Flow"),
            (
                gettext_noop("In SHOPLINE's admin, open the app store, install Flow and open it."),
                gettext_noop("Choose a template that starts with an order's cancel or refund, and install it."),
                gettext_noop("If there is none, SHOPLINE's customer service adds one on request."),
                gettext_noop(
                    "Choose the action that adds a tag to the order, and enter a tag copied from the top of this page."
                ),
                gettext_noop("Switch the workflow on."),
            ),
        ),
    ),
)
