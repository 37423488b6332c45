"""The columns of reverts."""

from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.exporting.tables import Export, amount
from loyalty.stores.dates import label_of
from orders.admin.exports.columns import BY, attribute, load_actors, text, whose
from orders.kinds import title_of
from orders.models import Completeness

_OUTCOMES: Final = {
    "returned": gettext_noop("returned"),
    "extended": gettext_noop("extended"),
    "expired": gettext_noop("expired"),
    "blocked": gettext_noop("blocked"),
}

REVERTS: Final = Export(
    "reverts",
    gettext_noop("Reverts"),
    (
        attribute(gettext_noop("Date ({zone})"), "created_at"),
        attribute(gettext_noop("Order"), "order.number"),
        *whose(),
        text(gettext_noop("What"), lambda revert: title_of(revert.kind)),
        text(gettext_noop("Returned"), lambda revert: amount(revert.amount, revert.currency)),
        text(gettext_noop("Used"), lambda revert: amount(revert.applied, revert.currency)),
        attribute(gettext_noop("Currency"), "currency"),
        text(gettext_noop("How much"), lambda revert: label_of(Completeness, revert.completeness)),
        *BY,
        attribute(gettext_noop("Settings version"), "settings_version"),
        text(gettext_noop("Lots"), lambda revert: "; ".join(_lot_words(lot) for lot in revert.lots)),
    ),
    rows=lambda reverts, _store: reverts.select_related("order", "customer", "remark"),
    load=load_actors,
)


def _lot_words(lot: dict[str, Any]) -> str:
    words = _("#%(lot)s: %(amount)s %(outcome)s, never expires")
    if lot["expires_on"]:
        words = _("#%(lot)s: %(amount)s %(outcome)s, last day of use %(day)s")
    return words % {
        "lot": lot["lot"],
        "amount": lot["amount"],
        "outcome": _(_OUTCOMES.get(lot["outcome"], lot["outcome"])),
        "day": lot["expires_on"],
    }
