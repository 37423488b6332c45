"""What a platform says about an order, held against what is recorded here. Pure: no queries and no clock.

Both sides change an order: the platform, and staff, REST clients and jobs here. So ``platform_data`` remembers what the
platform said last, and of the facts that can be changed here a snapshot only brings what the platform has *changed*
since. A platform that repeats "pending" does not undo that a job has found the payment expired (O2).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from loyalty.core.tags import clean_tags, tag_key
from loyalty.platforms.documents.read import round_amount
from loyalty.platforms.registry import PLATFORMS
from loyalty.platforms.snapshot import LineSnapshot, OrderSnapshot, UsedThere
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Store
from orders.models import PAID_STATUSES, Order, OrderStatus, PaymentStatus
from orders.services.reverts.write_back import OUR_TAGS

# Under this name ``platform_data`` keeps what the platform said last about facts that can be changed here too.
LAST_SAID: Final = "last_said"
# Under this name it keeps which states of the platform's last instant were recorded.
HEARD: Final = "heard"
_HEARD_AT_MOST: Final = 20
# Under this name it keeps how much of what was used there the total leaves out.
OUTSIDE_TOTAL: Final = "outside_total_there"
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Before a platform has said anything: no time limit of its own, nothing refunded, no more about its payment.
_NOTHING_SAID: Final[Mapping[str, Any]] = {"payment_due_at": None, "refunded_total": "0", "payment_detail": ""}

_STATUS_ORDER: Final = (OrderStatus.PENDING, OrderStatus.CONFIRMED, OrderStatus.COMPLETED, OrderStatus.CANCELLED)
_PAYMENT_ORDER: Final = (
    PaymentStatus.PENDING,
    PaymentStatus.EXPIRED,
    PaymentStatus.FAILED,
    PaymentStatus.PAID,
    PaymentStatus.PARTIALLY_REFUNDED,
    PaymentStatus.REFUNDED,
)
_REFUNDED: Final = (PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED)

# When the platform's state is from. Platforms count whole seconds and change an order several times in one; of two
# states of one instant the one that is further on counts as newer, in whichever order they arrive.
Standing = tuple[datetime, int, int, Decimal]


def standing(snapshot: OrderSnapshot, platform: str) -> Standing:
    """Where the snapshot stands among the states of its order; a smaller one is older (O2, N8)."""
    return _standing(
        platform,
        snapshot.placed_at,
        snapshot.updated_at,
        snapshot.platform_status,
        (snapshot.status, snapshot.payment_status, snapshot.refunded_total),
    )


def recorded_standing(order: Order) -> Standing | None:
    """Where the last snapshot that was recorded stands; None when the order did not come from its platform yet."""
    if order.platform_updated_at is None:
        return None
    said = order.platform_data[LAST_SAID]
    return _standing(
        order.platform,
        order.placed_at,
        order.platform_updated_at,
        order.platform_data.get("status", ""),
        (said["status"], said["payment_status"], Decimal(said["refunded_total"])),
    )


def is_repeat(order: Order, snapshot: OrderSnapshot) -> bool:
    """Whether another state of the same instant, no further on than this one, has replaced this one since.

    Of two states that nothing tells apart but what they say, the one that arrives later counts; one that is sent once
    more after that is no news.
    """
    heard = order.platform_data.get(HEARD, [])
    return snapshot.updated_at == order.platform_updated_at and digest(snapshot) in heard[:-1]


def is_there_again(
    order: Order, snapshot: OrderSnapshot, heard_before: datetime | None, shown_at: datetime | None
) -> bool:
    """Whether the snapshot proves that an order that was deleted on its platform is there (O9).

    The platform showed it after that, or it changed after that. ``heard_before`` is the time of the state that was
    recorded before: an old state that arrives late proves nothing.
    """
    gone = order.platform_deleted_at
    if gone is None:
        return False
    is_new = heard_before is None or snapshot.updated_at > heard_before
    return (shown_at is not None and shown_at > gone) or (is_new and snapshot.updated_at > gone)


def digest(snapshot: OrderSnapshot) -> str:
    """Equal for snapshots that differ at most in when they were taken."""
    return sha256(repr(replace(snapshot, updated_at=_LONG_AGO, unknown=frozenset())).encode()).hexdigest()[:16]


def state_after(order: Order, snapshot: OrderSnapshot, store: Store) -> dict[str, Any]:
    """The columns of ``order`` as they should be once ``snapshot`` is recorded; the customer is not among them.

    A cancel made here stands (O6); one made on the platform goes when the platform reopens the order. What the
    platform says was used there is kept, not booked (O5). Amounts have the unit of the order's currency (O8).
    """
    currency = snapshot.currency or store.currency
    said: dict[str, Any] = {
        "status": snapshot.status,
        "payment_status": snapshot.payment_status,
        "payment_detail": snapshot.payment_detail,
        "payment_due_at": snapshot.payment_due_at,
        "refunded_total": round_amount(snapshot.refunded_total, currency),
        "tags": clean_tags(snapshot.tags),
    }
    remembered = {name: _remembered(value) for name, value in said.items()}
    before = _NOTHING_SAID | order.platform_data.get(LAST_SAID, {})
    news = {name: said[name] for name in said if name not in before or _differs(name, before[name], remembered[name])}
    if "payment_detail" in news:
        # Status and detail are one statement: money that is authorised now has not expired, whatever a job found.
        news["payment_status"] = said["payment_status"]
    tags = news.get("tags", order.tags)
    return {
        "number": snapshot.number,
        "placed_at": snapshot.placed_at,
        "currency": currency,
        # What a client said when it recorded a spend includes what was paid with credits; the platform's may not (O8).
        "total": order.total if order.total_named else round_amount(snapshot.total, currency),
        "lines": [_line(line, currency) for line in snapshot.lines],
        "is_test": snapshot.is_test,
        "platform_updated_at": snapshot.updated_at,
        "platform_data": order.platform_data
        | _kept(snapshot)
        | used_there_after(order, snapshot.used_there, currency)
        | {LAST_SAID: remembered, HEARD: _heard(order, snapshot)},
        # Set here, in another currency perhaps: whatever is kept has the unit of the currency that the order has now.
        "refunded_total": round_amount(order.refunded_total, currency),
        **news,
        "payment_detail": _detail(order, news),
        "paid_before": order.paid_before or was_paid(snapshot),
        "tag_keys": [tag_key(tag) for tag in tags],
        **_status(order, snapshot, news.get("status", order.status)),
    }


def _detail(order: Order, news: Mapping[str, Any]) -> str:
    """What is to be known of the payment, which there is only while it is pending (E10)."""
    pending = news.get("payment_status", order.payment_status) == PaymentStatus.PENDING
    return str(news.get("payment_detail", order.payment_detail)) if pending else ""


def was_paid(snapshot: OrderSnapshot) -> bool:
    """Whether the snapshot, however old it is, shows an order that was paid or completed (E10)."""
    return snapshot.paid_before or snapshot.payment_status in PAID_STATUSES or snapshot.status == OrderStatus.COMPLETED


def only_our_tags(order: Order, before: list[str], after: list[str]) -> bool:
    """Whether two lists of tags differ in nothing but what we put there ourselves, or in their order."""
    ours = {tag_key(tag) for tag in order.platform_data.get(OUR_TAGS, ())}
    return {tag_key(tag) for tag in before} ^ {tag_key(tag) for tag in after} <= ours


def _differs(name: str, before: Any, now: Any) -> bool:
    # Platforms list tags in an order of their own, and not always in the same.
    return sorted(map(tag_key, before)) != sorted(map(tag_key, now)) if name == "tags" else before != now


def _standing(
    platform: str, placed_at: datetime, updated_at: datetime, word: str, facts: tuple[str, str, Decimal]
) -> Standing:
    status, payment_status, refunded_total = facts
    known = PLATFORMS.get(platform)
    if known and known.orders.deletes_keep_time and updated_at > placed_at:
        # Each refund gave the order a later time. Of two states of one time the one with less refunded is newer, and
        # how much is refunded does not count as being further on, unless the platform says so by its own word.
        payment_status = PaymentStatus.PAID if payment_status in _REFUNDED and word != "refunded" else payment_status
        refunded_total = -refunded_total
    further_on = _STATUS_ORDER.index(OrderStatus(status)), _PAYMENT_ORDER.index(PaymentStatus(payment_status))
    return (updated_at, *further_on, refunded_total)


def _heard(order: Order, snapshot: OrderSnapshot) -> list[str]:
    """The states of the snapshot's instant that were recorded, the last one last."""
    said = digest(snapshot)
    before = order.platform_data.get(HEARD, []) if order.platform_updated_at == snapshot.updated_at else []
    return [*(one for one in before if one != said), said][-_HEARD_AT_MOST:]


def _status(order: Order, snapshot: OrderSnapshot, status: str) -> dict[str, Any]:
    if order.status == OrderStatus.CANCELLED and order.cancelled_by != Trigger.PLATFORM:
        return {"status": order.status}
    if status != OrderStatus.CANCELLED:
        return {"status": status, "cancelled_at": None, "cancelled_by": ""}
    # Not every platform says when it cancelled; then it is when we first heard of it, in the platform's time.
    cancelled_at = snapshot.cancelled_at or order.cancelled_at or snapshot.updated_at
    return {"status": status, "cancelled_at": cancelled_at, "cancelled_by": Trigger.PLATFORM.value}


def used_there_after(order: Order, said: UsedThere, currency: str) -> dict[str, Any]:
    """What ``platform_data`` keeps of what was used there: kept, not booked (O5). Nothing said: as it was."""
    data = order.platform_data
    credits = Decimal(data.get("credits_used_there", 0)) if said.credits is None else said.credits
    kept: dict[str, Any] = {
        "credits_used_there": f"{round_amount(credits, currency):f}",
        "points_used_there": data.get("points_used_there", 0) if said.points is None else said.points,
    }
    outside = f"{round_amount(said.outside_total, currency):f}" if credits else ""
    more: dict[str, Any] = {
        "some_credits_used_there": said.some_credits and not credits,
        "points_worth_there": f"{round_amount(said.points_worth, currency):f}" if said.points_worth else "",
        OUTSIDE_TOTAL: data.get(OUTSIDE_TOTAL, "") if said.credits is None else outside,
    }
    # Most orders used nothing there, and are spared three empty words.
    return kept | {name: value for name, value in more.items() if value or name in data}


def _kept(snapshot: OrderSnapshot) -> dict[str, Any]:
    return {
        "status": snapshot.platform_status,
        "payment_status": snapshot.platform_payment_status,
        "is_open": snapshot.status != OrderStatus.CANCELLED,
        "discount_codes": list(snapshot.discount_codes),
        "parent_external_id": snapshot.parent_external_id,
        "child_external_ids": list(snapshot.child_external_ids),
    }


def _line(line: LineSnapshot, currency: str) -> dict[str, Any]:
    total = f"{round_amount(line.total, currency):f}"
    return {"title": line.title, "sku": line.sku, "quantity": line.quantity, "total": total}


def _remembered(value: Any) -> Any:
    """A value as JSON, such that equal amounts are equal however many decimals they are written with."""
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value
