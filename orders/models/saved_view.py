"""Filters of the order list that staff keep under a name."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy

from loyalty.database.retention import while_needed
from loyalty.database.rights import Rights
from loyalty.stores.models import User
from loyalty.stores.scoping import StoreOwned


class SavedView(StoreOwned):
    """A tab over the order list: a name, and the filters and search behind it as they stand in an address.

    Without an ``owner`` everybody who works in the store sees it.
    """

    name = models.CharField(max_length=40)
    query = models.CharField(max_length=2000)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    rights = Rights(changes=("name",), deletes=True)
    retention = while_needed("until its owner deletes it")

    class Meta(StoreOwned.Meta):
        verbose_name = gettext_lazy("saved view")
        ordering = ("id",)
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint("store", "owner", Lower("name"), name="saved_view_name_once", nulls_distinct=False),
            models.CheckConstraint(condition=~Q(name="") & ~Q(query=""), name="saved_view_is_something"),
        ]
        indexes: ClassVar[list[Any]] = [models.Index(F("owner"), name="saved_view_of_owner")]

    def __str__(self) -> str:
        return self.name
