"""One way to try again: how long is waited, whose turn it is, what is written after a failure, trying by hand (E7).

What is tried again is a row with its failures so far (``attempts``), its turn (``next_attempt_at``; none once it has
ended) and why it failed (``last_error``). What of a kind waits, and how one is tried by hand, its
:class:`loyalty.jobs.waiting.Waiting` says; one page shows them all.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from loyalty.core.errors import NotFound
from loyalty.core.logs import what_failed
from loyalty.core.storable_text import storable
from loyalty.database.error_words import error_words
from loyalty.database.named_stores import in_stores
from loyalty.jobs.periodic import wake, wake_later
from loyalty.partners.breaker import NoAnswer

M = TypeVar("M", bound=Model)

_LONGEST: Final = 1000
_BATCH: Final = 1000
# What fits into the narrowest column of errors.
_SHORT: Final = 200


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long is waited after each failure in a row. After the last one it is given up, or that pause repeats."""

    steps: tuple[timedelta, ...]
    repeats: bool = False

    def turn(self, failures: int, now: datetime, *, wait: timedelta = timedelta(0)) -> datetime | None:
        """When it is tried again after so many failures, not before ``wait`` is over; None when it is given up."""
        return None if self.are_over(failures) else now + max(self.steps[min(failures, len(self.steps)) - 1], wait)

    def are_over(self, failures: int) -> bool:
        """Whether so many failures are too many to go on."""
        return failures > len(self.steps) and not self.repeats


def _minutes(*minutes: int) -> tuple[timedelta, ...]:
    return tuple(timedelta(minutes=number) for number in minutes)


# Soon at first, in case it was a hiccup, then less and less often.
_LADDER: Final = _minutes(1, 5, 30, 120, 480, 1440, 1440, 1440)
# What a partner is told: for four days, as webhooks promise.
OUTBOX: Final = Pauses(_LADDER)
# What a customer is written, and what a platform sent: for a day and a half; then staff decide.
NOTICES: Final = Pauses(_LADDER[:6])
# A mail that the server says it will never take: twice more, in case it was set up wrongly for a moment.
REFUSED_MAIL: Final = Pauses(_LADDER[:2])
DELIVERIES: Final = Pauses(_LADDER[:6])
# What cannot be read will not be read later either.
NEVER: Final = Pauses(())
# A link that lets somebody in: its reader asks again.
LETTERS: Final = Pauses(_LADDER[:5])
# A partner that fails is asked once an hour for as long as it does.
PARTNERS: Final = Pauses(_minutes(1, 5, 15, 30, 60), repeats=True)
# What a job could not process stays undone until it can be.
PROBLEMS: Final = Pauses(_minutes(5, 30, 120, 720), repeats=True)


def next_due(rows: "QuerySet[M]", now: datetime, left_out: AbstractSet[int]) -> M | None:
    """Lock the row whose turn came first, of those no other worker is at; None when nobody's has come."""
    return all_due(rows, now, left_out).first()


def all_due(rows: "QuerySet[M]", now: datetime, left_out: AbstractSet[int]) -> "QuerySet[M]":
    """Those whose turn has come, in turn, of which no other worker is at any; read, they are locked."""
    due = rows.filter(next_attempt_at__lte=now).exclude(pk__in=left_out).order_by("next_attempt_at", "pk")
    return due.select_for_update(of=("self",), skip_locked=True, no_key=True)


def put_off(row: Any, why: str, pauses: Pauses, now: datetime, *, wait: timedelta = timedelta(0)) -> bool:
    """Note a failure, which ``attempts`` counts already, and the next turn; False when it is given up. Not saved."""
    row.last_error = storable(why)
    row.next_attempt_at = pauses.turn(row.attempts, now, wait=wait)
    return row.next_attempt_at is not None


def put_all_off(rows: "QuerySet[Any]", error: NoAnswer, *, job: str, now: datetime) -> None:
    """Have all that are due wait, because whom each of them needs does not answer; it counts as no attempt of theirs.

    Those that another worker is at are left to it. To be called while every store is named; written in their own (T1).
    """
    due = rows.filter(next_attempt_at__lte=now).order_by("pk")
    stores = set(due.order_by().values_list("store_id", flat=True).distinct())
    free = due.select_for_update(of=("self",), skip_locked=True, no_key=True).values_list("pk", flat=True)
    values = {"next_attempt_at": now + error.after, "last_error": storable(str(error))[:_SHORT]}
    with in_stores(stores - {None}):
        while _write_some(rows, free[:_BATCH], values):
            pass
    wake_later(job, seconds=error.after.total_seconds())


@transaction.atomic
def _write_some(rows: "QuerySet[Any]", some: "QuerySet[Any]", values: dict[str, Any]) -> int:
    return rows.filter(pk__in=list(some)).update(**values)


def words_of(error: Exception) -> str:
    """An error that nobody foresaw, as it is kept for the store's people; of a database's without the row it quotes."""
    if isinstance(error, DatabaseError):
        said = error_words(error) or what_failed(error)
    else:
        said = f"{type(error).__name__}: {error}"
    return storable(said)[:_LONGEST]


def lock_own(rows: "QuerySet[M]", key: int) -> M:
    """Lock one of a store's rows. Raises NotFound for any other (T1)."""
    row = rows.select_for_update(of=("self",), no_key=True).filter(pk=key).first()
    if row is None:
        raise NotFound(_("This store has nothing with the id %(id)s.") % {"id": key})
    return row


def start_over(row: Model, *, job: str, **values: object) -> None:
    """By hand: write its turn, with all its attempts before it, and have the job look. Under the row's lock."""
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))
    wake(job)
