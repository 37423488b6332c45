"""The page *Earned points*: what happens to points that an order earned when it falls through (C1)."""

from typing import Final

from django import forms

from loyalty.backoffice.setting_cards import CardForm, CardKind
from loyalty.backoffice.setting_pages import SettingsPage


class ClawBackForm(CardForm):
    """Whether earned points are taken back (C1)."""

    claw_back = forms.BooleanField(
        label="Take earned points back when the order is cancelled or refunded",
        required=False,
        help_text="As many points as were given then, whatever is given for such an order today; after a partial "
        "refund in proportion.",
    )
    allow_negative = forms.BooleanField(
        label="Keep what is missing as a debt",
        required=False,
        help_text="When the customer has spent them already, what is missing is settled by the points given next. "
        "Off: it is dropped, and nobody owes points.",
    )
    paths = {"claw_back": ("earned_points", "claw_back"), "allow_negative": ("earned_points", "allow_negative")}


EARNED: Final = SettingsPage(
    "earned",
    "Earned points",
    cards=(CardKind("claw_back", "Points of orders that fall through", ClawBackForm),),
)
