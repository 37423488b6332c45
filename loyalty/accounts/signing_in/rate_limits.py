"""How often something may be tried: counted in the database before it is tried, with pauses that grow.

Counting comes first, so that a hundred guesses sent at once are a hundred tries. While a pause lasts nothing is tried
and nothing is counted, whatever was sent: the right password included, and nobody can make a pause longer by knocking.
The cache has no part in this: it may be gone, and a limit must not go with it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from django.db import models, transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from loyalty.accounts.models import Tries

# After so long without another try the count begins anew.
QUIET: Final = timedelta(hours=24)
_BATCH: Final = 5000


@dataclass(frozen=True, slots=True)
class Limit:
    """``free`` tries are free: the last of them, and each one after it, begins a pause that is twice the one before."""

    kind: str
    free: int
    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=1)

    def pause(self, count: int) -> timedelta | None:
        """The pause after the try number ``count``, if it failed."""
        if count < self.free:
            return None
        # Without the bound, a long attack would make a number that no clock can add.
        doublings = min(count - self.free, 20)
        return min(self.first * (1 << doublings), self.longest)


@dataclass(frozen=True, slots=True)
class Counter:
    """One thing that is counted under a limit: tries at an account, from a client, or both."""

    limit: Limit
    account: str = ""
    client: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """How the counter's row is found: neither an address nor a client is kept as it is."""
        return self.limit.kind, _hashed(self.account), _hashed(self.client)


class Paused(Exception):
    """Nothing is tried until ``until``."""

    def __init__(self, until: datetime, now: datetime) -> None:
        self.until = until
        self.seconds = max(1, ceil((until - now).total_seconds()))
        super().__init__(f"Paused for {self.seconds} s.")

    @property
    def wait(self) -> str:
        """How long, in words: ``1 minute``."""
        minutes = ceil(self.seconds / 60)
        return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}


@transaction.atomic
def take(counters: Sequence[Counter], *, now: datetime) -> None:
    """Count one try. Raises Paused, and counts nothing, while one of the counters is paused."""
    limits = {counter.key: counter.limit for counter in counters}
    rows = [Tries(kind=kind, account=account, client=client, last_at=now) for kind, account, client in sorted(limits)]
    Tries.objects.bulk_create(rows, ignore_conflicts=True)
    found = list(_rows(limits).order_by("kind", "account", "client").select_for_update())
    paused = [row.paused_until for row in found if row.paused_until and row.paused_until > now]
    if paused:
        raise Paused(max(paused), now)
    for row in found:
        row.count = 1 if row.last_at <= now - QUIET else row.count + 1
        pause = limits[row.kind, row.account, row.client].pause(row.count)
        row.last_at, row.paused_until = now, now + pause if pause else None
    Tries.objects.bulk_update(found, ["count", "last_at", "paused_until"])


@transaction.atomic
def succeeded(counters: Sequence[Counter], *, now: datetime) -> None:
    """The try that was counted was right: counters of that client at that account are forgotten.

    Counters that others share only lose this one try: somebody who signs in now and then with an account of his own
    must not wipe out what he guesses at others'.
    """
    own = {counter.key for counter in counters if counter.account and counter.client}
    shared = {counter.key for counter in counters} - own
    if own:
        _rows(own).delete()
    if shared:
        rows = list(_rows(shared).order_by("kind", "account", "client").select_for_update())
        for row in rows:
            row.count, row.paused_until = max(0, row.count - 1), None
        Tries.objects.bulk_update(rows, ["count", "paused_until"])


def forget(account: str) -> None:
    """Forget what was counted at an account, from wherever it was tried."""
    Tries.objects.filter(account=_hashed(account)).delete()


def _rows(keys: Collection[tuple[str, str, str]]) -> "models.QuerySet[Tries]":
    wanted = Q()
    for kind, account, client in keys:
        wanted |= Q(kind=kind, account=account, client=client)
    return Tries.objects.filter(wanted)


def _hashed(text: str) -> str:
    return salted_hmac("loyalty.accounts.limits", text, algorithm="sha256").hexdigest() if text else ""
