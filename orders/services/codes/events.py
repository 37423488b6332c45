"""What happens to redemptions, for the journal."""

from loyalty.journal.record import Event, Happening
from orders.models import Redemption


def happening(
    redemption: Redemption,
    event: Event,
    data: dict[str, object] | None = None,
    *,
    remark_id: int | None = None,
    order_id: int | None = None,
) -> Happening:
    """Something that happened to a redemption; with an order, through the one that used its code (R7)."""
    return Happening(
        store_id=redemption.store_id,
        event=event,
        order_id=order_id,
        customer_id=redemption.customer_id,
        redemption_id=redemption.pk,
        remark_id=remark_id,
        data=data or {},
    )
