"""A bundle's file in the database, where web and worker both reach it, until its time is over."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import IO, Final

from django.db import connection
from django.db.models import Q

from loyalty.database.named_stores import in_store
from loyalty.jobs.periodic import Counts
from loyalty.stores.models import Store
from orders.models import BundleState, StoreBundle, StoreBundlePart
from orders.services.customers.forget_files import delete_bundles

# So long it can be fetched.
KEEP: Final = timedelta(days=2)
PART: Final = 1 << 20
_OVER: Final = """
SELECT DISTINCT store_id FROM orders_storebundle
WHERE ends_at <= %s OR (state = 'failed' AND finished_at <= %s)
"""


def keep_file(bundle: StoreBundle, file: IO[bytes]) -> int:
    """Keep the file, part by part; answers how many bytes it has."""
    size, number = 0, 0
    while part := file.read(PART):
        number += 1
        size += len(part)
        StoreBundlePart.objects.create(store_id=bundle.store_id, bundle=bundle, number=number, content=part)
    return size


def parts_of(bundle: StoreBundle) -> Iterator[bytes]:
    """The file, a part at a time."""
    parts = StoreBundlePart.objects.for_store(bundle.store).filter(bundle=bundle)
    number = 1
    while content := parts.filter(number=number).values_list("content", flat=True).first():
        yield bytes(content)
        number += 1


def prune(now: datetime) -> Counts:
    """Delete bundles that cannot be fetched any more, and those that failed long ago."""
    with connection.cursor() as cursor:
        cursor.execute(_OVER, [now, now - KEEP])
        stores = [store_id for (store_id,) in cursor.fetchall()]
    deleted = 0
    for store_id in stores:
        with in_store(store_id):
            bundles = StoreBundle.objects.for_store(Store(pk=store_id))
            over = Q(ends_at__lte=now) | Q(state=BundleState.FAILED, finished_at__lte=now - KEEP)
            deleted += delete_bundles(Store(pk=store_id), bundles.filter(over))
    return {"bundles": deleted}
