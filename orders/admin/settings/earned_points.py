"""The page *Earned points*: what orders earn, and what happens to it when they fall through (C1)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.settings.cards import CardForm, CardKind, Option, OptionField, OptionsField, SwitchForm
from loyalty.backoffice.settings.pages import SettingsPage
from loyalty.languages.own_names import own_words, own_words_lazy
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.models import Store
from orders.admin.settings.tags_field import TagsField
from orders.kinds import show
from orders.services.automation.count_matches import overlap

_EXAMPLE: Final = 100
STATUSES: Final = (
    Option(
        "cancelled",
        gettext_noop("Cancelled"),
        gettext_noop("The order was cancelled, here or on the platform. All of it is taken."),
    ),
    Option(
        "refunded",
        gettext_noop("Refunded"),
        gettext_noop("The payment was given back in full. All that it earned is taken."),
    ),
    Option(
        "partially_refunded",
        gettext_noop("Partially refunded"),
        gettext_noop(
            "A part of the payment was given back. The same share of the points is taken, and more with every refund."
        ),
    ),
)


class EarningForm(CardForm):
    """What an order earns, and when (C1)."""

    points_per_unit = forms.DecimalField(
        label=own_words_lazy("Points for each unit of the order's total"),
        required=False,
        min_value=Decimal("0.0001"),
        max_digits=10,
        decimal_places=4,
        help_text=own_words_lazy(
            "Leave empty if orders earn nothing by themselves. 0.1 means one point for every ten."
        ),
    )
    on_status = OptionField(
        gettext_noop("Awarded once the order is"),
        (
            Option("paid", gettext_noop("Paid"), gettext_noop("as soon as its payment arrives")),
            Option("confirmed", gettext_noop("Confirmed"), gettext_noop("or completed")),
            Option("completed", gettext_noop("Completed"), gettext_noop("when nothing is left to be done")),
        ),
    )
    paths = {"points_per_unit": ("earning", "points_per_unit"), "on_status": ("earning", "on_status")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["points_per_unit"].label = own_words("Points for each %(currency)s of the order's total") % {
            "currency": self.store.currency
        }

    def words(self, name: str, value: Any) -> tuple[str, str]:
        """A rate as it is written; none is *nothing*."""
        if name != "points_per_unit":
            return super().words(name, value)
        if value is None:
            return _("nothing"), ""
        return own_words("%(rate)s points") % {"rate": f"{value.normalize():f}"}, ""


def earning_words(store: Store, settings: StoreSettings, now: datetime) -> str:
    """What an order earns, by an example."""
    rate = settings.earning.points_per_unit
    if rate is None:
        return own_words("Orders earn no points by themselves now.")
    total = show(_EXAMPLE, store.currency, store)
    return _("An order of %(total)s earns %(points)s, once. Orders that came before are left alone.") % {
        "total": total,
        "points": show(int(rate * _EXAMPLE), "", store),
    }


class TakingForm(SwitchForm):
    """Whether earned points are taken back (C1)."""

    done_on = gettext_noop("Earned points are taken back from now on, of every order that changes.")
    done_off = gettext_noop("Earned points are not taken back any more. What was taken stays taken.")

    claw_back = forms.BooleanField(
        label=own_words_lazy("Take earned points back by these rules"),
        required=False,
        help_text=own_words_lazy(
            "As many points as were given then, whatever is given for such an order today. An order that comes back "
            "earns them again. Switched off, the rules stay as they are, and so does what was taken."
        ),
    )
    paths = {"claw_back": ("earned_points", "claw_back")}
    change_labels = {"claw_back": gettext_noop("Earned points are taken back")}


class _TriggersForm(CardForm):
    """A card with tags: one that takes back and keeps is worth a word (N3)."""

    def warnings(self) -> Sequence[str]:
        """One sentence for each tag that is in both lists."""
        words = _("“%(tag)s” is in both lists. Skip tags win: an order with it keeps what it earned.")
        return [words % {"tag": tag} for tag in overlap(self.chosen().earned_points)]


class TriggersForm(_TriggersForm):
    """Of which orders, and what becomes of what is not there any more (C1, N1, N3, N5)."""

    statuses = OptionsField(gettext_noop("Statuses that take earned points back"), STATUSES)
    tags = TagsField(
        gettext_noop("Tags that take earned points back"),
        gettext_noop(
            "A tag takes back by itself, whatever the status; when it is taken off the order, the points are given "
            "again. Capital letters make no difference; spaces and hyphens do."
        ),
    )
    allow_negative = forms.BooleanField(
        label=gettext_lazy("Keep what is missing as a debt"),
        required=False,
        help_text=own_words_lazy(
            "When the customer has spent them already, what is missing is settled by the points given next. Off: "
            "nobody's balance goes below zero."
        ),
    )
    carry_shortfall = forms.BooleanField(
        label=gettext_lazy("Count what is missing against what the customer earns next"),
        required=False,
        help_text=own_words_lazy(
            "Without a debt: the next orders' points settle it first, and nothing else does. Off: it is dropped, and "
            "somebody who earns, spends and cancels in turn keeps points without a purchase."
        ),
    )
    paths = {name: ("earned_points", name) for name in ("statuses", "tags", "allow_negative", "carry_shortfall")}

    def warnings(self) -> Sequence[str]:
        """Also when nothing can ever be taken."""
        rules = self.chosen().earned_points
        nothing = [] if rules.statuses or rules.tags else [_("No status and no tag is chosen: nothing will be taken.")]
        return [*super().warnings(), *nothing]


class KeepingForm(_TriggersForm):
    """What exempts an order (N3)."""

    skip_tags = TagsField(
        gettext_noop("Tags that let the customer keep what the order earned"),
        gettext_noop(
            "They win over every status and tag, also when staff cancel the order. One that arrives later gives again "
            "what had been taken."
        ),
    )
    paths = {"skip_tags": ("earned_points", "skip_tags")}
    change_labels = {"skip_tags": gettext_noop("Earned points: tags that keep them")}


def taking_words(store: Store, settings: StoreSettings, now: datetime) -> str:
    """That saving moves nothing by itself."""
    if not settings.earned_points.claw_back:
        return _("Nothing is taken back now.")
    return _("Saving takes nothing: an order is looked at when it next changes.")


EARNED: Final = SettingsPage(
    "earned",
    gettext_noop("Earned points"),
    cards=(
        CardKind("earning", gettext_noop("What orders earn"), EarningForm, earning_words),
        CardKind("claw_back", gettext_noop("Status"), TakingForm, taking_words),
        CardKind("triggers", gettext_noop("Taking back"), TriggersForm, taking_words),
        CardKind("skip", gettext_noop("Skip taking back"), KeepingForm, taking_words),
    ),
    intro=gettext_noop(
        "Points that an order earned by its purchase, and what happens to them when it is cancelled, refunded or "
        "tagged. What an order used is returned by the rules of the page Spent revert."
    ),
)
