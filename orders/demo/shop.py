"""One store of the demonstration while its past is played: the verbs that examples and everyday life use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from loyalty.core.days import end_of_day, local_day
from loyalty.customers.identify import CustomerFacts, identify
from loyalty.ledger.adjust import Adjustment, adjust
from loyalty.ledger.ledger import Kind, currency_for
from loyalty.ledger.planner import Amount
from loyalty.ledger.posting import lock_customers
from loyalty.store_settings.sections import current_settings
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import ApiKey, Customer, Role, Store, User
from orders.demo.cast import DemoStore
from orders.demo.past import Past
from orders.kinds import LEDGERS
from orders.models import Order
from orders.services.automation.cancel_unpaid import cancel_batch, rules_of
from orders.services.intake.change import change_order
from orders.services.intake.place import NewOrder, place_order
from orders.services.reverts.apply import Details
from orders.services.reverts.cancel import cancel_order
from orders.services.reverts.choices import CancelChoice

# How long after a lot's expiry the job of those days came by.
SWEEP: Final = timedelta(minutes=4)


@dataclass(frozen=True, slots=True)
class Shop:
    """A store, its people and its past, which ends when the demonstration is loaded."""

    plan: DemoStore
    store: Store
    staff: Mapping[Role, User]
    api_key: ApiKey
    past: Past

    @property
    def today(self) -> date:
        """The day it is in the store."""
        return local_day(self.past.until, self.store.tz)

    def day(self, days: int) -> date:
        """The day so many days from today."""
        return self.today + timedelta(days=days)

    def on(self, days: int, hour: int = 10, minute: int = 0) -> datetime:
        """An instant so many days from today, by the clock in the store."""
        return datetime.combine(self.day(days), time(hour, minute), self.store.tz)

    def person(self, role: Role) -> Actor:
        """The person with ``role``, acting."""
        return Actor.user(self.staff[role])

    def customer(self, name: str, *, since: datetime) -> Customer:
        """A customer with an address made from ``name``."""
        address = name.lower().replace("ü", "ue").replace(" ", ".")
        facts = CustomerFacts(external_id=f"demo-{address}", email=f"{address}@example.com", name=name)
        customer = identify(self.store, facts, now=since)
        if customer is None:
            raise ValueError(name)
        return customer

    def give(
        self, customer: Customer, kind: Kind, amount: Amount, *, at: datetime, last_day: date | None, reason: str
    ) -> None:
        """Let staff give value at an instant of the past, and the job post what lapses of it."""
        expires_at = end_of_day(last_day, self.store.tz) if last_day else None
        gift = Adjustment(amount, reason, currency=self._currency(kind), expires_at=expires_at)
        self.past.at(at, lambda now: self._adjust(customer, kind, gift, now))
        if expires_at:
            self.past.at(expires_at + SWEEP, lambda now: self._post_lapsed(customer, kind, now))

    def take(self, customer: Customer, kind: Kind, amount: Amount, *, at: datetime, reason: str) -> None:
        """Let staff remove value at an instant of the past, or what is there of it."""

        def step(now: datetime) -> None:
            taken = min(amount, self.available(customer, kind, now))
            if taken:
                self._adjust(customer, kind, Adjustment(-taken, reason, currency=self._currency(kind)), now)

        self.past.at(at, step)

    def available(self, customer: Customer, kind: Kind, now: datetime) -> Amount:
        """What the customer can use at ``now``."""
        available = LEDGERS[kind].available([customer.pk], now=now)
        return available.get((customer.pk, self._currency(kind)), 0)

    def place(self, customer: Customer, *, number: str, total: Decimal, now: datetime, **facts: Any) -> Order:
        """Record an order as the shop's REST client does; ``facts`` are those of NewOrder."""
        new = NewOrder(
            number=number, total=total, currency=self.store.currency, placed_at=now, customer=customer.pk, **facts
        )
        actor = Actor.api_key(self.api_key)
        order, _ = place_order(store=self.store, new=new, act=Act(actor, Trigger.API, now))
        return order

    def change(self, order: Order, values: dict[str, Any], *, at: datetime) -> None:
        """Let the order's facts change at an instant of the past."""
        actor = Actor.api_key(self.api_key)
        self.past.at(
            at, lambda now: change_order(store=self.store, order_id=order.pk, values=values, actor=actor, now=now)
        )

    def cancel(
        self, order: Order, choice: CancelChoice, details: Details, *, now: datetime, by_api: bool = False
    ) -> None:
        """Cancel an order as support staff, or as the shop's REST client."""
        cancel_order(
            store=self.store,
            order_id=order.pk,
            choice=choice,
            details=details,
            token=None,
            act=Act(
                Actor.api_key(self.api_key) if by_api else self.person(Role.SUPPORT),
                Trigger.API if by_api else Trigger.ADMIN,
                now,
            ),
        )

    def sweep(self, *, at: datetime) -> None:
        """Let the job for expired and failed payments come by in this store at an instant of the past."""

        def step(now: datetime) -> None:
            for rule in rules_of(self.store, current_settings(self.store)):
                cancel_batch([rule], lambda: now, {"cancelled": 0, "failed": 0})

        self.past.at(at, step)

    def _adjust(self, customer: Customer, kind: Kind, adjustment: Adjustment, now: datetime) -> None:
        adjust(
            LEDGERS[kind],
            store=self.store,
            customer_id=customer.pk,
            adjustment=adjustment,
            act=Act(self.person(Role.MANAGER), Trigger.ADMIN, now),
        )

    def _post_lapsed(self, customer: Customer, kind: Kind, now: datetime) -> None:
        lock_customers([customer.pk])
        LEDGERS[kind].post_due([customer.pk], actor=Actor.job(f"{kind}.expire_lots"), now=now)

    def _currency(self, kind: Kind) -> str:
        return currency_for(kind, self.store.currency)
