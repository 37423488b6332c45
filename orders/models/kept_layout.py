"""How files of another system are laid out, kept under a name for the next file."""

from typing import Any, ClassVar

from django.db import models

from loyalty.database.retention import while_needed
from loyalty.database.rights import Rights
from loyalty.stores.scoping import StoreOwned


class KeptLayout(StoreOwned):
    """A layout by the name that a store gave it; ``layout`` as :class:`~orders.models.BalanceImport` has it."""

    name = models.CharField(max_length=100)
    layout = models.JSONField(default=dict)
    actor = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    retention = while_needed("until the store replaces it; it names columns, and nobody")
    rights = Rights(changes=("layout", "actor", "updated_at"), deletes=True)

    class Meta(StoreOwned.Meta):
        verbose_name = "kept layout"
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["store", "name"], name="kept_layout_name_once"),
        ]

    def __str__(self) -> str:
        return self.name
