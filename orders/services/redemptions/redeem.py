"""Exchanging points for a discount code or for store credits (R2): the one way for staff and clients."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from credits.ledger import CREDITS
from loyalty.core.days import end_of_day, is_expired, local_day
from loyalty.core.errors import Conflict, Invalid
from loyalty.customers.merged import find_person
from loyalty.journal.record import Event, record
from loyalty.ledger.models import Origin
from loyalty.ledger.planner import InsufficientBalance
from loyalty.ledger.posting import Cause, NewLot, lock_customers
from loyalty.stores.actors import Act, Actor
from loyalty.stores.models import Customer, Store
from orders.models import PlatformState, Redemption, RedemptionState, Reward, RewardType
from orders.services.codes.events import happening
from orders.services.codes.on_platform import platform_for_codes, tell_of_new_code
from points.ledger import POINTS

# Letters and digits that are not taken for one another; 16 of 32 are 80 random bits.
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_GROUPS: Final = 4
_GROUP_LENGTH: Final = 4


class RewardInactive(Conflict):
    """The reward is offered no more."""

    code = "reward-inactive"
    title = gettext_noop("This reward is not offered at the moment.")


class LimitReached(Conflict):
    """The customer has redeemed this reward as often as the store allows."""

    code = "redemption-limit-reached"
    title = gettext_noop("This customer has redeemed this reward as often as allowed.")


@transaction.atomic
def redeem(*, store: Store, customer_id: int, reward_id: int, act: Act) -> Redemption:
    """Spend the customer's points on a reward (L3) and issue its code, or grant its credits.

    A code for a connected platform is told to it after the commit, and can be used once the platform has confirmed.
    Raises Invalid (``not-found``) for a customer or reward of another store, InsufficientBalance, RewardInactive, and
    LimitReached; reversed redemptions do not count towards the limit.
    """
    customer, reward = _customer(store, customer_id), _reward(store, reward_id)
    lock_customers([customer.pk])
    _refuse_beyond_limit(reward, customer)
    redemption = _create(reward, customer, act.actor, act.now)
    _spend(redemption, customer, act)
    if redemption.type == RewardType.CREDITS:
        _grant(redemption, customer, act)
    facts = {"reward": str(reward.pk), "name": reward.name, "points": redemption.points, "trigger": act.trigger}
    record([happening(redemption, Event.REDEEMED, facts)], actor=act.actor, now=act.now)
    tell_of_new_code(redemption, now=act.now)
    return redemption


def usable(redemption: Redemption, now: datetime) -> bool:
    """Whether the code, or what is left of the credits, may be used at ``now``: a platform must have confirmed it."""
    known = redemption.platform_state in (None, PlatformState.CONFIRMED)
    return redemption.state == RedemptionState.CLAIMED and known and not is_expired(redemption.expires_at, now)


def _customer(store: Store, customer_id: int) -> Customer:
    customer = find_person(store, customer_id)
    if customer is None:
        raise Invalid.at("/customer", _("This store has no such customer."), code="not-found")
    return customer


def _reward(store: Store, reward_id: int) -> Reward:
    reward: Reward | None = Reward.objects.for_store(store).filter(pk=reward_id).first()
    if reward is None:
        raise Invalid.at("/reward", _("This store has no such reward."), code="not-found")
    if not reward.active:
        raise RewardInactive(_("“%(reward)s” is not offered at the moment.") % {"reward": reward.name})
    return reward


def _refuse_beyond_limit(reward: Reward, customer: Customer) -> None:
    """Asked under the customer's lock, so two redemptions at the same moment cannot both be the last one."""
    if reward.limit_per_customer is None:
        return
    mine = Redemption.objects.for_store(customer.store).filter(customer=customer, reward=reward)
    if mine.exclude(state=RedemptionState.REVERSED).count() >= reward.limit_per_customer:
        words = ngettext(
            "“%(reward)s” can be redeemed once by each customer.",
            "“%(reward)s” can be redeemed %(times)s times by each customer.",
            reward.limit_per_customer,
        )
        raise LimitReached(words % {"reward": reward.name, "times": reward.limit_per_customer})


def _create(reward: Reward, customer: Customer, actor: Actor, now: datetime) -> Redemption:
    gives_code = reward.type != RewardType.CREDITS
    platform = platform_for_codes(customer.store) if gives_code else ""
    redemption: Redemption = Redemption.objects.create(
        store=customer.store,
        customer=customer,
        reward=reward,
        reward_name=reward.name,
        points=reward.points,
        type=reward.type,
        value=reward.value,
        currency=reward.currency,
        code=_new_code() if gives_code else None,
        expires_at=_expiry(reward, customer.store, now),
        platform=platform,
        platform_state=PlatformState.PENDING if platform else None,
        actor=actor.ref,
        created_at=now,
        updated_at=now,
    )
    return redemption


def _new_code() -> str:
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)


def _expiry(reward: Reward, store: Store, now: datetime) -> datetime | None:
    if reward.valid_days is None:
        return None
    return end_of_day(local_day(now, store.tz) + timedelta(days=reward.valid_days), store.tz)


def _spend(redemption: Redemption, customer: Customer, act: Act) -> None:
    cause = Cause(redemption_id=redemption.pk)
    try:
        POINTS.spend(customer, redemption.points, currency="", cause=cause, act=act)
    except InsufficientBalance as error:
        raise InsufficientBalance.at("/reward", error.detail) from error


def _grant(redemption: Redemption, customer: Customer, act: Act) -> None:
    posted = CREDITS.grant(
        customer,
        redemption.value,
        currency=redemption.currency,
        new_lot=NewLot(Origin.REWARD, redemption.expires_at),
        cause=Cause(redemption_id=redemption.pk),
        remark_id=None,
        act=act,
    )
    redemption.credit_lot_id = posted.lot_id
    redemption.save(update_fields=["credit_lot"])
