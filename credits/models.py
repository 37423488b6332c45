"""Store credits: the ledger with Decimal money and a currency."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy

from loyalty.ledger.models import AbstractAllocation, AbstractLot, AbstractMovement
from loyalty.stores.scoping import SameStoreKey


def money(**options: Any) -> "models.DecimalField[Any, Any]":
    """A column for an amount of money: twelve digits asked for at most, room for sums, three decimals (ISO 4217)."""
    return models.DecimalField(max_digits=18, decimal_places=3, **options)


def currency() -> "models.CharField[Any, Any]":
    """A column for an ISO 4217 currency code."""
    return models.CharField(max_length=3)


class CreditLot(AbstractLot):
    """Store credit granted to a customer at one moment."""

    granted = money()
    remaining = money()
    currency = currency()

    class Meta(AbstractLot.Meta):
        verbose_name = gettext_lazy("store credit lot")


class CreditAllocation(AbstractAllocation):
    """The part of a credit lot that an order used."""

    lot = SameStoreKey(CreditLot)
    amount = money()
    returned = money(default=0)

    class Meta(AbstractAllocation.Meta):
        verbose_name = gettext_lazy("store credit use")


class CreditMovement(AbstractMovement):
    """One row of the store-credit history."""

    lot = SameStoreKey(CreditLot)
    allocation = SameStoreKey(CreditAllocation, null=True, blank=True)
    amount = money()
    balance_after = money()
    currency = currency()

    class Meta(AbstractMovement.Meta):
        verbose_name = gettext_lazy("store credit movement")
