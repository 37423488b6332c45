"""The job that writes the bundles that were asked for; killed at any moment, it begins anew after its lease."""

import logging
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Final

from django.db import connection, transaction
from django.db.models import QuerySet

from loyalty.core.clock import Clock, ticking
from loyalty.database.busy import raise_if_away
from loyalty.database.snapshot import snapshot
from loyalty.jobs.one_by_one import alone_with, one_by_one
from loyalty.jobs.periodic import Counts
from loyalty.jobs.retries import words_of
from loyalty.stores.models import Store
from orders.models import BundleState, StoreBundle
from orders.services.bundles.ask import JOB
from orders.services.bundles.keep import KEEP, keep_file
from orders.services.bundles.write import count_rows, write_bundle

logger = logging.getLogger(__name__)

# Longer than a table takes between two words of progress.
_LEASE: Final = timedelta(minutes=15)
_PAUSE: Final = timedelta(minutes=5)
_ATTEMPTS: Final = 3
_TOLD_EVERY: Final = 20_000
_NEXT: Final = """
SELECT id, store_id FROM orders_storebundle
WHERE state = 'writing' AND (busy_until IS NULL OR busy_until <= %s) AND NOT id = ANY(%s)
ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
"""


def write_bundles(now: datetime) -> Counts:
    """Write every bundle that somebody asked for, one after the other; answers how many, and how many failed."""
    counts = {"bundles": 0, "postponed": 0}
    for done in one_by_one(partial(_take, ticking(now)), job=JOB):
        counts["bundles" if done else "postponed"] += 1
    return counts


def _take(clock: Clock, left_out: AbstractSet[int]) -> bool | None:
    bundle = _claim(clock(), left_out)
    if bundle is None:
        return None
    with alone_with(bundle):
        try:
            return _write(bundle, clock)
        except Exception as error:
            raise_if_away(error)
            logger.exception("Bundle %s could not be written.", bundle.pk)
            return _postpone(bundle, error, clock())


@transaction.atomic
def _claim(now: datetime, left_out: AbstractSet[int]) -> StoreBundle | None:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [now, list(left_out)])
        found = cursor.fetchone()
    if found is None:
        return None
    bundle_id, store_id = found
    bundle: StoreBundle = StoreBundle.objects.for_store(Store(pk=store_id)).select_related("store").get(pk=bundle_id)
    with alone_with(bundle):
        bundle.attempts, bundle.rows_done, bundle.busy_until = bundle.attempts + 1, 0, now + _LEASE
        bundle.save(update_fields=["attempts", "rows_done", "busy_until"])
    return bundle


def _write(bundle: StoreBundle, clock: Clock) -> bool:
    with TemporaryFile() as file:
        with snapshot() as moment:
            _mine(bundle).update(rows=count_rows(moment, bundle.store))
            write_bundle(moment, bundle.store, file, now=clock(), tell=partial(_tell, bundle, clock))
        file.seek(0)
        return _keep(bundle, file, clock())


def _tell(bundle: StoreBundle, clock: Clock, rows: int) -> None:
    if rows % _TOLD_EVERY == 0:
        _mine(bundle).update(rows_done=rows, busy_until=clock() + _LEASE)


@transaction.atomic
def _keep(bundle: StoreBundle, file: IO[bytes], now: datetime) -> bool:
    """Keep what was written, unless somebody was erased meanwhile or another worker has begun anew."""
    held = _mine(bundle).select_for_update(no_key=True).first()
    if held is None:
        return False
    held.size = keep_file(held, file)
    held.state, held.rows_done, held.busy_until = BundleState.READY, held.rows, None
    held.finished_at, held.ends_at = now, now + KEEP
    held.save_changes()
    return True


@transaction.atomic
def _postpone(bundle: StoreBundle, error: Exception, now: datetime) -> bool:
    if bundle.attempts < _ATTEMPTS:
        _mine(bundle).update(busy_until=now + _PAUSE)
    else:
        _mine(bundle).update(state=BundleState.FAILED, failure=words_of(error), busy_until=None, finished_at=now)
    return False


def _mine(bundle: StoreBundle) -> "QuerySet[StoreBundle]":
    """The row, while the worker that took it up is still the one that may write it."""
    rows: QuerySet[StoreBundle] = StoreBundle.objects.for_store(bundle.store)
    return rows.filter(pk=bundle.pk, state=BundleState.WRITING, attempts=bundle.attempts, busy_until__isnull=False)
