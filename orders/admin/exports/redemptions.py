"""The columns of redemptions."""

from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext_noop

from loyalty.exporting.tables import Column, Export, Viewing, amount, last_day
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import label_of
from orders.admin.exports.columns import LAST_DAY, attribute, text, whose
from orders.models import Redemption, RedemptionState, RewardType, light


def _load_people(redemptions: Sequence[Redemption], _viewing: Viewing) -> dict[str, str]:
    return actor_names(ref for row in redemptions for ref in (row.actor, row.reversed_by) if ref)


REDEMPTIONS: Final = Export(
    "redemptions",
    gettext_noop("Redemptions"),
    (
        attribute(gettext_noop("Redemption"), "pk"),
        attribute(gettext_noop("Date ({zone})"), "created_at"),
        *whose(),
        attribute(gettext_noop("Reward"), "reward_name"),
        attribute(gettext_noop("Points"), "points"),
        text(gettext_noop("What"), lambda row: label_of(RewardType, row.type)),
        text(
            gettext_noop("Worth"),
            lambda row: amount(row.value, row.currency) if row.currency else row.value.normalize(),
        ),
        text(gettext_noop("Currency or percent"), lambda row: row.currency or "%"),
        attribute(gettext_noop("Code"), "code"),
        text(gettext_noop("State"), lambda row: label_of(RedemptionState, row.state)),
        Column(LAST_DAY, lambda row, viewing: last_day(row.expires_at, viewing.store)),
        attribute(gettext_noop("Used at ({zone})"), "used_at"),
        attribute(gettext_noop("Used by order"), "used_order.number"),
        attribute(gettext_noop("Reversed at ({zone})"), "reversed_at"),
        Column(gettext_noop("Reversed by"), lambda row, viewing: viewing.loaded.get(row.reversed_by, "")),
        attribute(gettext_noop("Points returned"), "points_returned"),
        Column(gettext_noop("By"), lambda row, viewing: viewing.loaded[row.actor]),
    ),
    rows=lambda redemptions, _store: light(redemptions.select_related("customer", "used_order"), "used_order"),
    load=_load_people,
)
