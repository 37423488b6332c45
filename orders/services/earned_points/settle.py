"""Points that orders earn: awarded, taken back when the order falls through, given again when it comes back (C1).

What the customer should keep follows from the order alone; settling compares it with what was awarded and taken, so it
may run any number of times. It is part of the transaction that changes the order: whoever calls holds the order's lock.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from django.db import connection

from loyalty.core.days import end_of_day, local_day
from loyalty.core.tags import first_match
from loyalty.database.bulk import array
from loyalty.journal.record import Event, Happening, record
from loyalty.ledger.earned import Award, Receiver, TakeBack, award, receivers, shared, take_back
from loyalty.ledger.planner import Amount
from loyalty.ledger.posting import lock_customers
from loyalty.store_settings.sections import StoreSettings, earning_since
from loyalty.stores.actors import Act
from loyalty.stores.models import Store
from orders.models import Order, OrderStatus
from orders.services.earned_points.rules import Earned, Settling, earns, forfeited, seen_in_time, settling
from orders.services.earned_points.shortfalls import settle_shortfalls, with_shortfalls
from orders.services.events import happened_to
from orders.services.rules.decide import Facts, facts_of
from orders.services.rules.trace import Matched
from points.expiry_scheme import scheme_last_day
from points.ledger import POINTS


@dataclass(frozen=True, slots=True)
class Earner:
    """An order whose points may have to be settled, with the store and settings that govern it."""

    order: Order
    store: Store
    settings: StoreSettings


@dataclass(frozen=True, slots=True)
class _Due:
    earner: Earner
    customer_id: int
    awards: int
    settles: Settling
    matched: Matched = field(default_factory=Matched)
    # Who got what the order earned: it is taken back from them, whoever the order belongs to now (C2).
    receivers: Sequence[Receiver] = ()

    @property
    def people(self) -> set[int]:
        """Whose points it may move."""
        return {self.customer_id, *(who.customer_id for who in self.receivers)}

    @property
    def is_nothing(self) -> bool:
        return not self.awards and self.settles == Settling()

    @property
    def takes(self) -> dict[int, Amount]:
        """From whom how much is taken."""
        return shared(self.settles.take, [(who.customer_id, who.has) for who in self.receivers])

    @property
    def gives(self) -> dict[int, Amount]:
        """To whom how much is given: an award to the order's customer, what was taken to whom it was taken from."""
        if self.awards:
            return {self.customer_id: self.awards}
        return shared(self.settles.give, [(who.customer_id, who.taken) for who in self.receivers])


def settle_earned(earners: Iterable[Earner], *, act: Act) -> None:
    """Award, take back or give again what these orders' state asks for, in statements that do not grow with them.

    Points come back out of the lot that the order earned first, then out of others by L3, never below zero; a
    shortfall counts against what is earned next, or is kept as a debt where the store allows it. Who may not award (T7)
    awards nothing, and the order's timeline says so.
    """
    dues = _planned(earners, act=act)
    lock_customers({customer for due in dues for customer in due.people})
    _settle(dues, act=act)


def settle_in_turns(earners: Sequence[Earner], *, act: Act) -> None:
    """What :func:`settle_earned` comes to for one order after the other.

    Together it gives first, then takes, and what is owed counts last. So orders whose customers meet in another one,
    where one of the two is no award or something is still short, are settled by themselves; the others together.
    """
    dues = _planned(earners, act=act)
    lock_customers({customer for due in dues for customer in due.people})
    meeting = _meeting(dues)
    _settle([due for due in dues if meeting.isdisjoint(due.people)], act=act)
    for due in dues:
        if not meeting.isdisjoint(due.people):
            # The one before may have been taken out of this one's award, or have paid what this one left untaken.
            due.earner.order.refresh_from_db(fields=_COLUMNS)
            settle_earned([due.earner], act=act)


def _planned(earners: Iterable[Earner], *, act: Act) -> Sequence[_Due]:
    """What is due; who may not award (T7) only tells."""
    dues = _in_time([due for earner in earners if (due := _due(earner)) and not due.is_nothing])
    if not act.actor.may_award:
        record([_not_earned(due, act.trigger) for due in dues if due.awards], actor=act.actor, now=act.now)
        dues = [due for due in dues if not due.awards]
    return _with_receivers(dues)


def _meeting(dues: Sequence[_Due]) -> set[int]:
    """Customers of several orders for whom it matters which of these is settled first."""
    orders = Counter(customer for due in dues for customer in due.people)
    several = {customer for customer, count in orders.items() if count > 1}
    if not several:
        return several
    turns = {customer for due in dues if not due.awards for customer in due.people}
    return (several & turns) | with_shortfalls(several)


def _settle(dues: Sequence[_Due], *, act: Act) -> None:
    """Do what is due; the customers are locked."""
    if not dues:
        return
    _give([due for due in dues if due.awards or due.settles.give], act=act)
    taken = _take([due for due in dues if due.settles.take], act=act)
    _write(dues, taken)
    record([_told(due, taken.get(due.earner.order.pk, 0), act.trigger) for due in dues], actor=act.actor, now=act.now)
    settle_shortfalls(_awarded(dues), settled_now=[due.earner.order.pk for due in dues], act=act)


def _awarded(dues: Sequence[_Due]) -> dict[int, int]:
    """What these orders have just earned, by customer, where the store counts shortfalls against it."""
    earned: Counter[int] = Counter()
    for due in dues:
        if due.awards and due.earner.settings.earned_points.carry_shortfall:
            earned[due.customer_id] += due.awards
    return dict(earned)


def earned_of(order: Order) -> Earned:
    """What the order has earned so far."""
    return Earned(order.points_earned, order.points_taken_back, order.points_not_taken)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Earned points that a cancel would take back, and what of them is not there: dropped, or owed.

    They are taken from whoever got them; ``from_own`` is the part of the order's present customer (C2). ``kept_by`` is
    the skip tag that keeps them with the customer.
    """

    takes: int = 0
    dropped: int = 0
    owed: int = 0
    from_own: int = 0
    kept_by: str | None = None


def forecast(order: Order, settings: StoreSettings, *, balance: int, now: datetime) -> Forecast:
    """What cancelling ``order`` does to the points it earned, when its customer has ``balance`` points by then."""
    if order.status == OrderStatus.CANCELLED:
        return Forecast()
    earned, cancelled = earned_of(order), replace(facts_of(order), status=OrderStatus.CANCELLED)
    due = settling(earned, forfeited(cancelled, earned.awarded, settings.earned_points)).take
    if not due:
        return Forecast(kept_by=_kept_by(cancelled, earned, settings))
    got = receivers(POINTS, [order.pk]).get(order.pk, ())
    shares = shared(due, [(who.customer_id, who.has) for who in got])
    others = shares.keys() - {order.customer_id}
    held = {customer: points for (customer, _), points in (POINTS.available(others, now=now) if others else {}).items()}
    held |= {order.customer_id or 0: balance}
    missing = {customer: max(0, points - max(0, held.get(customer, 0))) for customer, points in shares.items()}
    short, own = int(sum(missing.values())), order.customer_id or 0
    if settings.earned_points.allow_negative:
        return Forecast(takes=due, owed=short, from_own=int(shares.get(own, 0)))
    return Forecast(takes=due - short, dropped=short, from_own=int(shares.get(own, 0) - missing.get(own, 0)))


def keeping_tag(order: Order, settings: StoreSettings) -> str | None:
    """The skip tag but for which points that ``order`` earned would be taken back; None for none (N3, N6)."""
    return _kept_by(facts_of(order), earned_of(order), settings)


def _kept_by(facts: Facts, earned: Earned, settings: StoreSettings) -> str | None:
    rules = settings.earned_points
    would_go = forfeited(facts, earned.awarded, replace(rules, skip_tags=())).due > earned.taken + earned.dropped
    return first_match(rules.skip_tags, facts.tag_keys) if would_go else None


def _due(earner: Earner) -> _Due | None:
    order, settings = earner.order, earner.settings
    customer_id: int | None = order.customer_id
    if customer_id is None:
        return None
    earned = earned_of(order)
    if not earned.awarded:
        awards = earns(order, settings.earning, currency=earner.store.currency)
        # What would be taken back at once is not given in the first place.
        is_kept = forfeited(facts_of(order), awards, settings.earned_points).due < awards
        return _Due(earner, customer_id, awards if is_kept else 0, Settling())
    forfeit = forfeited(facts_of(order), earned.awarded, settings.earned_points)
    return _Due(earner, customer_id, 0, settling(earned, forfeit), forfeit.matched)


def _in_time(dues: Sequence[_Due]) -> Sequence[_Due]:
    """Without awards for orders that are looked at too late to earn (C2); one query where something would be earned."""
    awarding = {due.earner.store.pk for due in dues if due.awards}
    since = earning_since(awarding) if awarding else {}
    return [due for due in dues if not due.awards or seen_in_time(due.earner.order, since.get(due.earner.store.pk))]


def _with_receivers(dues: Sequence[_Due]) -> Sequence[_Due]:
    settled = [due.earner.order.pk for due in dues if not due.awards]
    got = receivers(POINTS, settled) if settled else {}
    return [replace(due, receivers=got.get(due.earner.order.pk, ())) for due in dues]


def _give(dues: Sequence[_Due], *, act: Act) -> None:
    awards = [
        Award(
            store_id=due.earner.store.pk,
            customer_id=customer_id,
            order_id=due.earner.order.pk,
            amount=points,
            expires_at=_expiry(due.earner, act.now),
        )
        for due in dues
        for customer_id, points in due.gives.items()
    ]
    award(POINTS, awards, act=act)


def _expiry(earner: Earner, now: datetime) -> datetime | None:
    last_day = scheme_last_day(earner.settings.points_expiry, awarded=local_day(now, earner.store.tz))
    return end_of_day(last_day, earner.store.tz) if last_day else None


def _take(dues: Sequence[_Due], *, act: Act) -> dict[int, int]:
    takes = [
        TakeBack(
            store_id=due.earner.store.pk,
            customer_id=customer_id,
            order_id=due.earner.order.pk,
            amount=points,
            may_owe=due.earner.settings.earned_points.allow_negative,
        )
        for due in dues
        for customer_id, points in due.takes.items()
    ]
    taken = take_back(POINTS, takes, act=act)
    return {order_id: int(points) for order_id, points in taken.items()}


_COLUMNS: Final = ("points_earned", "points_taken_back", "points_not_taken")
_WRITE: Final = """
UPDATE orders_order SET points_earned = change.earned, points_taken_back = change.taken,
    points_not_taken = change.dropped
FROM unnest(%(ids)s::bigint[], %(earned)s::bigint[], %(taken)s::bigint[], %(dropped)s::bigint[])
    AS change (id, earned, taken, dropped)
WHERE orders_order.id = change.id
"""


def _write(dues: Sequence[_Due], taken: dict[int, int]) -> None:
    for due in dues:
        order, settles = due.earner.order, due.settles
        back = taken.get(order.pk, 0)
        order.points_earned += due.awards
        order.points_taken_back += back - settles.give
        order.points_not_taken += settles.take - back - settles.forget
    orders = [due.earner.order for due in dues]
    values = {name: array(getattr(order, name) for order in orders) for name in _COLUMNS}
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "ids": array(order.pk for order in orders),
                "earned": values["points_earned"],
                "taken": values["points_taken_back"],
                "dropped": values["points_not_taken"],
            },
        )


def _not_earned(due: _Due, trigger: str) -> Happening:
    return happened_to(due.earner.order, Event.POINTS_NOT_EARNED, {"points": due.awards, "trigger": trigger})


def _told(due: _Due, taken: int, trigger: str) -> Happening:
    order = due.earner.order
    data: dict[str, Any] = {"trigger": trigger}
    if due.settles.take:
        event = Event.POINTS_TAKEN_BACK
        data |= {"points": taken, "dropped": due.settles.take - taken, "matched": asdict(due.matched)}
    elif due.settles.give or due.settles.forget:
        event, data = Event.POINTS_GIVEN_AGAIN, data | {"points": due.settles.give}
    else:
        event, data = Event.POINTS_EARNED, data | {"points": due.awards}
    return happened_to(order, event, data)
