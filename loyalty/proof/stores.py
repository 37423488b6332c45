"""What check_ledger proves of stores: no row joins two of them, and no reference leads nowhere (T1, H5)."""

from collections.abc import Iterator
from typing import Any, Final

from django.apps import apps
from django.db import models

from loyalty.proof.prove import Check, Rule, scope
from loyalty.stores.scoping import SameStoreKey, StoreOwned


def same_store_fields() -> "Iterator[tuple[type[StoreOwned], SameStoreKey]]":
    """Every reference between two rows of a store, with the model that has it."""
    for model in apps.get_models():
        if issubclass(model, StoreOwned):
            for field in model._meta.get_fields():
                if isinstance(field, SameStoreKey):
                    yield model, field


_SAME_STORE: Final = """
SELECT store.slug, child.id, child."{column}"
FROM "{child}" AS child
JOIN stores_store AS store ON store.id = child.store_id
LEFT JOIN "{parent}" AS parent ON parent.id = child."{column}"
WHERE {scope} AND child."{column}" IS NOT NULL AND parent.store_id IS DISTINCT FROM child.store_id
"""


def _rule(model: type[StoreOwned], field: "models.ForeignKey[Any, Any]") -> Rule:
    child, parent = model._meta.db_table, field.related_model._meta.db_table
    sql = _SAME_STORE.format(child=child, parent=parent, column=field.column, scope=scope("child"))
    return Rule(f"{model._meta.verbose_name} {{0}}: its {field.name} {{1}} is not in this store.", sql)


# One step leads to the kept one (O7).
_MERGED_TWICE: Final = f"""
SELECT store.slug, customer.id, kept.id, kept.merged_into_id
FROM stores_customer AS customer
JOIN stores_customer AS kept ON kept.id = customer.merged_into_id
JOIN stores_store AS store ON store.id = customer.store_id
WHERE {scope("customer")} AND kept.merged_into_id IS NOT NULL
"""

CHECK: Final = Check(
    counted={},
    rules=[
        *(_rule(model, field) for model, field in same_store_fields()),
        Rule("customer {0}: merged into {1}, who was merged into {2}.", _MERGED_TWICE),
    ],
)
