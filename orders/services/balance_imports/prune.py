"""Letting go of imports: their files some time after they are over, themselves where nothing of them was written."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from loyalty.database.named_stores import in_store
from loyalty.jobs.periodic import Counts
from loyalty.stores.models import Store
from orders.models import UNWRITTEN, BalanceImport
from orders.services.balance_imports.upload import locked
from orders.services.customers.forget_files import OVER, forget_file

# So long the bad rows of an import can be fetched, and one that nobody has started can be taken up.
KEEP: Final = timedelta(days=30)
_OLD: Final = """
SELECT id, store_id FROM orders_balanceimport
WHERE updated_at < %s AND (state = ANY(%s) OR (state = ANY(%s) AND received > 0)) ORDER BY id
"""


def prune(now: datetime) -> Counts:
    """Delete files and rows of imports that were over 30 days ago, and whole imports that nobody has started since."""
    with connection.cursor() as cursor:
        states = [[state.value for state in some] for some in (UNWRITTEN, OVER)]
        cursor.execute(_OLD, [now - KEEP, *states])
        old = cursor.fetchall()
    deleted = 0
    for import_id, store_id in old:
        with in_store(store_id):
            store = Store.objects.get(pk=store_id)
            held = BalanceImport.objects.for_store(store).filter(pk=import_id).first()
            if held is not None:
                deleted += _let_go(held, store)
    return {"import_rows": deleted}


def _let_go(held: BalanceImport, store: Store) -> int:
    held.store = store
    deleted = forget_file(held)
    if not held.is_written:
        held.delete()
    return deleted


@transaction.atomic
def discard(*, store: Store, import_id: int) -> None:
    """Throw an import away of which nothing is in the ledger. Raises NotFound, ImportNotReady."""
    _let_go(locked(store, import_id, *UNWRITTEN), store)
