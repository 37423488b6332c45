"""What a platform's document leaves unsaid, filled in from what is recorded (O10). Pure: no queries and no clock.

A field that could not be read says nothing: what was recorded before stays. What is accepted by its shape and still
cannot be meant, an instant of the year 9999 or another currency than the one in which credits were used, is left out in
the same way.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from loyalty.core.instants import PLACED_AHEAD, OutOfRange, check_instant
from loyalty.platforms.snapshot import LineSnapshot, OrderSnapshot, UsedThere
from orders.models import Order

# Amounts are in the currency that is named; without it they say nothing either.
_IN_THE_CURRENCY: Final = ("currency", "total", "refunded_total", "lines")
_INSTANTS: Final[Mapping[str, timedelta | None]] = {
    "placed_at": PLACED_AHEAD,
    "updated_at": None,
    "cancelled_at": None,
    "payment_due_at": None,
}


def meant(snapshot: OrderSnapshot, *, now: datetime) -> OrderSnapshot:
    """The snapshot without instants that nobody means (L8), which become ``now`` where there has to be one."""
    wrong = [name for name, ahead in _INSTANTS.items() if not _is_meant(getattr(snapshot, name), now, ahead)]
    if not wrong:
        return snapshot
    instead = {name: now if name in ("placed_at", "updated_at") else None for name in wrong}
    return _without(snapshot, wrong, instead)


def filled(snapshot: OrderSnapshot, order: Order | None) -> OrderSnapshot:
    """The snapshot with what it leaves unsaid as it is recorded on ``order``; for a new order, as near as can be."""
    if order is not None and order.credits_applied and snapshot.currency not in ("", order.currency):
        # Of what was used there only points say something without the currency, too.
        snapshot = _without(
            snapshot, _IN_THE_CURRENCY, {"used_there": UsedThere(credits=None, points=snapshot.used_there.points)}
        )
    if order is not None and snapshot.unknown:
        said: Mapping[str, Any] = order.platform_data.get("last_said", {})
        known = {name: _RECORDED[name](order, said) for name in snapshot.unknown if name in _RECORDED}
        snapshot = replace(snapshot, **known)
    if snapshot.refunded_total <= snapshot.total:
        return snapshot
    return replace(snapshot, refunded_total=snapshot.total)


def _is_meant(instant: datetime | None, now: datetime, ahead: timedelta | None) -> bool:
    try:
        return instant is None or check_instant(instant, now=now, ahead=ahead) == instant
    except OutOfRange:
        return False


def _without(snapshot: OrderSnapshot, names: Iterable[str], instead: Mapping[str, Any]) -> OrderSnapshot:
    named = [name for name in names if name not in snapshot.unknown]
    told = ("currency",) if "currency" in names else tuple(named)
    left_out = tuple(dict.fromkeys((*snapshot.left_out, *told)))
    return replace(snapshot, left_out=left_out, unknown=snapshot.unknown.union(names), **instead)


def _due(order: Order, said: Mapping[str, Any]) -> datetime | None:
    if "payment_due_at" not in said:
        return order.payment_due_at
    return datetime.fromisoformat(said["payment_due_at"]) if said["payment_due_at"] else None


def _lines(order: Order, _said: Mapping[str, Any]) -> tuple[LineSnapshot, ...]:
    return tuple(
        LineSnapshot(line["title"], line["sku"], line["quantity"], Decimal(line["total"])) for line in order.lines
    )


# By field of the snapshot, what is recorded: what the platform said last, where the field can be changed here, too.
_RECORDED: Final[Mapping[str, Callable[[Order, Mapping[str, Any]], Any]]] = {
    "number": lambda order, _: order.number,
    "status": lambda order, said: said.get("status", order.status),
    "payment_status": lambda order, said: said.get("payment_status", order.payment_status),
    "payment_detail": lambda order, said: said.get("payment_detail", order.payment_detail),
    "currency": lambda order, _: order.currency,
    "total": lambda order, _: order.total,
    "refunded_total": lambda order, said: Decimal(said.get("refunded_total", order.refunded_total)),
    "placed_at": lambda order, _: order.placed_at,
    "updated_at": lambda order, _: order.platform_updated_at or order.placed_at,
    "tags": lambda order, said: tuple(said.get("tags", order.tags)),
    "lines": _lines,
    "cancelled_at": lambda order, _: order.cancelled_at,
    "payment_due_at": _due,
    "platform_status": lambda order, _: order.platform_data.get("status", ""),
    "platform_payment_status": lambda order, _: order.platform_data.get("payment_status", ""),
    "discount_codes": lambda order, _: tuple(order.platform_data.get("discount_codes", ())),
    "is_test": lambda order, _: order.is_test,
    "parent_external_id": lambda order, _: order.platform_data.get("parent_external_id", ""),
    "child_external_ids": lambda order, _: tuple(order.platform_data.get("child_external_ids", ())),
}
