"""Member points: the ledger with whole numbers."""

from django.db import models

from loyalty.ledger.models import AbstractAllocation, AbstractLot, AbstractMovement
from loyalty.stores.scoping import SameStoreKey


class PointLot(AbstractLot):
    """Points awarded to a customer at one moment."""

    granted = models.BigIntegerField()
    remaining = models.BigIntegerField()

    class Meta(AbstractLot.Meta):
        verbose_name = "member points lot"


class PointAllocation(AbstractAllocation):
    """The part of a points lot that an order used."""

    lot = SameStoreKey(PointLot)
    amount = models.BigIntegerField()
    returned = models.BigIntegerField(default=0)

    class Meta(AbstractAllocation.Meta):
        verbose_name = "member points use"


class PointMovement(AbstractMovement):
    """One row of the member-points history."""

    lot = SameStoreKey(PointLot)
    allocation = SameStoreKey(PointAllocation, null=True, blank=True)
    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField()

    class Meta(AbstractMovement.Meta):
        verbose_name = "member points movement"
