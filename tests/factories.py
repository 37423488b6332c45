"""What tests start from: a store, its customers, what they hold, their orders. Plain functions over the services."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from credits.models import CreditLot
from loyalty.core.days import end_of_day
from loyalty.ledger.adjust import Adjustment, adjust
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount
from loyalty.store_settings.sections import StoreSettings, settings_to_json
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import ApiKey, Customer, Membership, Role, SettingsVersion, Store, User
from orders.kinds import LEDGERS
from orders.models import Order, Redemption, Reward
from orders.services.codes.on_platform import Asked
from orders.services.customers.merge import Merge, merge_customers
from orders.services.intake.place import NewOrder, place_order
from orders.services.redemptions.redeem import redeem
from orders.services.redemptions.reverse import ReversalAsk, Reversed, reverse_redemption
from orders.services.redemptions.rewards import RewardTerms, create_reward
from orders.services.reverts.apply import CancelResult, Details
from orders.services.reverts.cancel import cancel_order, return_value
from orders.services.reverts.choices import CancelChoice
from orders.services.reverts.reinstate import Deduct, ReinstateResult, reinstate
from points.models import PointLot

# The fifth of January 2026 in the afternoon, in Taipei; most worked examples are cancelled on such a day.
NOW = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
# When things were granted and bought, before anything of the examples expired.
BEFORE = datetime(2025, 12, 20, 6, 0, tzinfo=UTC)
ACTOR = Actor.job("tests")
BOTH = CancelChoice(returns={"credits": True, "points": True})

_numbers = count(1)


def make_store(slug: str = "", **fields: Any) -> Store:
    """A store in Taipei that sells in USD, unless ``fields`` say otherwise."""
    number = next(_numbers)
    slug = slug or f"store-{number}"
    values = {"name": slug.capitalize(), "currency": "USD", "time_zone": "Asia/Taipei", "created_at": BEFORE}
    return Store.objects.create(slug=slug, **(values | fields))


def make_settings(store: Store, settings: StoreSettings) -> StoreSettings:
    """Save ``settings`` as the store's next version; answers nothing else than what was given."""
    version = SettingsVersion.objects.for_store(store).count() + 1
    SettingsVersion.unscoped.create(
        store=store, version=version, data=settings_to_json(settings), actor=ACTOR.ref, created_at=BEFORE
    )
    return settings


def make_user(*memberships: tuple[Store, Role], email: str = "", **fields: Any) -> User:
    """Somebody with these roles; the password is ``correct horse``."""
    user = User.objects.create_user(email or f"person-{next(_numbers)}@example.org", "correct horse", **fields)
    for store, role in memberships:
        Membership.objects.create(store=store, user=user, role=role)
    return user


def make_api_key(store: Store, **fields: Any) -> ApiKey:
    """A key's row, as actor or for lists; its secret is nobody's."""
    prefix = f"key{next(_numbers)}"
    values = {"name": prefix, "prefix": prefix, "secret_hash": "0" * 64, "scopes": [], "created_at": BEFORE}
    key: ApiKey = ApiKey.unscoped.create(store=store, **(values | fields))
    return key


def make_customer(store: Store, **fields: Any) -> Customer:
    """A customer of ``store`` with an e-mail address and a name."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "email": f"customer-{number}@example.org",
        "name": f"Customer {number}",
        "created_at": BEFORE,
        "updated_at": BEFORE,
    }
    customer: Customer = Customer.unscoped.create(store=store, **(values | fields))
    return customer


def grant(
    kind: Kind,
    customer: Customer,
    amount: Amount | str,
    *,
    until: date | None = None,
    currency: str | None = None,
    now: datetime = BEFORE,
) -> CreditLot | PointLot:
    """Give ``amount``, usable through the local day ``until`` (None: for ever); answers the lot."""
    store = customer.store
    adjustment = Adjustment(
        amount=Decimal(amount) if kind == "credits" else int(amount),
        reason="Gift",
        currency=(store.currency if currency is None else currency) if kind == "credits" else "",
        expires_at=end_of_day(until, store.tz) if until else None,
    )
    posted = adjust(
        LEDGERS[kind], store=store, customer_id=customer.pk, adjustment=adjustment, act=Act(ACTOR, Trigger.ADMIN, now)
    )
    lot: CreditLot | PointLot = LEDGERS[kind].tables.lot.unscoped.get(pk=posted[-1].lot_id)
    return lot


def make_order(
    customer: Customer | None,
    *,
    store: Store | None = None,
    credits: Decimal | str = "0",
    points: int = 0,
    now: datetime = BEFORE,
    **fields: Any,
) -> Order:
    """An order of ``customer`` that uses what it says, with a total of 1000 unless ``fields`` say otherwise."""
    owner = store or (customer.store if customer else make_store())
    values: dict[str, Any] = {
        "number": f"{1000 + next(_numbers)}",
        "total": Decimal(1000),
        "currency": owner.currency,
        "placed_at": now,
        "customer": customer.pk if customer else None,
    }
    new = NewOrder(**(values | fields), apply_credits=Decimal(credits), apply_points=points)
    order, _ = place_order(store=owner, new=new, act=Act(ACTOR, Trigger.API, now))
    return order


def cancel(order: Order, *, now: datetime = NOW) -> Order:
    """Cancel the order by hand, returning everything that is still valid."""
    return cancel_choosing(order, BOTH, now=now, reason="customer").order


def balance(kind: Kind, customer: Customer, *, now: datetime, currency: str | None = None) -> Amount:
    """What ``customer`` can use at ``now`` (points, or credits in the store's currency)."""
    wanted = (customer.store.currency if currency is None else currency) if kind == "credits" else ""
    return LEDGERS[kind].available([customer.pk], now=now).get((customer.pk, wanted), 0)


def cancel_and_return(order: Order, *, now: datetime = NOW) -> CancelResult:
    """Cancel ``order`` by hand with both kinds ticked and nothing extended."""
    return cancel_choosing(order, BOTH, now=now)


def cancel_choosing(
    order: Order, choice: CancelChoice, *, now: datetime = NOW, token: str | None = None, **details: Any
) -> CancelResult:
    """Cancel ``order`` by hand with this choice."""
    return cancel_order(
        store=order.store,
        order_id=order.pk,
        choice=choice,
        details=Details(**details),
        token=token,
        act=Act(ACTOR, Trigger.ADMIN, now),
    )


def return_choosing(
    order: Order, choice: CancelChoice, *, now: datetime = NOW, token: str | None = None
) -> CancelResult:
    """Return by hand what is left of an ``order`` that fell through (M8)."""
    return return_value(
        store=order.store,
        order_id=order.pk,
        choice=choice,
        details=Details(),
        token=token,
        act=Act(ACTOR, Trigger.ADMIN, now),
    )


def bring_back(order: Order, deduct: Deduct = Deduct.ALL, *, now: datetime = NOW) -> ReinstateResult:
    """Bring a cancelled ``order`` back by hand, confirmed (M10)."""
    return reinstate(
        store=order.store, order_id=order.pk, status="confirmed", deduct=deduct, act=Act(ACTOR, Trigger.ADMIN, now)
    )


def make_reward(store: Store, **terms: Any) -> Reward:
    """A code for 5.00 off that costs 500 points, unless ``terms`` say otherwise."""
    values: dict[str, Any] = {"name": "Five off", "points": 500, "type": "fixed", "value": Decimal(5)}
    return create_reward(store=store, terms=RewardTerms(**(values | terms)), actor=ACTOR, now=BEFORE)


def make_collector(store: Store, **values: Any) -> Customer:
    """Somebody with 300 points that expire on 31 January and 700 that never do."""
    customer = make_customer(store, **values)
    grant("points", customer, 300, until=date(2026, 1, 31))
    grant("points", customer, 700)
    return customer


def make_redemption(customer: Customer, reward: Reward, *, now: datetime = BEFORE) -> Redemption:
    """What ``customer`` gets for points that must be there."""
    return redeem(
        store=customer.store, customer_id=customer.pk, reward_id=reward.pk, act=Act(ACTOR, Trigger.ADMIN, now)
    )


def redemption_of(pk: int | str) -> Redemption:
    """A redemption as it is now."""
    found: Redemption = Redemption.unscoped.select_related("customer", "store").get(pk=pk)
    return found


def reverse(redemption: Redemption, *, now: datetime = NOW, token: str | None = None, **ask: Any) -> Reversed:
    """Reverse ``redemption`` by hand, without asking a platform first."""
    return reverse_redemption(
        store=redemption.store,
        redemption_id=redemption.pk,
        ask=ReversalAsk(**ask),
        token=token,
        asked=Asked.NOT_ASKED,
        act=Act(ACTOR, Trigger.ADMIN, now),
    )


def merge(merged: Customer, kept: Customer, **values: Any) -> Merge:
    """Merge the first into the second by hand."""
    return merge_customers(
        store=kept.store, kept_id=kept.pk, merged_id=merged.pk, act=Act(ACTOR, Trigger.ADMIN, NOW), **values
    )
