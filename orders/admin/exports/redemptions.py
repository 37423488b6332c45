"""The columns of redemptions."""

from collections.abc import Sequence
from typing import Final

from loyalty.exporting.tables import Column, Export, Viewing, amount, last_day
from loyalty.stores.actors import actor_names
from orders.admin.exports.columns import LAST_DAY, attribute, text, whose
from orders.models import Redemption, light


def _load_people(redemptions: Sequence[Redemption], _viewing: Viewing) -> dict[str, str]:
    return actor_names(ref for row in redemptions for ref in (row.actor, row.reversed_by) if ref)


REDEMPTIONS: Final = Export(
    "redemptions",
    "Redemptions",
    (
        attribute("Redemption", "pk"),
        attribute("Date ({zone})", "created_at"),
        *whose(),
        attribute("Reward", "reward_name"),
        attribute("Points", "points"),
        text("What", lambda row: row.get_type_display()),
        text("Worth", lambda row: amount(row.value, row.currency) if row.currency else row.value.normalize()),
        text("Currency or percent", lambda row: row.currency or "%"),
        attribute("Code", "code"),
        text("State", lambda row: row.get_state_display()),
        Column(LAST_DAY, lambda row, viewing: last_day(row.expires_at, viewing.store)),
        attribute("Used at ({zone})", "used_at"),
        attribute("Used by order", "used_order.number"),
        attribute("Reversed at ({zone})", "reversed_at"),
        Column("Reversed by", lambda row, viewing: viewing.loaded.get(row.reversed_by, "")),
        attribute("Points returned", "points_returned"),
        Column("By", lambda row, viewing: viewing.loaded[row.actor]),
    ),
    rows=lambda redemptions, _store: light(redemptions.select_related("customer", "used_order"), "used_order"),
    load=_load_people,
)
