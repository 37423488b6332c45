"""Amounts as people type them: a positive amount in the currency's units, or whole points."""

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _

from loyalty.core.money import quantise
from loyalty.languages.own_names import own_words
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount

_LARGEST: Final = Decimal(10) ** 12


class AmountField(forms.DecimalField):
    """An amount above zero of ``currency``, or of points where that is ``""``; None for an empty field."""

    def __init__(self, currency: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.currency = currency
        mode = "decimal" if currency else "numeric"
        self.widget.attrs |= {"inputmode": mode, "min": "0", "step": "any", "autocomplete": "off"}

    def clean(self, value: Any) -> Amount | None:
        """The amount. Raises ValidationError for one that is not above zero, too large, or finer than the unit."""
        amount: Decimal | None = super().clean(value)
        return None if amount is None else checked_amount(amount, self.currency)


def checked_amount(amount: Decimal, currency: str) -> Amount:
    """An amount that was typed, in the units of ``currency`` (points: whole). Raises ValidationError."""
    if not 0 < amount < _LARGEST:
        raise forms.ValidationError(_("Enter an amount above zero."))
    if currency:
        try:
            return quantise(amount, currency)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
    if amount != amount.to_integral_value():
        raise forms.ValidationError(own_words("Points are whole numbers."))
    return int(amount)


def amount_of(data: dict[str, Any], kind: Kind) -> Amount:
    """What a form's cleaned ``data`` says of one kind; 0 for nothing."""
    return data.get(kind) or 0
