"""How far support staff may adjust balances: so much a day, person and kind, by whichever way (L6, T2, T7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.days import local_day
from loyalty.core.errors import Invalid
from loyalty.core.money import format_amount
from loyalty.ledger.ledger import Kind
from loyalty.ledger.planner import Amount
from loyalty.store_settings.sections import LimitSettings
from loyalty.stores.models import DayOfAdjusting, Role, Store, User
from loyalty.stores.roles import Can, allows

# Long enough for every time zone.
_KEPT: Final = timedelta(days=7)


class AboveLimit(Invalid):
    """More than this person may still give or remove today."""

    code = "above-limit"
    title = gettext_noop("This is more than you may adjust.")


@dataclass(frozen=True, slots=True)
class Adjuster:
    """A person who gives and removes value by hand in one store, with the store's limits."""

    store: Store
    user: User
    role: Role
    limits: LimitSettings


def day_limit(kind: Kind, *, role: Role, limits: LimitSettings) -> Amount | None:
    """The most that a person with ``role`` may give and remove in a day; None for no limit, 0 for not at all.

    The limit for credits is in the store's currency.
    """
    if allows(role, Can.ADJUST_WITHOUT_LIMIT):
        return None
    if not allows(role, Can.ADJUST_LEDGER):
        return 0
    limit: Amount | None = limits.support_adjust_credits if kind == "credits" else limits.support_adjust_points
    return limit if limit is not None else 0


def left_today(kind: Kind, adjuster: Adjuster, *, now: datetime) -> Amount | None:
    """What the person may still give and remove on the store's local day of ``now``; None for no limit."""
    limit = day_limit(kind, role=adjuster.role, limits=adjuster.limits)
    if limit is None:
        return None
    used = _days(kind, adjuster, now).values_list("amount", flat=True).first()
    return _left(kind, limit, used or Decimal(0))


def lock_left_today(kind: Kind, adjuster: Adjuster, *, now: datetime) -> Amount | None:
    """As :func:`left_today`, with the person's day locked until the end of the transaction.

    Taken before any customer is locked: two tabs of one person then wait here, and count what the other gave.
    """
    limit = day_limit(kind, role=adjuster.role, limits=adjuster.limits)
    if limit is None:
        return None
    day = local_day(now, adjuster.store.tz)
    DayOfAdjusting.objects.for_store(adjuster.store).bulk_create(
        [DayOfAdjusting(store=adjuster.store, user=adjuster.user, kind=kind, day=day)], ignore_conflicts=True
    )
    return _left(kind, limit, _days(kind, adjuster, now).select_for_update().get().amount)


def note_adjusted(kind: Kind, amount: Amount, adjuster: Adjuster, *, now: datetime) -> None:
    """Count what the person gave and removed, in the transaction that did it; ``amount`` adds up both."""
    if amount and day_limit(kind, role=adjuster.role, limits=adjuster.limits) is not None:
        _days(kind, adjuster, now).update(amount=F("amount") + amount)


def check_within_limit(kind: Kind, amount: Amount, *, currency: str, adjuster: Adjuster, left: Amount | None) -> None:
    """Raise AboveLimit at ``/amount`` for more than is ``left``; whether it is given or removed does not matter."""
    if left is None:
        return
    store = adjuster.store
    if not day_limit(kind, role=adjuster.role, limits=adjuster.limits):
        raise AboveLimit.at("/amount", _("Your role may not give or remove this. Ask a manager."))
    if kind == "credits" and currency != store.currency:
        raise AboveLimit.at(
            "/amount", _("Your role may adjust %(currency)s only. Ask a manager.") % {"currency": store.currency}
        )
    if max(amount, -amount) > left:
        raise AboveLimit.at(
            "/amount",
            _("%(left)s left today. Ask a manager for more.") % {"left": _amount(kind, left, store)},
        )


def words_of_left(kind: Kind, left: Amount, store: Store) -> str:
    """“400 points left today.”, as the pages say it before the button is pressed."""
    return _("%(left)s left today.") % {"left": _amount(kind, left, store)}


def _amount(kind: Kind, left: Amount, store: Store) -> str:
    return format_amount(left, store.currency if kind == "credits" else "", store.written_in)


def _days(kind: Kind, adjuster: Adjuster, now: datetime) -> "QuerySet[DayOfAdjusting]":
    days = DayOfAdjusting.objects.for_store(adjuster.store)
    return days.filter(user=adjuster.user, kind=kind, day=local_day(now, adjuster.store.tz))


def _left(kind: Kind, limit: Amount, used: Decimal) -> Amount:
    left = max(Decimal(0), limit - used)
    return left if kind == "credits" else int(left)
