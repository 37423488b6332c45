"""Member points: the ledger with whole numbers."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from loyalty.ledger.models import AbstractAllocation, AbstractLot, AbstractMovement, MovementType
from loyalty.stores.scoping import SameStoreKey


class PointLot(AbstractLot):
    """Points awarded to a customer at one moment."""

    granted = models.BigIntegerField()
    remaining = models.BigIntegerField()

    class Meta(AbstractLot.Meta):
        verbose_name = gettext_lazy("member points lot")


class PointAllocation(AbstractAllocation):
    """The part of a points lot that an order used."""

    lot = SameStoreKey(PointLot)
    amount = models.BigIntegerField()
    returned = models.BigIntegerField(default=0)

    class Meta(AbstractAllocation.Meta):
        verbose_name = gettext_lazy("member points use")


class PointMovement(AbstractMovement):
    """One row of the member-points history; without a lot it is a debt, or what settles one (C1)."""

    lot = SameStoreKey(PointLot, null=True, blank=True)
    allocation = SameStoreKey(PointAllocation, null=True, blank=True)
    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField()

    class Meta(AbstractMovement.Meta):
        verbose_name = gettext_lazy("member points movement")
        constraints: ClassVar[list[Any]] = [
            *AbstractMovement.Meta.constraints,
            models.CheckConstraint(
                condition=Q(lot__isnull=False) | Q(type__in=(MovementType.CLAW_BACK, MovementType.MERGE)),
                name="pointmovement_owed_or_moved",
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            *AbstractMovement.Meta.indexes,
            models.Index("customer", include=("amount",), condition=Q(lot__isnull=True), name="pointmovement_owed"),
        ]
