"""Choosing a customer in a form: by what is typed, and by a second look where it fits several (O7)."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.backoffice.forms import OnceForm
from loyalty.customers.search import find_customers
from loyalty.stores.compared import fold_email
from loyalty.stores.models import Customer, Store

_OFFERED: Final = 10
_WHO: Final = gettext_lazy("E-mail, id or a part of the name. The customer has to be known here already.")


class CustomerForm(OnceForm):
    """A form with a field ``who`` for a customer of ``store``; ``chosen`` is whom it means, once it is valid.

    Where several fit, a field ``customer`` offers them.
    """

    who = forms.CharField(label=gettext_lazy("Customer"), max_length=254, required=False, help_text=_WHO)

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store = store
        self.chosen: Customer | None = None
        self.found = self._find(str(self.data.get("who") or "").strip())
        if len(self.found) > 1:
            choices = [(str(customer.pk), _words(customer)) for customer in self.found[:_OFFERED]]
            self.fields["customer"] = forms.ChoiceField(
                label=_("Which of them?"), required=False, widget=forms.RadioSelect, choices=choices
            )

    @property
    def fits(self) -> Customer | None:
        """Whom ``who`` means as far as it is known: the only one it fits, or the one that was picked of several."""
        if len(self.found) == 1:
            return self.found[0]
        picked = str(self.data.get("customer") or "")
        return next((customer for customer in self.found if str(customer.pk) == picked), None)

    def clean(self) -> dict[str, Any]:
        """Whom ``who`` means: the only one it fits, or the one that was picked of several."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "who" in self.fields and cleaned.get("who"):
            self._choose()
        return cleaned

    def _choose(self) -> None:
        self.chosen = self.fits
        if not self.found:
            self.add_error("who", _("No customer of this store matches that."))
        elif self.chosen is None and "customer" not in self.errors:
            self.add_error("customer", self._several())

    def _several(self) -> str:
        if len(self.found) <= _OFFERED:
            return _("Several customers match that. Pick one.")
        return _("Many customers match that; these are %(count)s of them. Pick one, or type more of the name.") % {
            "count": _OFFERED
        }

    def _find(self, term: str) -> list[Customer]:
        """Whoever fits; only those whose e-mail or id it is, where there are any."""
        if not term:
            return []
        found = list(find_customers(self.store, term).order_by("-pk")[: _OFFERED + 1])
        exact = [one for one in found if term == one.external_id or fold_email(term) == fold_email(one.email)]
        return exact or found


def _words(customer: Customer) -> str:
    number = _("id %(id)s") % {"id": customer.external_id} if customer.external_id else ""
    return ", ".join(filter(None, (customer.name, customer.email, number))) or str(customer)
