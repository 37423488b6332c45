"""Telling customers before what they have expires: one digest each, every lot once (H3)."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from loyalty.core.days import end_of_day, last_day_of_use, local_day
from loyalty.core.phrases import listed
from loyalty.jobs.problems import by_halves, solved
from loyalty.journal.models import CustomerProblem
from loyalty.ledger.ledger import Kind
from loyalty.ledger.models import AbstractLot
from loyalty.ledger.planner import Amount
from loyalty.notices.deliver import ACTOR
from loyalty.notices.letter import Content, Part, write_letter
from loyalty.notices.models import Notice, Reminder
from loyalty.notices.unsubscribe import link_of
from loyalty.notices.voice import Voice
from loyalty.notices.write import Letter, in_language_of, queue
from loyalty.store_settings.sections import StoreSettings, settings_by_store
from loyalty.stores.models import Customer, Store
from orders.kinds import KINDS, LEDGERS, name_in, title_in

JOB: Final = "loyalty.deliver_notices"
BATCH: Final = 500
_LOT: Final[Mapping[Kind, str]] = {"credits": "credit_lot", "points": "point_lot"}


@dataclass(frozen=True, slots=True)
class Ending:
    """Stores whose customers are to be told of what expires up to ``horizon``, a half-open instant.

    With the settings by which each of them writes.
    """

    settings: Mapping[int, StoreSettings]
    horizon: datetime


def write_reminders(now: datetime) -> int:
    """Write the digests that are due at ``now``; answers how many.

    Due is a lot with something left whose last day of use is at most the store's ``days_before`` days away, in its
    time zone, and of which its customer was not told yet. May run in several workers at once and be killed at any
    moment: a batch is one transaction, and customers who are being written to are left to the next run.
    """
    return sum(_write(ending, kind, now) for ending in _endings(now) for kind in KINDS)


def _endings(now: datetime) -> list[Ending]:
    """The stores that want reminders, together where their days end together: a query serves all of those."""
    wanted = {pk: saved for pk, saved in settings_by_store().items() if saved.reminders.days_before is not None}
    by_horizon: dict[datetime, dict[int, StoreSettings]] = defaultdict(dict)
    for store in Store.objects.filter(pk__in=wanted):
        last_day = local_day(now, store.tz) + timedelta(days=wanted[store.pk].reminders.days_before or 0)
        by_horizon[end_of_day(last_day, store.tz)][store.pk] = wanted[store.pk]
    return [Ending(settings, horizon) for horizon, settings in by_horizon.items()]


def _write(ending: Ending, kind: Kind, now: datetime) -> int:
    total = 0
    while True:
        claimed, written = _remind_batch(ending, kind, now)
        total += written
        if not claimed:
            return total


@transaction.atomic
def _remind_batch(ending: Ending, kind: Kind, now: datetime) -> tuple[int, int]:
    """Write one digest to each of the next customers who are due for ``kind``; it tells of both kinds.

    Answers how many customers were claimed, and how many digests were written.
    """
    aside = CustomerProblem.unscoped.filter(job=JOB, next_attempt_at__gt=now).values("customer")
    due = _due(kind, ending, now).exclude(customer__in=aside).order_by("expires_at").values("customer")[:BATCH]
    customers = Customer.unscoped.filter(pk__in=due).select_related("store").order_by("pk")
    claimed = list(customers.select_for_update(of=("self",), no_key=True, skip_locked=True))
    written = Counter[str]()

    def remind(part: Sequence[Customer]) -> None:
        written["notices"] += _remind(part, ending, kind, now)
        solved(CustomerProblem, part, job=JOB)

    if claimed:
        by_halves(CustomerProblem, claimed, remind, job=JOB, now=now)
    return len(claimed), written["notices"]


def _remind(claimed: Sequence[Customer], ending: Ending, kind: Kind, now: datetime) -> int:
    # Read again under the locks: another worker may have told some of them while the claim was being made.
    lots = _lots_by_customer(claimed, ending, now)
    told = [customer for customer in claimed if customer.pk in lots]
    notices = queue([_letter_to(customer, lots[customer.pk], ending) for customer in told], actor=ACTOR, now=now)
    Reminder.unscoped.bulk_create(
        _reminder(kind, lot, notice, now)
        for notice in notices
        for kind, mine in lots[notice.customer_id].items()
        for lot in mine
    )
    return len(notices)


def _due(kind: Kind, ending: Ending, now: datetime) -> "QuerySet[AbstractLot]":
    told = Reminder.unscoped.filter(**{_LOT[kind]: OuterRef("pk")})
    lots = LEDGERS[kind].tables.lot.unscoped.filter(
        store__in=ending.settings, remaining__gt=0, expires_at__gt=now, expires_at__lte=ending.horizon
    )
    return lots.filter(~Exists(told)).filter(customer__no_reminders_since__isnull=True).exclude(customer__email="")


Lots = Mapping[Kind, Sequence[Any]]
# What expires, in which currency, and its last day of use.
What = tuple[Amount, str, date | None]


def _lots_by_customer(customers: Sequence[Customer], ending: Ending, now: datetime) -> dict[int, Lots]:
    found: dict[int, dict[Kind, list[AbstractLot]]] = defaultdict(lambda: {kind: [] for kind in KINDS})
    for kind in KINDS:
        for lot in _due(kind, ending, now).filter(customer__in=customers).order_by("expires_at", "pk"):
            found[lot.customer_id][kind].append(lot)
    return dict(found)


def _reminder(kind: Kind, lot: AbstractLot, notice: Notice, now: datetime) -> Reminder:
    return Reminder(
        store_id=lot.store_id,
        customer_id=lot.customer_id,
        notice=notice,
        created_at=now,
        **{f"{_LOT[kind]}_id": lot.pk},
    )


def _letter_to(customer: Customer, lots: Lots, ending: Ending) -> Letter:
    voice = Voice(customer.store, ending.settings[customer.store_id])
    with in_language_of(customer, customer.store):
        endings = {kind: _endings_of(mine, customer.store) for kind, mine in lots.items() if mine}
        content = tell_of_endings(endings, voice=voice, customer=customer.name, stop=link_of(customer))
        return Letter(write_letter(content, voice), customer, None)


def tell_of_endings(endings: Mapping[Kind, Sequence[What]], *, voice: Voice, customer: str, stop: str) -> Content:
    """What a customer of this name reads about what expires: a line for each amount and day, kind by kind.

    At ``stop`` he has no more reminders sent to him.
    """
    names = listed(name_in(voice, kind) for kind in endings)
    return Content(
        "expiring",
        _("%(store)s: %(kinds)s expire soon") % {"store": voice.store.name, "kinds": names},
        _("Some of what you have at %(store_name)s expires soon. You can use it until the end of the day named here.")
        % {"store_name": voice.store.name},
        customer,
        [Part(title_in(voice, kind), [_line(what, voice) for what in mine]) for kind, mine in endings.items()],
        stop=stop,
        facts={
            "amount": listed(voice.show(*each) for mine in endings.values() for each in _sums(mine)),
            "day": voice.day(min((day for mine in endings.values() for *_amount, day in mine if day), default=None)),
        },
    )


def _sums(mine: Sequence[What]) -> list[tuple[Amount, str]]:
    sums: dict[str, Amount] = defaultdict(int)
    for amount, currency, _day in mine:
        sums[currency] += amount
    return [(amount, currency) for currency, amount in sums.items()]


def _line(what: What, voice: Voice) -> str:
    amount, currency, day = what
    words = _("%(amount)s: until %(day)s")
    return words % {"amount": voice.show(amount, currency), "day": voice.day(day)}


def _endings_of(lots: Sequence[Any], store: Store) -> list[What]:
    """One for each last day and currency, soonest first."""
    sums: dict[tuple[datetime, str], Amount] = defaultdict(int)
    for lot in lots:
        sums[lot.expires_at, lot.currency] += lot.remaining
    return [
        (amount, currency, last_day_of_use(expires_at, store.tz)) for (expires_at, currency), amount in sums.items()
    ]
