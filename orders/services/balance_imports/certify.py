"""What an import came to, read from the ledger: its totals, for the page, the certificate and the journal."""

from typing import Any, Final

from django.db import connection

from orders.models import BalanceImport
from orders.services.balance_imports.rehearsal.judge import total

_KINDS: Final = (("credits", "credits_creditlot", "credit_lot_id", "lot.currency"),
                 ("points", "points_pointlot", "point_lot_id", "''"))  # fmt: skip
# Added up by instant first, as in the rehearsal.
_TOTALS: Final = """
SELECT currency, to_char((expires_at - interval '1 microsecond') AT TIME ZONE %(zone)s, 'YYYY-MM'),
    sum(lots)::bigint, sum(granted)
FROM (
    SELECT {currency} AS currency, lot.expires_at, count(*) AS lots, sum(lot.granted) AS granted
    FROM orders_balanceimportkey AS made JOIN "{lot}" AS lot ON lot.id = made.{column}
    WHERE made.balance_import_id = %(import)s GROUP BY 1, 2
) AS one GROUP BY 1, 2 ORDER BY 1, 2 NULLS LAST
"""
_CODES: Final = """
SELECT count(*), coalesce(sum(redemption.points), 0)
FROM orders_balanceimportkey AS made JOIN orders_redemption AS redemption ON redemption.id = made.redemption_id
WHERE made.balance_import_id = %(import)s
"""
_PAST: Final = """
SELECT count(*) FROM orders_balanceimportkey
WHERE balance_import_id = %(import)s AND num_nonnulls(credit_lot_id, point_lot_id, redemption_id) = 0
"""


def written_totals(held: BalanceImport) -> dict[str, Any]:
    """The lots that the import made, by kind, currency and month of expiry, as the summary has them; codes, history."""
    names: dict[str, Any] = {"import": held.pk, "zone": held.store.time_zone}
    totals = []
    with connection.cursor() as cursor:
        for kind, lot, column, currency in _KINDS:
            cursor.execute(_TOTALS.format(lot=lot, column=column, currency=currency), names)
            totals += [total(kind, *row) for row in cursor.fetchall()]
        cursor.execute(_CODES, names)
        codes, points = cursor.fetchone()
        cursor.execute(_PAST, names)
        (past,) = cursor.fetchone()
    return {"totals": totals, "codes": codes, "code_points": int(points), "past": past}
