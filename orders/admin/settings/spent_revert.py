"""The page *Spent revert*: what returns value by itself when a platform or the API changes an order (N1, N3)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from loyalty.backoffice.badges import count_words
from loyalty.backoffice.settings.cards import CardForm, CardKind, Option, OptionField, OptionsField, SwitchForm
from loyalty.backoffice.settings.pages import PageLink, SettingsPage
from loyalty.languages.own_names import both_names, own_words_lazy
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.settings.automation import ALL_OR_NOTHING
from orders.admin.settings.tags_field import TagsField
from orders.services.automation.count_matches import matching, overlap
from orders.services.automation.upcoming import COUNTED_TO

STATUSES: Final = (
    Option(
        "cancelled",
        gettext_noop("Cancelled"),
        gettext_noop("The order was cancelled on the shop platform. Everything returns."),
    ),
    Option(
        "refunded", gettext_noop("Refunded"), gettext_noop("The payment was given back in full. Everything returns.")
    ),
    Option(
        "partially_refunded",
        gettext_noop("Partially refunded"),
        gettext_noop(
            "A part of the payment was given back. The same share of credits and points returns, and more with every "
            "further refund."
        ),
    ),
)
KINDS: Final = (Option("credits", gettext_noop("Store credits")), Option("points", gettext_noop("Member points")))
EXPIRED: Final = (
    Option(
        "valid_only",
        gettext_noop("Return what is still valid"),
        gettext_noop("Expired parts are left out. Staff can still extend them."),
    ),
    ALL_OR_NOTHING,
)


class _RulesForm(CardForm):
    """A card of this page: wherever tags are chosen, a tag that triggers and exempts is worth a word (N3)."""

    def warnings(self) -> Sequence[str]:
        """One sentence for each tag that is in both lists."""
        words = _(
            "“%(tag)s” is a trigger tag and a skip tag. Skip tags win: an order with it is never returned "
            "automatically."
        )
        return [words % {"tag": tag} for tag in overlap(self.chosen().spent_revert)]


class StatusForm(SwitchForm):
    """Whether the rules are on (N1)."""

    done_on = gettext_noop("Spent revert is on: the rules decide about every order that changes from now on.")
    done_off = gettext_noop(
        "Spent revert is off: nothing returns by the rules. The rules and what was returned stay as they are."
    )

    enabled = forms.BooleanField(
        label=own_words_lazy("Return credits and points by these rules"),
        required=False,
        help_text=gettext_lazy(
            "When an order changes on the shop platform or through the API, the rules below decide at once. Switched "
            "off, the rules stay as they are, and so does what was returned. Skip tags count in any case: they also "
            "stop the returns of automatic cancelling."
        ),
    )
    paths = {"enabled": ("spent_revert", "enabled")}
    change_labels = {"enabled": gettext_noop("Spent-revert rules")}


class RevertForm(_RulesForm):
    """What triggers, and what then returns (N1, N3, N5, E4)."""

    statuses = OptionsField(gettext_noop("Statuses that return what was used"), STATUSES)
    tags = TagsField(
        gettext_noop("Tags that return what was used"),
        gettext_noop(
            "A tag triggers by itself, whatever the status. Capital letters make no difference; spaces and hyphens do."
        ),
    )
    kinds = OptionsField(gettext_noop("What returns"), KINDS)
    expired_rule = OptionField(gettext_noop("When part of what was used has expired"), EXPIRED)
    delay = forms.IntegerField(
        label=gettext_lazy("Minutes to wait"),
        help_text=gettext_lazy(
            "Counted from the last change of the order, so that a skip tag that arrives a little later still counts. "
            "0: no waiting."
        ),
    )
    paths = {
        "statuses": ("spent_revert", "statuses"),
        "tags": ("spent_revert", "tags"),
        "kinds": ("spent_revert", "kinds"),
        "expired_rule": ("auto_cancel", "expired_lots", "rules"),
        "delay": ("spent_revert", "delay_minutes"),
    }
    change_labels = {"expired_rule": gettext_noop("Spent-revert rules: expired value")}

    def warnings(self) -> Sequence[str]:
        """Also when nothing can ever trigger or return."""
        rules = self.chosen().spent_revert
        nothing = [] if rules.statuses or rules.tags else [_("No status and no tag is chosen: nothing will trigger.")]
        neither = _("Neither %(credits)s nor %(points)s are chosen: nothing will return.") % both_names()
        return [*super().warnings(), *nothing, *([] if rules.kinds else [neither])]


class SkipForm(_RulesForm):
    """What exempts an order (N3)."""

    skip_tags = TagsField(
        gettext_noop("Tags that keep an order from automatic returns"),
        gettext_noop(
            "They win over every status and tag, and also stop what automatic cancelling would return; the order is "
            "cancelled all the same. By hand, staff can still return: they are warned first."
        ),
    )
    paths = {"skip_tags": ("spent_revert", "skip_tags")}


def matching_words(store: Store, settings: StoreSettings, now: datetime) -> str:
    """How many orders match now, and that saving returns nothing by itself (N2)."""
    count = matching(store, settings.spent_revert)
    if not count:
        return _("No order with %(credits)s or %(points)s to return matches now.") % both_names()
    words = ngettext(
        "%(count)s order with value to return matches now. While the rules are off, nothing returns.",
        "%(count)s orders with value to return match now. While the rules are off, nothing returns.",
        count,
    )
    if settings.spent_revert.enabled:
        words = ngettext(
            "%(count)s order with value to return matches now. Saving returns nothing: an order is looked at when it "
            "next changes.",
            "%(count)s orders with value to return match now. Saving returns nothing: an order is looked at when it "
            "next changes.",
            count,
        )
    return words % {"count": count_words(count, COUNTED_TO)}


SPENT_REVERT: Final = SettingsPage(
    "spent_revert",
    gettext_noop("Spent revert"),
    cards=(
        CardKind("status", gettext_noop("Status"), StatusForm, matching_words),
        CardKind("revert", gettext_noop("Revert settings"), RevertForm, matching_words),
        CardKind("skip", gettext_noop("Skip revert"), SkipForm, matching_words),
    ),
    intro=gettext_noop(
        "Returns used credits and points by itself when an order is cancelled, refunded or tagged outside this "
        "back-office. What somebody decided by hand always wins, and nothing returns twice."
    ),
    wakes=("orders.evaluate_rules",),
    links=(
        PageLink(gettext_noop("What would have happened"), "admin:orders_order_rules_backtest", Can.CHANGE_SETTINGS),
    ),
)
