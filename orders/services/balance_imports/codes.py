"""Open codes of the old system as redemptions: their points are spent, the code waits for its order (R7)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from loyalty.core.money import format_amount, format_number
from loyalty.database.bulk import insert
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.models import PlatformState, Redemption, RedemptionState, Reward, RewardType
from orders.services.balance_imports.rehearsal.kept_rows import Kept
from orders.services.codes.on_platform import platform_for_codes

_Terms = tuple[int, Any, str]


def write_codes(
    store: Store, wanted: Sequence[tuple[int, Kept]], *, actor: Actor, now: datetime
) -> tuple[dict[int, int], dict[int, str]]:
    """Make redemptions of these rows, each with its customer's id; answers their ids by row, and what is left out.

    The platform has the codes already: it is not told of them, but of their reversal. The caller spends the points.
    """
    codes = [row.code for _, row in wanted]
    here = set(Redemption.objects.for_store(store).filter(code__in=codes).values_list("code", flat=True))
    left_out = {row.id: "code-repeated" for _, row in wanted if row.code in here}
    rows = [(pk, row) for pk, row in wanted if row.id not in left_out]
    rewards = _rewards(store, [_terms(row) for _, row in rows], now)
    count, platform = len(rows), platform_for_codes(store)
    given = [rewards[_terms(row)] for _, row in rows]
    columns: dict[str, list[Any]] = {
        "store_id": [store.pk] * count,
        "customer_id": [pk for pk, _ in rows],
        "reward_id": [reward.pk for reward in given],
        "reward_name": [reward.name for reward in given],
        "points": [reward.points for reward in given],
        "type": [reward.type for reward in given],
        "value": [reward.value for reward in given],
        "currency": [reward.currency for reward in given],
        "code": [row.code for _, row in rows],
        "expires_at": [row.expires_at for _, row in rows],
        "state": [RedemptionState.CLAIMED.value] * count,
        "platform": [platform] * count,
        "platform_state": [PlatformState.CONFIRMED.value if platform else None] * count,
        "actor": [actor.ref] * count,
        "created_at": [row.at for _, row in rows],
        "updated_at": [now] * count,
        **{name: [""] * count for name in ("platform_reference", "reversed_by")},
        **{name: [0] * count for name in ("points_returned", "credits_taken")},
        "forced": [False] * count,
    }
    ids = insert(Redemption, columns) if count else []
    return {row.id: pk for (_, row), pk in zip(rows, ids, strict=True)}, left_out


def _terms(row: Kept) -> _Terms:
    return int(row.amount), row.value, row.currency


def _rewards(store: Store, terms: Sequence[_Terms], now: datetime) -> Mapping[_Terms, Reward]:
    """A reward that is offered to nobody, for each of these terms; those of earlier codes are taken again."""
    wanted = set(terms)
    there = Reward.objects.for_store(store).filter(active=False, points__in={points for points, _, _ in wanted})
    rewards = {(one.points, one.value, one.currency): one for one in there.order_by("-pk")}
    for points, value, currency in sorted(wanted - rewards.keys()):
        rewards[points, value, currency] = Reward.objects.create(
            store=store,
            name=_name(value, currency, store),
            points=points,
            type=RewardType.FIXED if currency else RewardType.PERCENTAGE,
            value=value,
            currency=currency,
            active=False,
            created_at=now,
            updated_at=now,
        )
    return rewards


def _name(value: Any, currency: str, store: Store) -> str:
    worth = format_amount(value, currency, store.locale) if currency else f"{format_number(value, '', store.locale)} %"
    return _("%(worth)s off, from the old system") % {"worth": worth}
