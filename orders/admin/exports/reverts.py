"""The columns of reverts."""

from typing import Any, Final

from loyalty.exporting.tables import Export, amount
from orders.admin.exports.columns import BY, attribute, load_actors, text, whose
from orders.kinds import NAMES

REVERTS: Final = Export(
    "reverts",
    "Reverts",
    (
        attribute("Date ({zone})", "created_at"),
        attribute("Order", "order.number"),
        *whose(),
        text("What", lambda revert: NAMES[revert.kind].capitalize()),
        text("Returned", lambda revert: amount(revert.amount, revert.currency)),
        text("Used", lambda revert: amount(revert.applied, revert.currency)),
        attribute("Currency", "currency"),
        text("How much", lambda revert: revert.get_completeness_display()),
        *BY,
        attribute("Settings version", "settings_version"),
        text("Lots", lambda revert: "; ".join(_lot_words(lot) for lot in revert.lots)),
    ),
    rows=lambda reverts, _store: reverts.select_related("order", "customer", "remark"),
    load=load_actors,
)


def _lot_words(lot: dict[str, Any]) -> str:
    return f"#{lot['lot']}: {lot['amount']} {lot['outcome']}, last day of use {lot['expires_on'] or 'never'}"
