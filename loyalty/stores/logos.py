"""The pictures at the head of a store's letters (H3); which of them it is, its settings say."""

from typing import ClassVar

from django.db import models

from loyalty.database.retention import for_ever
from loyalty.database.rights import INSERT_ONLY
from loyalty.stores.scoping import StoreOwned


class Logo(StoreOwned):
    """One picture, as it stands in letters. Insert-only: settings of any version, and letters that wait, name it."""

    name = models.CharField(max_length=100)
    content = models.BinaryField()

    rights = INSERT_ONLY
    retention = for_ever("the way back: versions of the settings name it")

    class Meta(StoreOwned.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["store", "name"], name="logo_once")]

    def __str__(self) -> str:
        return self.name
