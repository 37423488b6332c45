"""The parts of an order snapshot that every platform builds alike: the customer and the lines."""

from datetime import datetime
from decimal import Decimal

from loyalty.platforms.documents.read import Fields, round_amount
from loyalty.platforms.snapshot import CustomerSnapshot, LineSnapshot


def customer_snapshot(
    *, external_id: str, email: str, name: str, phone: str, locale: str = ""
) -> CustomerSnapshot | None:
    """Who placed the order, texts cut to the snapshot's lengths. An e-mail alone is a guest; without either: None."""
    if not (external_id or email):
        return None
    return CustomerSnapshot(external_id=external_id, email=email, name=name[:200], phone=phone[:50], locale=locale[:20])


def line_snapshot(*, title: str, sku: str, quantity: Decimal, total: Decimal) -> LineSnapshot:
    """One line. Lines count whole pieces: 1.5 (kilograms, metres) becomes one piece whose title carries the number."""
    pieces = int(quantity)
    if pieces != quantity:
        return LineSnapshot(title=f"{title} ({quantity.normalize():f})", sku=sku, quantity=1, total=total)
    return LineSnapshot(title=title, sku=sku, quantity=pieces, total=total)


def full_name(person: Fields) -> str:
    """First and last name together, or the one field ``name``; "" when there is neither."""
    return f"{person.text('first_name')} {person.text('last_name')}".strip() or person.text("name")


def placed_and_updated(
    order: Fields, key: str, placed: datetime | None, updated: datetime | None
) -> tuple[datetime, datetime]:
    """When the order was placed and last changed; one of them can stand in for the other.

    Raises NotAnOrder, naming ``key``, when there is neither.
    """
    known = placed or updated
    if known is None:
        raise order.missing(key)
    return known, updated or known


def total_or_nothing(order: Fields, key: str, total: Decimal | None, currency: str) -> Decimal:
    """The order's total; one that is below zero or not there says nothing, which is noted under ``key``, and is 0."""
    if total is None or total < 0:
        order.leave_out(key)
        return round_amount(Decimal(0), currency)
    return total


def at_most(order: Fields, key: str, refunded: Decimal, total: Decimal) -> Decimal:
    """What was refunded, at most the total, as far as the total under ``key`` could be read."""
    return refunded if key in order.left_out else min(refunded, total)
