"""The totals of the old system, typed in before an import starts, and why they may differ."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.importing.numbers import NotANumber, guess_decimal_mark, parse_number
from orders.services.balance_imports.start import Compared, Told


def total_name(kind: str, currency: str) -> str:
    """What the field of a kind and currency is called."""
    return f"told_{kind}_{currency}"


class StartForm(forms.Form):
    """A field for each total that the file comes to. What is left empty is not compared, and needs the reason."""

    reason = forms.CharField(
        label=gettext_lazy("Why the totals differ, or why there are none to type in"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Only needed if they do not agree. It is kept with the import and on the certificate."),
    )

    def __init__(self, compared: Sequence[Compared], data: Any = None) -> None:
        super().__init__(data, label_suffix="")
        self._compared = compared
        for one in compared:
            self.fields[total_name(one.kind, one.currency)] = forms.CharField(
                required=False,
                max_length=30,
                widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "cf-input"}),
            )

    def told(self) -> list[Told]:
        """The totals that were typed in."""
        found = []
        for one in self._compared:
            amount = self.cleaned_data.get(total_name(one.kind, one.currency))
            if amount is not None:
                found.append(Told(one.kind, one.currency, amount))
        return found

    def clean(self) -> dict[str, Any]:
        """Totals are numbers, in the way that they are written with certainty."""
        for one in self._compared:
            name = total_name(one.kind, one.currency)
            text = self.cleaned_data.get(name, "").strip()
            self.cleaned_data[name] = self._number(name, text) if text else None
        return self.cleaned_data

    def _number(self, name: str, text: str) -> Decimal | None:
        guess = guess_decimal_mark([(1, text)])
        try:
            if guess.certain:
                return parse_number(text, guess.value)
            words = _("This can be read in two ways. Write it without marks between thousands, such as 1234.50.")
        except NotANumber:
            words = _("Write the total as a number, such as 1234.50.")
        self.add_error(name, words)
        return None
