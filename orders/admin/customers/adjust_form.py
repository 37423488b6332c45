"""The form that gives or removes credits or points by hand (L6)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.forms import OnceForm, first_time
from loyalty.backoffice.lists.filters import DayField
from loyalty.core.days import end_of_day, local_day
from loyalty.core.errors import Invalid
from loyalty.core.phrases import sentences
from loyalty.languages.own_names import own_words, own_words_lazy
from loyalty.ledger.adjust import Adjustment, adjust
from loyalty.ledger.adjust_notice import Change, tell
from loyalty.ledger.ledger import Kind, currency_for
from loyalty.ledger.planner import Amount, InsufficientBalance
from loyalty.ledger.staff_limits import Adjuster, check_within_limit, lock_left_today, note_adjusted, words_of_left
from loyalty.notices.models import Notice
from loyalty.store_settings.sections import StoreSettings, current_settings
from loyalty.stores.active_store import acting, acting_user, active_store, role_of
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Store
from orders.admin.amounts import checked_amount
from orders.kinds import LEDGERS, show
from points.expiry_scheme import scheme_last_day


def notify_field() -> forms.BooleanField:
    """The box that has the customer told, ticked beforehand where the store wants that."""
    words = gettext_lazy("An e-mail says what was given or removed, until when, and what there is now, but not why.")
    return forms.BooleanField(label=gettext_lazy("Notify the customer"), required=False, help_text=words)


class AdjustForm(OnceForm):
    """What to give or remove, until when, and why."""

    direction = forms.ChoiceField(
        label=gettext_lazy("What to do"), choices=[("give", gettext_lazy("Give")), ("remove", gettext_lazy("Remove"))]
    )
    amount = forms.DecimalField(label=gettext_lazy("Amount"), localize=False)
    expires_on = DayField(
        label=gettext_lazy("Last day of use"),
        required=False,
        help_text=own_words_lazy(
            "For a gift. Left empty, credits never expire and points expire by the store's scheme."
        ),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("The customer's history shows it to staff."),
    )
    note = forms.CharField(
        label=gettext_lazy("Staff note"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Never shown to the customer."),
    )
    notify = notify_field()

    def __init__(
        self, *args: Any, kind: Kind, store: Store, now: datetime, left: Amount | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kind, self.store, self.now = kind, store, now
        self.currency = currency_for(kind, store.currency)
        units = _("In %(currency)s.") % {"currency": store.currency} if self.currency else own_words("Whole points.")
        self.fields["amount"].help_text = sentences([units, "" if left is None else words_of_left(kind, left, store)])
        self.fields["amount"].widget.attrs = {
            "inputmode": "decimal" if self.currency else "numeric",
            "min": "0",
            "step": "any",
        }

    def clean_amount(self) -> Amount:
        """A positive amount in the currency's own units; whole points."""
        return checked_amount(self.cleaned_data["amount"], self.currency)

    def clean_expires_on(self) -> date | None:
        """A day that is not over yet."""
        day: date | None = self.cleaned_data["expires_on"]
        if day and day < local_day(self.now, self.store.tz):
            raise forms.ValidationError(_("This day is over already."))
        return day

    @property
    def gives(self) -> bool:
        """Whether value is given rather than removed."""
        return bool(self.cleaned_data["direction"] == "give")


def adjuster_of(request: HttpRequest, settings: StoreSettings) -> Adjuster:
    """The signed-in person, as the limits know him."""
    return Adjuster(active_store(request), acting_user(request), role_of(request), settings.limits)


@transaction.atomic
def carry_out(form: AdjustForm, *, request: HttpRequest, customer: Customer, now: datetime) -> str:
    """Carry out a valid form once; answers a sentence for the person who sent it.

    Raises AboveLimit and InsufficientBalance at ``/amount``; then nothing is written, and the form can be sent again.
    """
    store, data = active_store(request), form.cleaned_data
    shown = show(data["amount"], form.currency, store)
    if not first_time(data["once"], store=store, now=now):
        words = _("%(amount)s was removed already. Nothing was changed this time.")
        if form.gives:
            words = _("%(amount)s was given already. Nothing was changed this time.")
        return words % {"amount": shown}
    settings = current_settings(store)
    adjuster = adjuster_of(request, settings)
    left = lock_left_today(form.kind, adjuster, now=now)
    check_within_limit(form.kind, data["amount"], currency=form.currency, adjuster=adjuster, left=left)
    last_day = data["expires_on"]
    if form.kind == "points" and form.gives and last_day is None:
        last_day = scheme_last_day(settings.points_expiry, awarded=local_day(now, store.tz))
    adjustment = Adjustment(
        amount=data["amount"] if form.gives else -data["amount"],
        reason=data["reason"],
        note=data["note"],
        currency=form.currency,
        expires_at=end_of_day(last_day, store.tz) if last_day and form.gives else None,
    )
    try:
        posted = adjust(
            LEDGERS[form.kind],
            store=store,
            customer_id=customer.pk,
            adjustment=adjustment,
            act=Act(acting(request), Trigger.ADMIN, now),
        )
    except InsufficientBalance as error:
        raise Invalid.at("/amount", error.detail) from error
    note_adjusted(form.kind, data["amount"], adjuster, now=now)
    words = _("%(amount)s given to %(customer)s.") if form.gives else _("%(amount)s removed from %(customer)s.")
    done = words % {"amount": shown, "customer": customer}
    if not data["notify"]:
        return done
    change = Change.of(customer, adjustment, posted)
    told = tell(form.kind, [change], store=store, actor=acting(request), now=now)
    return sentences([done, _told_words(customer, told)])


def _told_words(customer: Customer, told: Sequence[Notice]) -> str:
    if not told:
        return _("Nobody was told: %(customer)s has no e-mail address.") % {"customer": customer}
    return _("The message to %(email)s is on its way.") % {"email": told[0].to_email}
