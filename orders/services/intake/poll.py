"""Asking the platforms what has changed: webhooks get lost on all of them (O2).

Time is fetched in stretches of at most a day, each in pages of bounded size. How far a connection has come stands on
its row, written after each page, so a run that is killed is taken up where it was. A worker holds a connection by a
lease: no lock and no transaction is open while the platform is asked.
"""

import logging
import uuid
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.clock import Clock, ticking
from loyalty.core.encryption import Secret, Unreadable
from loyalty.core.errors import Conflict
from loyalty.database.busy import raise_if_away
from loyalty.database.named_stores import in_store
from loyalty.jobs.periodic import Counts
from loyalty.jobs.places import is_over, one_more
from loyalty.jobs.retries import PARTNERS
from loyalty.jobs.waiting import Waiting
from loyalty.platforms.client import client_for
from loyalty.platforms.http.protocol import Document, PlatformClient, PlatformError, Throttled
from loyalty.platforms.models import PlatformConnection
from loyalty.platforms.read import read_order
from loyalty.platforms.registry import LABELS
from loyalty.platforms.snapshot import NotAnOrder, OrderGone
from loyalty.platforms.webhooks.keep import keep_unread
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.services.intake.ingest import Outcome, ingest
from orders.services.intake.platform_presence import note_deleted

logger = logging.getLogger(__name__)

# Fetched once more each time: platforms' clocks and search indexes are a little behind their orders.
OVERLAP: Final = timedelta(minutes=15)
STRETCH: Final = timedelta(days=1)
# Longer than any answer may take; said anew with each page.
LEASE: Final = timedelta(minutes=5)
# How long one run goes on; the next one takes over what it leaves.
_BUDGET: Final = timedelta(minutes=4)
_PAGES_IN_A_ROW: Final = 20
_UNEXPECTED_INSIDE: Final = gettext_noop("Something unexpected is in an order; the log says what.")


class PolledElsewhere(Conflict):
    """Another worker is fetching this connection's orders at this moment."""


_ELSEWHERE: Final = gettext_noop("The connection is being polled by another worker. Try again in a few minutes.")
_UNEXPECTED: Final = PlatformError(
    gettext_noop("Something unexpected went wrong while orders were fetched; the log says what.")
)


class _LeaseLost(Exception):
    """Another worker has taken the connection over."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One page: how many orders of which outcome, and up to when everything has been fetched."""

    counts: Mapping[str, int]
    polled_to: datetime
    done: bool


def poll_platforms(now: datetime) -> Counts:
    """Fetch what has changed at every connection up to ``now``; answers how many orders, by what came of them.

    Several workers share the connections. One that fails is left alone for a while and never stops the others.
    """
    return _poll(PlatformConnection.unscoped.all(), now)


def continue_polls(now: datetime) -> Counts:
    """Go on where a stretch of time is half fetched: a long gap, or a platform that asked us to slow down."""
    return _poll(PlatformConnection.unscoped.filter(poll_since__isnull=False), now)


def catch_up(
    connection: PlatformConnection, *, since: datetime | None, now: datetime
) -> Generator[Progress, None, None]:
    """Fetch one connection up to ``now``, from ``since`` when that is earlier than what was fetched; yields each page.

    Raises PolledElsewhere, PlatformError, Unreadable.
    """
    clock = ticking(now)
    leased = _lease(PlatformConnection.unscoped.filter(pk=connection.pk), clock())
    if leased is None:
        raise PolledElsewhere(_(_ELSEWHERE))
    if since is not None:
        begin = min(since, leased.polled_to or since)
        _save(leased, polled_to=begin, poll_since=None, poll_until=None, poll_cursor="")
    try:
        yield from _pages(leased, now, clock)
    except _LeaseLost:
        raise PolledElsewhere(_(_ELSEWHERE)) from None
    except (PlatformError, Unreadable) as error:
        _note(leased, error, clock())
        raise
    finally:
        _release(leased)


def _poll(connections: "QuerySet[PlatformConnection]", now: datetime) -> Counts:
    clock = ticking(now)
    counts: Counter[str] = Counter({"created": 0, "updated": 0, "unchanged": 0, "unreadable": 0, "failed": 0})
    finished: set[int] = set()
    tired: set[int] = set()
    while clock() < now + _BUDGET and not is_over():
        connection = _claim(connections.exclude(pk__in=finished | tired), clock())
        if connection is not None:
            # A platform that does not answer keeps nobody else waiting.
            one_more()
            with in_store(connection.store_id):
                is_finished = _poll_one(connection, now, clock, counts)
            (finished if is_finished else tired).add(connection.pk)
        elif tired:
            # Everybody has had a turn; those who have more to fetch get another one.
            tired.clear()
        else:
            break
    return counts


def _poll_one(connection: PlatformConnection, now: datetime, clock: Clock, counts: Counter[str]) -> bool:
    """Some pages of one connection; whether it is done with for this run."""
    try:
        for number, page in enumerate(_pages(connection, now, clock), start=1):
            counts.update(page.counts)
            if not page.done and number >= _PAGES_IN_A_ROW:
                return False
    except _LeaseLost:
        logger.warning("Connection %s has been taken over by another worker.", connection.pk)
    except (PlatformError, Unreadable) as error:
        counts["postponed" if isinstance(error, Throttled) else "failed"] += 1
        _note(connection, error, clock())
    except Exception as error:
        raise_if_away(error)
        logger.exception("Connection %s could not be polled.", connection.pk)
        counts["failed"] += 1
        _note(connection, _UNEXPECTED, clock())
    finally:
        _release(connection)
    return True


def _claim(connections: "QuerySet[PlatformConnection]", now: datetime) -> PlatformConnection | None:
    """Lease the connection that was fetched the longest time ago, of those that can be asked now."""
    ripe = Q(poll_not_before__isnull=True) | Q(poll_not_before__lte=now)
    waiting = connections.filter(ripe, enabled=True, uninstalled_at__isnull=True)
    none = Secret()
    has_key = ~Q(access_token=none) | (~Q(consumer_key=none) & ~Q(consumer_secret=none))
    return _lease(waiting.filter(has_key).order_by(F("polled_to").asc(nulls_first=True), "pk"), now)


@transaction.atomic
def _lease(connections: "QuerySet[PlatformConnection]", now: datetime) -> PlatformConnection | None:
    free = Q(poll_leased_until__isnull=True) | Q(poll_leased_until__lte=now)
    # Two workers at once: the second one does not wait for the first, it takes the next connection.
    found = connections.filter(free).select_for_update(skip_locked=True, of=("self",)).select_related("store")
    connection: PlatformConnection | None = found.first()
    if connection is not None:
        connection.poll_lease, connection.poll_leased_until = uuid.uuid4(), now + LEASE
        connection.save(update_fields=["poll_lease", "poll_leased_until"])
    return connection


def _pages(connection: PlatformConnection, now: datetime, clock: Clock) -> Iterator[Progress]:
    """Page after page until everything up to ``now`` is here. Raises PlatformError, Unreadable, _LeaseLost."""
    client = client_for(connection)
    problem = ""
    while True:
        counts, trouble = _page(connection, client, now, clock)
        problem = trouble or problem
        done = connection.poll_since is None and connection.polled_to == now
        if done:
            _save(connection, **_healthy(connection, problem))
        yield Progress(counts, connection.polled_to or now, done)
        if done:
            return


def _stretch(connection: PlatformConnection, now: datetime) -> tuple[datetime, datetime]:
    """The time to fetch now: the stretch under way, since its cursor fits no other one, or the next."""
    if connection.poll_since is not None and connection.poll_until is not None:
        return connection.poll_since, connection.poll_until
    # Before the first poll there was no connection, and what is older is fetched by hand.
    since = (connection.polled_to or connection.created_at) - OVERLAP
    return since, min(since + STRETCH, now)


def _page(
    connection: PlatformConnection, client: PlatformClient, now: datetime, clock: Clock
) -> tuple[Counter[str], str]:
    """Fetch and record one page, then move on; answers the outcomes and what was wrong with the last bad order."""
    since, until = _stretch(connection, now)
    page = client.orders_updated(since=since, until=until, cursor=connection.poll_cursor)
    counts: Counter[str] = Counter()
    problem = ""
    for document in page.orders:
        outcome, trouble = _record(connection, document, clock())
        counts[outcome] += 1
        problem = trouble or problem
    place: dict[str, Any] = {"poll_since": None, "poll_until": None, "poll_cursor": "", "polled_to": until}
    if page.next_cursor:
        reached = connection.polled_to or since
        place = {"poll_since": since, "poll_until": until, "poll_cursor": page.next_cursor, "polled_to": reached}
    # After the orders, each of which has a transaction of its own: a page that is fetched twice does no harm.
    _save(connection, **place, poll_leased_until=clock() + LEASE)
    return counts, problem


def _record(connection: PlatformConnection, document: Document, now: datetime) -> tuple[str, str]:
    """What recording one order came to, and why it could not be. Raises only when the database is away."""
    store, platform = connection.store, connection.platform
    actor = Actor.platform(platform)
    try:
        snapshot = read_order(platform, document, tags_meta_key=connection.tag_meta_key)
        outcome = ingest(store=store, platform=platform, snapshot=snapshot, actor=actor, now=now, shown_at=now).outcome
    except OrderGone as gone:
        note_deleted(
            store=store,
            platform=platform,
            external_id=gone.external_id,
            said_at=gone.at,
            heard_at=now,
            actor=actor,
            now=now,
        )
        return "unchanged", ""
    except NotAnOrder as error:
        if error.for_good:
            return "unchanged", ""
        keep_unread(connection, document, error=str(error), now=now)
        return "unreadable", _("An order could not be read (%(named)s). %(error)s") % {
            "named": _named(document),
            "error": error,
        }
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("Order %s of connection %s could not be recorded.", _named(document), connection.pk)
        keep_unread(connection, document, error=_(_UNEXPECTED_INSIDE), now=now)
        return "unreadable", f"{_UNEXPECTED_INSIDE} ({_named(document)})"
    return outcome.value if outcome in (Outcome.CREATED, Outcome.UPDATED) else "unchanged", ""


def _named(document: Document) -> str:
    return str(document.get("name") or document.get("number") or document.get("order_number") or document.get("id"))[
        :50
    ]


def _healthy(connection: PlatformConnection, problem: str) -> dict[str, Any]:
    """The columns once everything is fetched; ``problem`` is about an order that was left out."""
    shown = connection.last_error if connection.last_error != connection.poll_error else ""
    return {"poll_failures": 0, "poll_not_before": None, "poll_error": problem, "last_error": problem or shown}


def _note(connection: PlatformConnection, error: Exception, now: datetime) -> None:
    """Leave the connection alone for a while, and show why."""
    if isinstance(error, Throttled):
        _save_forgiving(connection, poll_not_before=now + error.after)
        return
    failures = min(connection.poll_failures + 1, len(PARTNERS.steps))
    said = {"poll_error": str(error), "last_error": str(error)}
    _save_forgiving(connection, poll_not_before=PARTNERS.turn(failures, now), poll_failures=failures, **said)


def _save(connection: PlatformConnection, **values: Any) -> None:
    """Write columns while the lease is ours. Raises _LeaseLost."""
    ours = PlatformConnection.unscoped.filter(pk=connection.pk, poll_lease=connection.poll_lease)
    if not ours.update(**values):
        raise _LeaseLost
    for name, value in values.items():
        setattr(connection, name, value)


def _save_forgiving(connection: PlatformConnection, **values: Any) -> None:
    ours = PlatformConnection.unscoped.filter(pk=connection.pk, poll_lease=connection.poll_lease)
    ours.update(**values)


def _release(connection: PlatformConnection) -> None:
    _save_forgiving(connection, poll_lease=None, poll_leased_until=None)


def _failing(store: Store) -> "QuerySet[PlatformConnection]":
    # A platform that only asked us to slow down has not failed.
    rows: QuerySet[PlatformConnection] = PlatformConnection.objects.for_store(store).exclude(poll_error="")
    return rows.filter(poll_not_before__isnull=False, enabled=True, uninstalled_at__isnull=True)


WAITING: Final = Waiting(
    key="poll",
    label=gettext_noop("Fetching orders"),
    rows=_failing,
    about="platform",
    says=lambda platform: LABELS[platform],
    # Everything that changed before is here.
    columns={
        "created_at": "polled_to",
        "attempts": "poll_failures",
        "next_attempt_at": "poll_not_before",
        "last_error": "poll_error",
    },
    job="orders.poll_platforms",
    needs=Can.CHANGE_SETTINGS,
    sees=Can.CHANGE_SETTINGS,
)
