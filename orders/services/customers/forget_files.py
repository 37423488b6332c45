"""Letting go of the files and rows of balance imports, which name people; what came of the imports stays."""

from loyalty.database.delete import delete_in_batches
from loyalty.stores.models import Store
from orders.models import BalanceImport, BalanceImportPart, BalanceImportRow, ImportState

# Nothing is done with these any more.
OVER = (ImportState.DONE, ImportState.TAKEN_BACK, ImportState.FAILED)


def forget_files(store: Store) -> None:
    """Delete what the imports of this store that are over have kept: they name somebody who is erased."""
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
