"""The worked examples of the domain: one order for each, in the state its example starts from, ready to be clicked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from loyalty.stores.models import Customer
from orders.demo.shop import Shop
from orders.models import PaymentStatus
from orders.services.reverts.apply import Details
from orders.services.reverts.choices import CancelChoice

TAG: Final = "worked-example"
PARTLY_BACK: Final = "1000"
FIVE, TEN, FIFTY = Decimal("5.00"), Decimal("10.00"), Decimal("50.00")

BOTH: Final = CancelChoice(returns={"credits": True, "points": True})


@dataclass(frozen=True, slots=True)
class _Example:
    """A pending order placed so many days from today; ``late``: its payment was due within a day and did not come.

    With ``cancelled`` staff cancel it at that instant, return both kinds and extend nothing.
    """

    number: str
    day: int
    credits: Decimal
    points: int = 0
    clock: tuple[int, int] = (10, 0)
    late: bool = False
    cancelled: datetime | None = None


def add_examples(shop: Shop) -> None:
    """Add the past of every example that this store can show."""
    _two_lots(shop, "X1", "Xenia Alvarez", expired=(TEN, -4), other=(FIVE, 74))
    _two_lots(shop, "X2", "Xavier Brooks", expired=(TEN, -4), other=(FIVE, 74))
    _two_lots(shop, "X3", "Xiomara Costa", expired=(TEN, -4), other=(FIVE, -2))
    _partly_back(shop)
    _payment_expired(shop)
    _payment_to_fail(shop)
    _lapsed_rest(shop)
    changes = _clock_changes(shop)
    if changes:
        _clock_change_nights(shop, *changes)


def _two_lots(shop: Shop, number: str, name: str, *, expired: tuple[Decimal, int], other: tuple[Decimal, int]) -> None:
    """X1, X2, X3: 15.00 of two lots; given are each lot's amount and last day, counted from today."""
    customer = _customer(shop, name)
    for amount, last_day in (expired, other):
        _credits(shop, customer, amount, shop.day(last_day))
    _order(shop, customer, _Example(number, -20, expired[0] + other[0]))


def _partly_back(shop: Shop) -> None:
    """Not to be clicked but looked at: cancelled by hand with one of two lots expired, Reverted (20.00 of 50.00)."""
    customer = _customer(shop, "Yara Hill")
    _credits(shop, customer, Decimal("30.00"), shop.day(-5))
    _credits(shop, customer, Decimal("20.00"), None)
    _order(shop, customer, _Example(PARTLY_BACK, -12, FIFTY, cancelled=shop.on(-2, 11)))


def _payment_expired(shop: Shop) -> None:
    """X4: a minute before midnight, 50.00 that expired with that day, 50.00 without end and 100 points for a year."""
    customer = _customer(shop, "Ximena Duarte")
    _credits(shop, customer, FIFTY, shop.day(-2))
    _credits(shop, customer, FIFTY, None)
    shop.give(customer, "points", 100, at=shop.on(-30), last_day=shop.day(363), reason="Anniversary")
    _order(shop, customer, _Example("X4", -2, 2 * FIFTY, 100, clock=(23, 59), late=True))


def _payment_to_fail(shop: Shop) -> None:
    """X5: 50.00 that expired yesterday and 50.00 without end; the payment has still to fail."""
    customer = _customer(shop, "Xander Ellis")
    _credits(shop, customer, FIFTY, shop.day(-1))
    _credits(shop, customer, FIFTY, None)
    _order(shop, customer, _Example("X5", -3, 2 * FIFTY))


def _lapsed_rest(shop: Shop) -> None:
    """X13: 60.00 of a lot of 100.00 used, the other 40.00 lapsed."""
    customer = _customer(shop, "Xochitl Flores")
    _credits(shop, customer, Decimal("100.00"), shop.day(-3))
    _order(shop, customer, _Example("X13", -10, Decimal("60.00")))


def _clock_change_nights(shop: Shop, last: date, coming: date) -> None:
    """X11: 20.00 of a lot that expired with the last day whose clock changed, 30.00 of one that ends with the next."""
    days = (last - shop.today).days
    customer = _customer(shop, "Xerxes Graf", since=days - 30)
    for amount, last_day in ((Decimal("20.00"), last), (Decimal("30.00"), coming)):
        shop.give(customer, "credits", amount, at=shop.on(days - 20), last_day=last_day, reason="Welcome")
    _order(shop, customer, _Example("X11", days - 5, FIFTY))


def _clock_changes(shop: Shop) -> Sequence[date]:
    """The last day before today and the next from tomorrow on whose clock changes in the store; empty without any."""
    days = [shop.day(days) for days in range(-366, 367) if days and _changes(shop, shop.day(days))]
    before, after = [day for day in days if day < shop.today], [day for day in days if day > shop.today]
    return (before[-1], after[0]) if before and after else ()


def _changes(shop: Shop, day: date) -> bool:
    days = (day - shop.today).days
    return shop.on(days, 0).utcoffset() != shop.on(days + 1, 0).utcoffset()


def _customer(shop: Shop, name: str, *, since: int = -60) -> Customer:
    return shop.customer(name, since=shop.on(since))


def _credits(shop: Shop, customer: Customer, amount: Decimal, last_day: date | None) -> None:
    shop.give(customer, "credits", amount, at=shop.on(-45), last_day=last_day, reason="Thank you for your review")


def _order(shop: Shop, customer: Customer, example: _Example) -> None:
    placed_at = shop.on(example.day, *example.clock)
    due_at = placed_at + timedelta(hours=24) if example.late else None
    total = example.credits + Decimal("25.00")
    article, _ = shop.plan.shelf[0]

    def step(now: datetime) -> None:
        order = shop.place(
            customer,
            number=example.number,
            total=total,
            now=now,
            payment_due_at=due_at,
            tags=[] if example.cancelled else [TAG],
            lines=[{"title": article, "sku": "", "quantity": 1, "total": f"{total:f}"}],
            apply_credits=example.credits,
            apply_points=example.points,
        )
        if due_at:
            shop.change(order, {"payment_status": PaymentStatus.EXPIRED}, at=due_at)
        if example.cancelled:
            shop.past.at(example.cancelled, lambda later: shop.cancel(order, BOTH, Details("customer"), now=later))

    shop.past.at(placed_at, step)
