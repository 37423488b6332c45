"""Orders that come in: a file that is imported, and a backlog of webhooks that real workers drain."""

import json
import resource
import time
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from benchmarks.data import SQL
from benchmarks.documents import order
from benchmarks.latency import workers
from loyalty.database.bulk import insert
from loyalty.jobs.periodic import wake
from loyalty.platforms.files import read_documents
from loyalty.platforms.models import OPEN_STATES, InboundDelivery, PlatformConnection
from loyalty.platforms.webhooks.receive import JOB
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.services.intake.import_files import Import, take_rows

_FLOODED, _OTHER = 1, 2
# The other shop's messages come with this pause, in seconds.
_PAUSE: Final = 2.0
# States of an order that arrive one after the other: created, paid, updated.
_STATES: Final = 3


def import_file(who: str, count: str) -> dict[str, Any]:
    """Import a file of so many new orders.

    ``singly`` is one row after the other, as it was done before; ``reference`` is COPY and SQL by hand.
    """
    store = Store.objects.get(pk=_FLOODED)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "orders.json"
        with file.open("w") as written:
            written.write("[" + json.dumps(order(0)))
            written.writelines(f",\n{json.dumps(order(number))}" for number in range(1, int(count)))
            written.write("]")
        began = time.time()
        if who == "singly":
            take = Import(store, "shopify", Actor.command("benchmark")).take
            rows = read_documents(file)
            for _result in take_rows(rows, platform="shopify", take=take, clock=timezone.now, batch_size=1):
                pass
        elif who == "reference":
            copy_and_write(file, store)
        else:
            options = {"store": store.slug, "platform": "shopify", "stdout": _Nowhere(), "dry_run": who == "dry_run"}
            call_command("import_orders", str(file), **options)
        ended = time.time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"orders": int(count), "began": began, "ended": ended, "peak_mb": peak}


def copy_and_write(file: Path, store: Store) -> None:
    """COPY the documents into a temporary table, then a statement for each table that is written."""
    names: dict[str, Any] = {"store": store.pk, "now": timezone.now()}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE staging (document jsonb) ON COMMIT DROP")
        with file.open() as lines, cursor.copy("COPY staging FROM STDIN") as copy:
            for line in lines:
                copy.write_row([line.strip("[],\n")])
        for statement in (SQL / "reference_orders.sql").read_text().split(";\n"):
            cursor.execute(statement, names)


class _Nowhere(StringIO):
    """What is said is let go."""

    def write(self, text: str, /) -> int:
        """Keep nothing."""
        return len(text)


def backlog(count: str) -> dict[str, Any]:
    """Have real workers drain one shop's backlog; the longest that another shop's message waited meanwhile."""
    flooded, other = (Store.objects.get(pk=pk) for pk in (_FLOODED, _OTHER))
    for store in (flooded, other):
        PlatformConnection.unscoped.create(
            store=store, platform="shopify", created_at=timezone.now(), updated_at=timezone.now()
        )
    orders = int(count) // _STATES
    waiting = InboundDelivery.unscoped.filter(store=flooded, state__in=OPEN_STATES)
    with workers():
        # All at once, when the workers are there: what they do before nobody sees is no part of it.
        with transaction.atomic():
            _keep(flooded, [(number, state) for number in range(orders) for state in range(_STATES)])
        began, sent = time.time(), 0
        wake(JOB)
        while waiting.exists():
            _keep(other, [(sent, 0)])
            wake(JOB)
            sent += 1
            time.sleep(_PAUSE)
        last = InboundDelivery.unscoped.filter(store=flooded).latest("processed_at").processed_at
    waits = [
        (one.processed_at or timezone.now()) - one.received_at for one in InboundDelivery.unscoped.filter(store=other)
    ]
    recorded = InboundDelivery.unscoped.filter(store=flooded, state="done").values("order").distinct().count()
    if recorded != orders or not last:
        raise SystemExit(f"{recorded} of {orders} orders were recorded.")
    longest = max(waits).total_seconds()
    return {"orders": orders * _STATES, "began": began, "ended": last.timestamp(), "longest": longest}


def _keep(store: Store, said: Sequence[tuple[int, int]]) -> None:
    """Deliveries as the receipt keeps them: of each order a state."""
    now, rows = timezone.now(), len(said)
    bodies = [json.dumps(order(number, minute=state)).encode() for number, state in said]
    columns: dict[str, Any] = {
        "store_id": [store.pk] * rows,
        "platform": ["shopify"] * rows,
        "topic": ["orders/updated"] * rows,
        "key": [f"{number}-{state}" for number, state in said],
        "is_test": [False] * rows,
        "headers": [{"x-shopify-topic": "orders/updated"}] * rows,
        "body": [f"\\x{body.hex()}" for body in bodies],
        "received_at": [now] * rows,
        "next_attempt_at": [now] * rows,
        "state": ["waiting"] * rows,
        "attempts": [0] * rows,
        "outcome": [""] * rows,
        "last_error": [""] * rows,
        "external_id": [""] * rows,
    }
    for start in range(0, rows, 1000):
        insert(InboundDelivery, {name: values[start : start + 1000] for name, values in columns.items()})
