"""What a store offers for points (R1)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.core.errors import FieldError, Invalid, NotFound
from loyalty.core.money import is_currency, quantise
from loyalty.journal.record import Event, Happening, record
from loyalty.languages.own_names import own_words
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.models import Reward, RewardType

_MOST_PERCENT: Final = 100
# Beyond this a day's arithmetic leaves the calendar, and nobody means it; without a number it is for ever.
MOST_DAYS: Final = 3650


@dataclass(frozen=True, slots=True)
class RewardTerms:
    """What staff or a client say of a reward.

    ``value`` is an amount of money, or a percentage such as 10, which has no ``currency``; money without one is in the
    store's.
    """

    name: str
    points: int
    type: str
    value: Decimal
    currency: str = ""
    valid_days: int | None = None
    limit_per_customer: int | None = None
    active: bool = True


@transaction.atomic
def create_reward(*, store: Store, terms: RewardTerms, actor: Actor, now: datetime) -> Reward:
    """A new reward. Raises Invalid at the pointer of each term that cannot be."""
    values = check_terms(terms, store)
    reward: Reward = Reward.objects.create(store=store, **values, created_at=now, updated_at=now)
    _record(reward, Event.REWARD_CREATED, values, actor, now)
    return reward


@transaction.atomic
def change_reward(*, store: Store, reward_id: int, terms: RewardTerms, actor: Actor, now: datetime) -> Reward:
    """Change a reward; what was redeemed keeps the terms of its moment.

    Raises NotFound for a reward of another store, Invalid as for a new one.
    """
    reward: Reward | None = Reward.objects.for_store(store).select_for_update().filter(pk=reward_id).first()
    if reward is None:
        raise NotFound(_("This store has no reward with the id %(id)s.") % {"id": reward_id})
    values = check_terms(terms, store)
    changed = {name: value for name, value in values.items() if getattr(reward, name) != value}
    if not changed:
        return reward
    for name, value in changed.items():
        setattr(reward, name, value)
    reward.updated_at = now
    reward.save(update_fields=[*changed, "updated_at"])
    _record(reward, Event.REWARD_CHANGED, changed, actor, now)
    return reward


def check_terms(terms: RewardTerms, store: Store) -> dict[str, Any]:
    """The columns of a reward with these terms. Raises Invalid at the pointer of each that cannot be."""
    percentage = terms.type == RewardType.PERCENTAGE
    currency = "" if percentage else terms.currency or store.currency
    errors = [*_wrong_numbers(terms), *_wrong_value(terms, currency)]
    if percentage and terms.currency:
        errors.append(FieldError("/currency", "does-not-fit", _("A percentage has no currency.")))
    if errors:
        raise Invalid(errors=errors)
    return {
        "name": terms.name,
        "points": terms.points,
        "type": terms.type,
        "value": terms.value,
        "currency": currency,
        "valid_days": terms.valid_days,
        "limit_per_customer": terms.limit_per_customer,
        "active": terms.active,
    }


def _wrong_numbers(terms: RewardTerms) -> list[FieldError]:
    errors = []
    if not terms.name.strip():
        errors.append(FieldError("/name", "blank", _("A reward needs a name.")))
    if terms.points <= 0:
        errors.append(FieldError("/points", "out-of-range", own_words("A reward costs at least one point.")))
    if terms.valid_days is not None and not 1 <= terms.valid_days <= MOST_DAYS:
        detail = _("What is given is valid for 1 to %(days)s days, or without a number for ever.") % {"days": MOST_DAYS}
        errors.append(FieldError("/valid_days", "out-of-range", detail))
    if terms.limit_per_customer is not None and terms.limit_per_customer < 1:
        detail = own_words("A limit is at least 1; without one a customer may redeem as often as there are points.")
        errors.append(FieldError("/limit_per_customer", "out-of-range", detail))
    return errors


def _wrong_value(terms: RewardTerms, currency: str) -> list[FieldError]:
    if terms.value <= 0:
        return [FieldError("/value", "zero", _("A reward is worth more than nothing."))]
    if not currency:
        return _wrong_percentage(terms.value)
    if not is_currency(currency):
        return [FieldError("/currency", "unknown-currency", _("This is not a currency code such as USD."))]
    try:
        quantise(terms.value, currency)
    except ValueError as error:
        return [FieldError("/value", "too-fine", str(error))]
    return []


def _wrong_percentage(value: Decimal) -> list[FieldError]:
    if value > _MOST_PERCENT:
        return [FieldError("/value", "does-not-fit", _("At most 100 percent."))]
    if value != round(value, 2):
        return [FieldError("/value", "too-fine", _("A percentage has at most two decimals."))]
    return []


def _record(reward: Reward, event: Event, changed: dict[str, Any], actor: Actor, now: datetime) -> None:
    said = {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in changed.items()}
    happening = Happening(reward.store_id, event, data={"reward": str(reward.pk), "name": reward.name, "terms": said})
    record([happening], actor=actor, now=now)
