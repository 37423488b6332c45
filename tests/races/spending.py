"""Spending store credits on connections of their own, and what is left of them."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer
from orders.models import Order
from orders.services.intake.place import NewOrder, place_order
from tests import factories

WHO: dict[str, Any] = {"act": Act(factories.ACTOR, Trigger.API, factories.NOW)}


def spending(customer: Customer, amount: int, number: str) -> Callable[[], tuple[Order, bool]]:
    """Placing an order that uses ``amount`` of the customer's credits."""
    new = NewOrder(
        number=number,
        total=Decimal(1000),
        currency="USD",
        placed_at=factories.NOW,
        customer=customer.pk,
        apply_credits=Decimal(amount),
    )
    return partial(place_order, store=customer.store, new=new, **WHO)


def left(customer: Customer) -> Any:
    """What the customer can spend."""
    return factories.balance("credits", customer, now=factories.NOW)
