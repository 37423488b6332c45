"""Rewards, and what became of points that were exchanged for them: one redemption in every state (R1-R7, X12-X15)."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import Customer, Role
from orders.demo.examples import TAG
from orders.demo.shop import Shop
from orders.models import Order, Redemption, Reward
from orders.services.codes.on_platform import Asked
from orders.services.codes.uses import codes_there, use_codes
from orders.services.redemptions.redeem import redeem
from orders.services.redemptions.requests import request_reversal
from orders.services.redemptions.reverse import ReversalAsk, reverse_redemption
from orders.services.redemptions.rewards import RewardTerms, create_reward
from orders.services.reverts.apply import Details
from orders.services.reverts.choices import CancelChoice

FIVE_OFF: Final = RewardTerms("Five off your next order", 500, "fixed", Decimal(5), valid_days=60)
TENTH: Final = RewardTerms("A tenth off", 800, "percentage", Decimal(10), valid_days=90, limit_per_customer=2)
TEN_CREDITS: Final = RewardTerms("Ten in store credits", 1000, "credits", Decimal(10))
SUMMER: Final = RewardTerms("Summer gift", 300, "fixed", Decimal(3), valid_days=30, active=False)


def add_redemptions(shop: Shop) -> None:
    """Add the store's rewards and the past of their redemptions; the first can be reversed as X12."""
    five, tenth, credits, _ = [_reward(shop, terms) for terms in (FIVE_OFF, TENTH, TEN_CREDITS, SUMMER)]
    _redeemed(shop, _customer(shop, "Xandra Ibsen"), five, day=-6)
    _used(shop, _customer(shop, "Xerxes Jordan"), tenth)
    _reversed(shop, _customer(shop, "Xiang Kim"), five)
    _asked_for(shop, _customer(shop, "Ximon Laurent"), five)
    _partly_spent(shop, _customer(shop, "Xochitl Moreno"), credits)
    _paid_with_code(shop, "X14", _customer(shop, "Xaviera Nolan"), five)
    _paid_with_code(shop, "X15", _customer(shop, "Xylon Ortega"), five)
    _paid_with_code(shop, "R5", _customer(shop, "Xenon Park"), five, returns=True)
    _paid_with_code(shop, "R6", _customer(shop, "Xia Quinn"), five, returns=False)


def _reward(shop: Shop, terms: RewardTerms) -> Reward:
    return create_reward(store=shop.store, terms=terms, actor=shop.person(Role.OWNER), now=shop.on(-60))


def _customer(shop: Shop, name: str) -> Customer:
    customer = shop.customer(name, since=shop.on(-40))
    shop.give(customer, "points", 300, at=shop.on(-35), last_day=shop.day(30), reason="Member campaign")
    shop.give(customer, "points", 900, at=shop.on(-34), last_day=None, reason="Anniversary")
    return customer


def _redeemed(shop: Shop, customer: Customer, reward: Reward, *, day: int) -> list[Redemption]:
    """The redemption to be; it is in the list once that day has been played."""
    made: list[Redemption] = []

    def step(now: datetime) -> None:
        actor = Actor.api_key(shop.api_key)
        made.append(
            redeem(store=shop.store, customer_id=customer.pk, reward_id=reward.pk, act=Act(actor, Trigger.API, now))
        )

    shop.past.at(shop.on(day, 14), step)
    return made


def _used(shop: Shop, customer: Customer, reward: Reward) -> None:
    made = _redeemed(shop, customer, reward, day=-15)

    def step(now: datetime) -> None:
        order = _order(shop, customer, "R2", now)
        order.platform_data = {"discount_codes": [made[0].code]}
        order.save(update_fields=["platform_data"])
        use_codes(order, codes_there(order), actor=Actor.platform(shop.plan.platform), now=now)

    shop.past.at(shop.on(-11, 16), step)


def _reversed(shop: Shop, customer: Customer, reward: Reward) -> None:
    made = _redeemed(shop, customer, reward, day=-9)

    def step(now: datetime) -> None:
        reverse_redemption(
            store=shop.store,
            redemption_id=made[0].pk,
            ask=ReversalAsk(reason="Redeemed by accident", notify_customer=False),
            token=None,
            asked=Asked.NOT_ASKED,
            act=Act(shop.person(Role.SUPPORT), Trigger.ADMIN, now),
        )

    shop.past.at(shop.on(-8, 11), step)


def _asked_for(shop: Shop, customer: Customer, reward: Reward) -> None:
    made = _redeemed(shop, customer, reward, day=-3)

    def step(now: datetime) -> None:
        actor = Actor.api_key(shop.api_key)
        request_reversal(
            store=shop.store, redemption_id=made[0].pk, reason="Wanted to keep the points", actor=actor, now=now
        )

    shop.past.at(shop.on(-1, 9), step)


def _partly_spent(shop: Shop, customer: Customer, reward: Reward) -> None:
    _redeemed(shop, customer, reward, day=-5)
    shop.past.at(shop.on(-4, 12), lambda now: _order(shop, customer, "R4", now, apply_credits=Decimal(4)))


def _paid_with_code(
    shop: Shop, number: str, customer: Customer, reward: Reward, *, returns: bool | None = None
) -> None:
    """X14, X15: a paid order that came with a code, ready to be cancelled or refunded; with ``returns`` staff did.

    Somebody else comes with the code of the one that gave nothing back: that order used nothing, and is flagged (R7).
    """
    made = _redeemed(shop, customer, reward, day=-6)

    def place(now: datetime) -> None:
        codes, tags = [made[0].code], [TAG] if returns is None else []
        order = shop.place(
            customer, number=number, total=Decimal(100), now=now, codes=codes, payment_status="paid", tags=tags
        )
        if returns is not None:
            choice = CancelChoice(returns={"points": returns or None})
            shop.past.at(shop.on(-3, 11), lambda later: shop.cancel(order, choice, Details("customer"), now=later))
        if returns is False:
            shop.past.at(shop.on(-2, 15), lambda later: _order(shop, customer, f"{number}-again", later, codes=codes))

    shop.past.at(shop.on(-5, 12), place)


def _order(shop: Shop, customer: Customer, number: str, now: datetime, **facts: Any) -> Order:
    return shop.place(customer, number=number, total=Decimal(40), now=now, **facts)
