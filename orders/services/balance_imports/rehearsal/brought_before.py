"""Rows that seem to have been brought before, of systems that give their balances no references of their own."""

from typing import Any, Final

from django.db import connection

from orders.kinds import KINDS, LEDGERS
from orders.models import BalanceImport, ImportState
from orders.services.balance_imports.rehearsal.known_people import KNOWN_PEOPLE
from orders.services.balance_imports.rehearsal.stage import LOT

_WRITTEN: Final = (ImportState.RUNNING, ImportState.DONE)
# The same amount for the same customer, out of another file.
_COUNT: Final = f"""
{KNOWN_PEOPLE}, brought AS (
    SELECT lot.customer_id, {{currency}} AS currency, lot.granted
    FROM orders_balanceimportkey AS made JOIN "{{lot}}" AS lot ON lot.id = made.{{kind}}_lot_id
    WHERE made.store_id = %(store)s AND made.balance_import_id <> %(import)s AND NOT made.taken_back
)
SELECT count(DISTINCT r.position)
FROM orders_balanceimportrow AS r JOIN found ON found.person = r.person
WHERE r.balance_import_id = %(import)s AND r.problem = '' AND r.what = %(what)s AND r.kind = %(kind)s
    AND substr(r.key, 2, 1) <> ':'
    AND (found.customer_id, r.currency, r.amount) IN (SELECT customer_id, currency, granted FROM brought)
"""


def brought_before(held: BalanceImport) -> int:
    """How many rows without a reference give somebody what another import that is not taken back gave him already."""
    others = BalanceImport.objects.for_store(held.store).filter(state__in=_WRITTEN).exclude(pk=held.pk)
    return sum(_count(held, kind) for kind in KINDS) if others.exists() else 0


def _count(held: BalanceImport, kind: Any) -> int:
    tables = LEDGERS[kind].tables
    currency = "lot.currency" if tables.has_currency else "''"
    statement = _COUNT.format(lot=tables.lot._meta.db_table, kind=kind.removesuffix("s"), currency=currency)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"import": held.pk, "store": held.store_id, "kind": kind, "what": LOT})
        (count,) = cursor.fetchone()
    return int(count)
