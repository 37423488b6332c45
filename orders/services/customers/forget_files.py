"""Letting go of files that name people: of balance imports, of which what came stays, and of bundles."""

from django.db.models import QuerySet

from loyalty.database.delete import delete_in_batches
from loyalty.stores.models import Store
from orders.models import (
    BalanceImport,
    BalanceImportPart,
    BalanceImportRow,
    BundleState,
    ImportState,
    StoreBundle,
    StoreBundlePart,
)

# Nothing is done with these any more.
OVER = (ImportState.DONE, ImportState.TAKEN_BACK, ImportState.FAILED)


def forget_files(store: Store) -> None:
    """Delete what the imports of this store that are over have kept, and its bundles: they name somebody who is erased.

    A bundle that is being written begins anew, without him.
    """
    bundles = StoreBundle.objects.for_store(store)
    bundles.filter(state=BundleState.WRITING).update(busy_until=None)
    delete_bundles(store, bundles.exclude(state=BundleState.WRITING))
    for held in BalanceImport.objects.for_store(store).filter(state__in=OVER, received__gt=0):
        forget_file(held)


def forget_file(held: BalanceImport) -> int:
    """Delete the rows of an import, its file, and the addresses in its summary; answers how many rows there were."""
    rows = BalanceImportRow.objects.for_store(held.store).filter(balance_import=held)
    parts = BalanceImportPart.objects.for_store(held.store).filter(balance_import=held)
    deleted = delete_in_batches(rows)
    delete_in_batches(parts)
    held.summary.pop("alike", None)
    held.received = 0
    held.save(update_fields=["summary", "received"])
    return deleted


def delete_bundles(store: Store, bundles: "QuerySet[StoreBundle]") -> int:
    """Delete these bundles of ``store`` with their files; answers how many."""
    ids = list(bundles.values_list("pk", flat=True))
    StoreBundlePart.objects.for_store(store).filter(bundle__in=ids).delete()
    StoreBundle.objects.for_store(store).filter(pk__in=ids).delete()
    return len(ids)
