"""``manage.py poll_platforms``: fetch what has changed on a store's platforms, now and as far back as wanted."""

import sys
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime
from tqdm import tqdm

from loyalty.core.clock import read_clock
from loyalty.core.days import end_of_day
from loyalty.core.encryption import Unreadable
from loyalty.core.instants import OutOfRange, check_day, check_instant
from loyalty.management.commanding import OneLineCommand
from loyalty.platforms.http.protocol import PlatformError, Throttled
from loyalty.platforms.models import PlatformConnection
from loyalty.platforms.registry import LABELS, PLATFORMS
from loyalty.stores.models import Store
from orders.services.intake.poll import Progress, catch_up


class Command(OneLineCommand):
    """Fetches page after page with a progress bar and ends with a line of counts for each connection.

    Exit code 0 when everything up to now is here. A run that is stopped is continued by the next one, or by the job.
    """

    help = "Fetch the orders that changed on the platforms a store is connected to. Fetching again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("--store", required=True, metavar="SLUG", help="the store whose platforms are asked")
        parser.add_argument("--platform", choices=sorted(PLATFORMS), metavar="NAME", help="one of them only")
        parser.add_argument(
            "--since",
            metavar="WHEN",
            help="go back to this day of the store, or this instant with its offset; without it, to the last time",
        )

    def handle(self, *_args: Any, store: str, platform: str | None, since: str | None, **_options: Any) -> None:
        """Poll. Raises CommandError for an unknown store, a bad date, no connection, and when a platform fails."""
        found = Store.objects.filter(slug=store).first()
        if found is None:
            raise CommandError(f"There is no store “{store}”.")
        now = read_clock()
        begin = _instant(since, found, now) if since else None
        failures = [self._poll(connection, begin, now) for connection in _connections(found, platform)]
        if any(failures):
            raise CommandError(" ".join(filter(None, failures)))

    def _poll(self, connection: PlatformConnection, since: datetime | None, now: datetime) -> str:
        """Poll one connection; answers the sentence that says why it did not end, "" when it did."""
        counts: Counter[str] = Counter({"created": 0, "updated": 0, "unchanged": 0, "unreadable": 0})
        label = LABELS[connection.platform]
        begin = min(filter(None, [since, connection.polled_to or connection.created_at]))
        failure = ""
        try:
            with tqdm(
                total=_hours(begin, now), desc=label, unit=" h", file=sys.stderr, disable=not sys.stderr.isatty()
            ) as bar:
                for page in catch_up(connection, since=since, now=now):
                    counts.update(page.counts)
                    _show(bar, page, begin, counts)
        except Throttled as error:
            failure = f"{error} The rest is fetched by the job, or by this command in {error.after.seconds} seconds."
        except (PlatformError, Unreadable) as error:
            failure = str(error)
        self.stdout.write(f"{label}: {' '.join(f'{what}={count}' for what, count in counts.items())}")
        return failure


def _connections(store: Store, platform: str | None) -> list[PlatformConnection]:
    connections = PlatformConnection.objects.for_store(store).filter(enabled=True)
    wanted = connections.filter(platform=platform) if platform else connections
    found = list(wanted.order_by("platform"))
    if not found:
        where = LABELS[platform] if platform else "a platform"
        raise CommandError(f"The store “{store.slug}” is not connected to {where}.")
    return found


def _instant(text: str, store: Store, now: datetime) -> datetime:
    """The instant in ``text``; a date alone is the store's day."""
    try:
        instant, day = parse_datetime(text) if "T" in text or ":" in text else None, parse_date(text)
    except ValueError:
        instant = day = None
    try:
        found = instant or (_begin_of(check_day(day, now=now), store) if day else None)
        if found is not None and found.tzinfo is not None and found <= now:
            return check_instant(found, now=now)
    except OutOfRange as error:
        raise CommandError(f"--since: {error}") from error
    raise CommandError(f"“{text}” is neither a past day (2026-01-31) nor a past instant (2026-01-31T09:00:00+08:00).")


def _begin_of(day: date, store: Store) -> datetime:
    return end_of_day(day - timedelta(days=1), store.tz)


def _hours(begin: datetime, end: datetime) -> int:
    return max(round((end - begin).total_seconds() / 3600), 0)


def _show(bar: "tqdm[Any]", page: Progress, begin: datetime, counts: Counter[str]) -> None:
    bar.n = min(_hours(begin, page.polled_to), bar.total)
    bar.set_postfix(orders=counts.total(), refresh=True)
