"""What somebody chose on the form that reverses a redemption."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.ledger.planner import UsedLot
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.models import Store
from orders.admin.reverts.cancel_form import CancelForm
from orders.services.redemptions.reverse import ReversalAsk

_INPUT: Final = {"class": "cf-input"}


class ReversalForm(CancelForm):
    """Extend for each expired lot, a reason in one's own words, whether the customer is told, and force."""

    force = forms.BooleanField(
        label=gettext_lazy("Reverse it although the code was used"),
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "cf-check"}),
    )

    def __init__(
        self,
        data: QueryDict | None,
        *,
        lots: Sequence[UsedLot],
        used: bool,
        store: Store,
        settings: StoreSettings,
        now: datetime,
    ) -> None:
        """``lots`` are those that points are to return to; ``used`` says that the code was used."""
        super().__init__(data, used={"credits": (), "points": lots}, store=store, settings=settings, now=now)
        self.fields["reason"] = forms.CharField(
            label=_("Reason"), required=False, max_length=200, widget=forms.TextInput(attrs=_INPUT)
        )
        if not used:
            del self.fields["force"]

    def _completed(self, data: QueryDict | None, settings: StoreSettings) -> dict[str, Any]:
        values = super()._completed(data, settings)
        if data is None:
            values["notify"] = "on" if settings.notify.on_redemption_reversal_default else ""
        # The points always return: there is nothing to tick.
        return values | {"return_points": "on"}

    def ask(self) -> ReversalAsk:
        """What is wanted, of a valid form."""
        chosen = self.cleaned_data
        return ReversalAsk(
            extend_allocations=dict(self.choice().extend_allocations),
            notify_customer=chosen.get("notify", False),
            reason=chosen.get("reason", "").strip(),
            note=chosen.get("note", "").strip(),
            force=chosen.get("force", False),
        )
