"""The card about what the shop platform is told (O6)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.settings.cards import CardForm, CardKind
from loyalty.core.phrases import listed
from loyalty.core.tags import tag_key
from loyalty.languages.own_names import own_words_lazy
from loyalty.platforms.models import PlatformConnection
from loyalty.platforms.registry import LABELS
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.models import Store

_TITLE: Final = gettext_noop("Tell the shop platform")


class WriteBackForm(CardForm):
    """A tag on orders whose value came back, and cancels."""

    tag = forms.CharField(
        label=own_words_lazy("Tag to put on an order on the platform when credits or points come back"),
        required=False,
        min_length=3,
        max_length=40,
        help_text=gettext_lazy(
            "For example credits-reverted. 3 to 40 characters without a comma. Leave empty to put none. WooCommerce "
            "gets it in the field that holds its tags, or as a note for the staff."
        ),
    )
    cancel_orders = forms.BooleanField(
        label=gettext_lazy("Cancel the order on the platform too"),
        required=False,
        help_text=own_words_lazy(
            "A cancel made here, by hand or automatically, is repeated there. The platform is asked to refund nothing, "
            "to return no credits or points unless you say so below, and not to write to the customer. Off: an order "
            "that is cancelled here stays open there until somebody cancels it there."
        ),
    )
    return_credits_there = forms.BooleanField(
        label=gettext_lazy("Have SHOPLINE return its own credits with that cancel"),
        required=False,
        help_text=gettext_lazy(
            "What the order used of the credits that SHOPLINE keeps. Off: SHOPLINE is told to return none, whatever "
            "its own setting says. What staff recorded here as used there comes back from here alone."
        ),
    )
    return_points_there = forms.BooleanField(
        label=gettext_lazy("Have SHOPLINE return its own points with that cancel"),
        required=False,
        help_text=gettext_lazy("The same for the member points that SHOPLINE keeps."),
    )
    paths = {
        "tag": ("write_back", "tag"),
        "cancel_orders": ("write_back", "cancel_orders"),
        "return_credits_there": ("write_back", "return_credits_there"),
        "return_points_there": ("write_back", "return_points_there"),
    }

    def patch(self) -> dict[str, Any]:
        """No tag is null."""
        patch = super().patch()
        patch["write_back"]["tag"] = patch["write_back"]["tag"] or None
        return patch

    def warnings(self) -> Sequence[str]:
        """A tag that also exempts orders keeps what is left of them; without a cancel there nothing returns there."""
        settings = self.chosen()
        wanted, said = settings.write_back, []
        tag = wanted.tag
        if tag and tag_key(tag) in {tag_key(skip) for skip in settings.spent_revert.skip_tags}:
            said.append(
                _("“%(tag)s” is also a skip tag: once it is on an order, nothing more of it returns automatically.")
                % {"tag": tag}
            )
        if (wanted.return_credits_there or wanted.return_points_there) and not wanted.cancel_orders:
            said.append(_("SHOPLINE returns its own only together with a cancel, and it is not told of cancels."))
        return said


def _connected(store: Store, _settings: StoreSettings, _now: datetime) -> str:
    connections = PlatformConnection.objects.for_store(store).filter(enabled=True, uninstalled_at__isnull=True)
    names = [LABELS[platform] for platform in connections.order_by("platform").values_list("platform", flat=True)]
    if not names:
        return _("This store is not connected to a shop platform, so nobody would be told.")
    return _("Orders from %(platforms)s would be reported to the platform.") % {"platforms": listed(names)}


WRITE_BACK: Final = CardKind("platform", _TITLE, WriteBackForm, _connected)
