"""What happens to orders, for the journal."""

from typing import Any

from loyalty.journal.record import Event, Happening
from orders.models import Order


def happened_to(
    order: Order, event: Event, data: dict[str, Any] | None = None, *, remark_id: int | None = None
) -> Happening:
    """Something that happened to an order, and so to the customer whose it is; what a person said of it is a remark."""
    return Happening(
        store_id=order.store_id,
        event=event,
        order_id=order.pk,
        customer_id=order.customer_id,
        remark_id=remark_id,
        data=data or {},
    )
