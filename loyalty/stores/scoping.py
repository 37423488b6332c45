"""Name the store or get nothing (T1).

Every model whose rows belong to a store derives from :class:`StoreOwned`. Its ``objects`` manager gives rows only
through :meth:`StoreManager.for_store`; ``unscoped`` is the other door, with a name that can be searched for, and a
test lists the modules that may use it.
"""

from typing import Any, ClassVar, NoReturn, TypeVar

from django.db import models
from django.db.migrations.operations import RunSQL

from loyalty.database.rights import Rights

M = TypeVar("M", bound=models.Model)


class StoreNotNamed(RuntimeError):
    """Rows of a store were asked for without saying which store."""


class StoreManager(models.Manager[M]):
    """Gives and makes rows of one named store, and refuses every query that names none."""

    def for_store(self, store: models.Model) -> models.QuerySet[M]:
        """All rows of ``store``."""
        return super().get_queryset().filter(store=store)

    def none(self) -> models.QuerySet[M]:
        """No rows, whosever."""
        return super().get_queryset().none()

    def create(self, **values: Any) -> M:
        """Write a row of the store that is named among its values. Raises :class:`StoreNotNamed` for none."""
        if not values.keys() & {"store", "store_id"}:
            raise StoreNotNamed(f"Name the store of the new {self.model.__name__}.")
        return super().get_queryset().create(**values)

    def get_queryset(self) -> NoReturn:
        """Refuse: raises :class:`StoreNotNamed`."""
        raise StoreNotNamed(f"Use {self.model.__name__}.objects.for_store(store).")


class StoreOwned(models.Model):
    """A row that belongs to one store. ``rights`` says what may be done with it once it is written."""

    rights: ClassVar[Rights]

    # Without an index of its own: every index a query uses leads with the store, or needs no store.
    store = models.ForeignKey(
        "stores.Store", on_delete=models.PROTECT, related_name="+", editable=False, db_index=False
    )

    unscoped: models.Manager[Any] = models.Manager()
    objects: StoreManager[Any] = StoreManager()

    class Meta:
        abstract = True
        default_manager_name = "unscoped"
        base_manager_name = "unscoped"

    def save_changes(self) -> None:
        """Write of an existing row everything that may change, and what is fixed not: naming that is refused."""
        self.save(update_fields=self.rights.columns(type(self)))


def same_store_key(child: str, column: str, parent: str) -> RunSQL:
    """A foreign key over store and id, so that a row joining two stores cannot exist (T1).

    ``child`` and ``parent`` are table names; ``column`` is the child's reference. The parent needs a unique
    constraint over ``(store_id, id)``. The plain one-column key is left out: this one implies it.
    """
    name = f"{child}_{column}_same_store"
    return RunSQL(
        sql=(
            f'ALTER TABLE "{child}" ADD CONSTRAINT "{name}" FOREIGN KEY ("store_id", "{column}") '
            f'REFERENCES "{parent}" ("store_id", "id")'
        ),
        reverse_sql=f'ALTER TABLE "{child}" DROP CONSTRAINT "{name}"',
    )


class SameStoreKey(models.ForeignKey[Any, Any]):
    """A reference to another row of the same store; the database key is made by :func:`same_store_key`.

    Without an index of its own: the models name those that their queries use. Migrations leave out what is set here.
    """

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **options: Any) -> None:
        options["db_constraint"] = False
        options.setdefault("db_index", False)
        options.setdefault("related_name", "+")
        super().__init__(to, on_delete, **options)


def implied_store() -> models.ForeignKey[Any, Any]:
    """The store of a row that always refers to another one of its store, for tables that grow by millions.

    Without a database key of its own: the :class:`SameStoreKey` that is never null implies it, and each of the two
    would be asked for every row.
    """
    return models.ForeignKey(
        "stores.Store",
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        db_index=False,
        db_constraint=False,
    )


def unique_in_store(name: str) -> models.UniqueConstraint:
    """The unique constraint over store and id that lets others point here with :func:`same_store_key`."""
    return models.UniqueConstraint(fields=["store", "id"], name=name)
