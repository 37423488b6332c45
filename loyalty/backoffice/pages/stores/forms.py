"""Forms about stores and API keys."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.forms import OnceForm
from loyalty.backoffice.lists.filters import DayField
from loyalty.core.days import local_day
from loyalty.core.locales import is_locale
from loyalty.core.money import is_currency
from loyalty.stores.keys import ALL_SCOPES, Scope
from loyalty.stores.models import Store


class StoreForm(forms.ModelForm):  # type: ignore[type-arg]
    """A store, as operators open and change it."""

    class Meta:
        model = Store
        fields = ("name", "slug", "currency", "time_zone", "locale")
        labels = {
            "name": gettext_lazy("Name"),
            "slug": gettext_lazy("Slug"),
            "currency": gettext_lazy("Currency"),
            "time_zone": gettext_lazy("Time zone"),
            "locale": gettext_lazy("Locale"),
        }
        help_texts = {
            "slug": gettext_lazy("A short name for addresses and commands, such as blue-lantern."),
            "currency": gettext_lazy(
                "Three letters, such as USD. Fixed once the store has given out credits or points."
            ),
            "time_zone": gettext_lazy(
                "Such as Asia/Taipei. Decides every date; fixed once credits or points were given out."
            ),
            "locale": gettext_lazy("How amounts and dates are written, such as en, de or zh-TW."),
        }

    def clean_currency(self) -> str:
        """A currency of ISO 4217; a fixed one is not in the form."""
        currency: str = self.cleaned_data["currency"]
        if not is_currency(currency):
            raise forms.ValidationError(
                _("“%(currency)s” is not a currency code such as USD.") % {"currency": currency}
            )
        return currency

    def clean_locale(self) -> str:
        """A locale that numbers and dates can be written in."""
        locale: str = self.cleaned_data["locale"]
        if not is_locale(locale):
            raise forms.ValidationError(_("“%(locale)s” is not a locale such as en, de or zh-TW.") % {"locale": locale})
        return locale


class ApiKeyForm(OnceForm):
    """A new key for a REST client."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("What will use it, such as “Web shop”.")
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        choices=[(ALL_SCOPES, gettext_lazy("Everything")), *((scope.value, scope.value) for scope in Scope)],
        widget=forms.CheckboxSelectMultiple,
    )
    expires_on = DayField(
        label=gettext_lazy("Last day of use"), required=False, help_text=gettext_lazy("Empty: no end.")
    )

    def __init__(self, *args: Any, store: Store, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store, self.now = store, now

    def clean_expires_on(self) -> date | None:
        """A day that is not over yet."""
        day: date | None = self.cleaned_data["expires_on"]
        if day and day < local_day(self.now, self.store.tz):
            raise forms.ValidationError(_("This day is over already."))
        return day
