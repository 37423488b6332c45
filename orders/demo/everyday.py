"""Everyday life in a store: a dozen customers, half a year of gifts, and orders in every state there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final, Literal

from loyalty.ledger.ledger import Kind
from loyalty.store_settings.sections import current_settings
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Role
from orders.demo.shop import Shop
from orders.models import Order, OrderStatus, PaymentStatus
from orders.services.reverts.apply import Details
from orders.services.reverts.cancel import cancel_many, return_value
from orders.services.reverts.choices import CancelChoice, Extension
from orders.services.reverts.reinstate import Deduct, reinstate
from points.expiry_scheme import scheme_last_day

ORDERS: Final = 60
DAYS: Final = 150
FIRST_NUMBER: Final = 1001
# Of those whose payment failed: paid after all, when they may be cancelled already; and one that staff brought back.
PAID_LATE: Final = (32, 56)
BROUGHT_BACK: Final = 33
GIFTS: Final = ("Birthday", "Sorry for the delay", "Thank you for your review", "Spring campaign")
TAGS: Final[Sequence[list[str]]] = ([], ["vip"], ["gift-wrap"], [], ["wholesale"], ["vip", "exchange-order"], [])


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which an order was cancelled."""

    choice: CancelChoice
    reason: str
    by: Literal["admin", "api", "bulk"] = "admin"
    note: str = ""
    notify: bool = False


BOTH: Final[dict[Kind, bool | None]] = {"credits": True, "points": True}
WAYS: Final = (
    Way(CancelChoice(returns=BOTH), "customer", note="Called us in the morning."),
    Way(CancelChoice(), "", by="bulk"),
    Way(CancelChoice(returns={"credits": True, "points": False}), "out_of_stock"),
    Way(CancelChoice(returns=BOTH), "customer", by="api"),
    Way(CancelChoice(returns={"credits": False, "points": False}), "fraud", note="Two cards from the same address."),
    Way(CancelChoice(returns=BOTH, extend=dict.fromkeys(BOTH, Extension(days=60))), "payment", notify=True),
    Way(CancelChoice(), "duplicate", by="api"),
)


def add_everyday_life(shop: Shop, random: Random) -> None:
    """Add the past of the store's ordinary customers and their orders."""
    customers = [_customer(shop, name, index, random) for index, name in enumerate(shop.plan.customers)]
    for index in range(ORDERS):
        _order(shop, random.choice(customers), index, random)


def _customer(shop: Shop, name: str, index: int, random: Random) -> Customer:
    joined = -(DAYS + 25) + index
    customer = shop.customer(name, since=shop.on(joined, 9, index))
    scheme = current_settings(shop.store).points_expiry
    for gift in range(4):
        days = joined + 1 + gift * 42 + random.randrange(10)
        last_day = shop.day(days + random.randrange(20, 90)) if random.randrange(5) else None
        amount = Decimal(random.choice((10, 15, 20, 25, 50)))
        at = shop.on(days, random.randrange(9, 19), random.randrange(60))
        shop.give(customer, "credits", amount, at=at, last_day=last_day, reason=random.choice(GIFTS))
        last_points_day = scheme_last_day(scheme, awarded=shop.day(days))
        points = random.randrange(10, 41) * 10
        shop.give(customer, "points", points, at=at, last_day=last_points_day, reason="Member campaign")
    if index % 5 == 0:
        shop.take(customer, "credits", Decimal("5.00"), at=shop.on(-40 + index, 15), reason="Given by mistake")
        shop.take(customer, "points", 50, at=shop.on(-38 + index, 15), reason="Given by mistake")
    return customer


def _order(shop: Shop, customer: Customer, index: int, random: Random) -> None:
    """One order and its fate: every status goes with every payment status, each cancelled one its own way."""
    status = OrderStatus.values[index % 4]
    payment = PaymentStatus.values[index // 4 % 6]
    placed_on = -DAYS + index * (DAYS - 2) // ORDERS
    lines = [_line(article, random) for article in random.sample(shop.plan.shelf, random.randrange(1, 4))]
    total = sum((Decimal(line["total"]) for line in lines), Decimal(0))
    wishes = random.choice((0, 10, 20, 20, 40)), random.choice((0, 0, 50, 100, 200))
    from_platform = random.choice((True, True, False, False, False))

    def step(now: datetime) -> None:
        order = shop.place(
            customer,
            number=str(FIRST_NUMBER + index),
            total=total,
            now=now,
            external_id=str(820_000_000 + index) if from_platform else None,
            platform=shop.plan.platform if from_platform else "api",
            tags=TAGS[index % len(TAGS)],
            lines=lines,
            apply_credits=min(Decimal(wishes[0]), total, Decimal(shop.available(customer, "credits", now))),
            apply_points=min(wishes[1], int(shop.available(customer, "points", now))),
        )
        _pay(shop, order, payment, now)
        _go_on(shop, order, status, WAYS[index // 4 % len(WAYS)], now)
        if index in PAID_LATE:
            shop.change(order, {"payment_status": PaymentStatus.PAID}, at=now + timedelta(days=2))
        if index == BROUGHT_BACK:
            shop.past.at(now + timedelta(days=2), lambda later: _bring_back(shop, order, later))
        if payment == PaymentStatus.REFUNDED and status == OrderStatus.COMPLETED:
            shop.past.at(now + timedelta(days=8), lambda later: _return_all(shop, order, later))

    shop.past.at(shop.on(placed_on, random.randrange(8, 21), random.randrange(60)), step)


def _line(article: tuple[str, Decimal], random: Random) -> dict[str, Any]:
    title, price = article
    quantity = random.randrange(1, 4)
    return {"title": title, "sku": "", "quantity": quantity, "total": f"{price * quantity:f}"}


def _pay(shop: Shop, order: Order, payment: str, placed_at: datetime) -> None:
    if payment in (PaymentStatus.FAILED, PaymentStatus.EXPIRED):
        shop.change(order, {"payment_status": payment}, at=placed_at + timedelta(days=1))
        shop.sweep(at=placed_at + timedelta(days=1, minutes=1))
    elif payment != PaymentStatus.PENDING:
        shop.change(order, {"payment_status": PaymentStatus.PAID}, at=placed_at + timedelta(minutes=3))
    if payment in (PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED):
        refunded = order.total if payment == PaymentStatus.REFUNDED else order.total / 2
        values = {"payment_status": payment, "refunded_total": refunded.quantize(Decimal("0.01"))}
        shop.change(order, values, at=placed_at + timedelta(days=6))


def _go_on(shop: Shop, order: Order, status: str, way: Way, placed_at: datetime) -> None:
    if status in (OrderStatus.CONFIRMED, OrderStatus.COMPLETED):
        shop.change(order, {"status": OrderStatus.CONFIRMED}, at=placed_at + timedelta(hours=2))
    if status == OrderStatus.COMPLETED:
        shop.change(order, {"status": OrderStatus.COMPLETED}, at=placed_at + timedelta(hours=20))
    if status == OrderStatus.CANCELLED:
        shop.past.at(placed_at + timedelta(days=4), lambda now: _cancel(shop, order, way, now))


def _cancel(shop: Shop, order: Order, way: Way, now: datetime) -> None:
    details = Details(way.reason, way.note, way.notify)
    if way.by == "bulk":
        cancel_many(store=shop.store, order_ids=[order.pk], details=details, actor=shop.person(Role.SUPPORT), now=now)
    else:
        shop.cancel(order, way.choice, details, now=now, by_api=way.by == "api")


def _bring_back(shop: Shop, order: Order, now: datetime) -> None:
    reinstate(
        store=shop.store,
        order_id=order.pk,
        status=OrderStatus.CONFIRMED,
        deduct=Deduct.AVAILABLE,
        act=Act(shop.person(Role.SUPPORT), Trigger.ADMIN, now),
    )


def _return_all(shop: Shop, order: Order, now: datetime) -> None:
    return_value(
        store=shop.store,
        order_id=order.pk,
        choice=CancelChoice(returns=BOTH),
        details=Details("customer", "Parcel came back."),
        token=None,
        act=Act(shop.person(Role.SUPPORT), Trigger.ADMIN, now),
    )
