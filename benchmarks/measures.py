"""One measurement a process: `python -m benchmarks.measure NAME ARGUMENT…` prints its result as JSON.

Each runs on its own copy of the generated data, whose address is in ``DATABASE_URL``.
"""

import json
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle, islice
from os import SEEK_END
from tempfile import TemporaryFile
from typing import Any, Final

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.answers import answers, pages
from benchmarks.beside import beside_an_import
from benchmarks.coming_in import backlog, import_file
from benchmarks.data import NOW, generate, install_reference
from benchmarks.latency import latency
from benchmarks.lists import beside_raw, lists
from benchmarks.moving_in import import_balances
from benchmarks.receipt import receipt
from loyalty.core.clock import Clock
from loyalty.database.named_stores import every_store
from loyalty.exporting.files import csv_parts, write_xlsx
from loyalty.exporting.tables import Cell
from loyalty.store_settings.sections import settings_by_store
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import Store
from orders.admin.exports.orders import ORDERS
from orders.models import Order
from orders.services.automation import cancel_unpaid
from orders.services.reverts.apply import Details
from orders.services.reverts.cancel import cancel_order
from orders.services.reverts.choices import CancelChoice

BOTH: Final = CancelChoice(returns={"credits": True, "points": True})
ACTOR: Final = Actor.command("benchmark")
# Orders before those that count.
_WARM_UP: Final = 20


def data(orders: str) -> None:
    """Generate the data."""
    generate(int(orders), varied=True)


def _open_orders(part: int, parts: int, count: int) -> list[tuple[int, int]]:
    """``count`` paid orders that used 2 + 2 lots, with their stores; no other ``part`` of ``parts`` has the same."""
    paid = Order.unscoped.filter(status="confirmed", payment_status="paid")
    orders = paid.filter(credits_applied__gt=0, credits_reverted=0, codes=[]).order_by("pk")
    mine = ((order, store) for order, store in orders.values_list("pk", "store_id") if order // 2 % parts == part)
    return list(islice(mine, count))


def _ours(order_id: int, store: Store) -> None:
    cancel_order(
        store=store, order_id=order_id, choice=BOTH, details=Details(), token=None, act=Act(ACTOR, Trigger.API, NOW)
    )


def _reference(order_id: int, _store: Store) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_temp.cancel_and_return(%s, %s)", [[order_id], NOW])


ONE_BY_ONE: Final[dict[str, Callable[[int, Store], None]]] = {"ours": _ours, "reference": _reference}


def in_turns(count: str) -> dict[str, list[float]]:
    """Cancel and return orders, every other one by the reference, so that both have the same weather; seconds of each.

    Both use one connection, and so plans of the same age.
    """
    install_reference()
    stores = {store.pk: store for store in Store.objects.all()}
    seconds: dict[str, list[float]] = {who: [] for who in ONE_BY_ONE}
    for (order_id, store_id), who in zip(_open_orders(0, 1, 2 * int(count)), cycle(ONE_BY_ONE), strict=False):
        start = time.perf_counter()
        ONE_BY_ONE[who](order_id, stores[store_id])
        seconds[who].append(time.perf_counter() - start)
    return {who: taken[_WARM_UP:] for who, taken in seconds.items()}


def one_by_one(who: str, part: str, parts: str, count: str) -> dict[str, Any]:
    """Cancel and return orders one after the other, beside others who do; when it began and ended, in seconds."""
    install_reference()
    cancel = ONE_BY_ONE[who]
    stores = {store.pk: store for store in Store.objects.all()}
    orders = _open_orders(int(part), int(parts), int(count))
    for order_id, store_id in orders[:_WARM_UP]:
        cancel(order_id, stores[store_id])
    began = time.time()
    for order_id, store_id in orders[_WARM_UP:]:
        cancel(order_id, stores[store_id])
    return {"orders": len(orders) - _WARM_UP, "began": began, "ended": time.time()}


def statements() -> dict[str, int]:
    """How many statements one batch of 1, 10 and 500 orders takes."""
    counts = {}
    rule = next(iter(cancel_unpaid.rules_of(Store.objects.get(pk=1), settings_by_store()[1])))
    for size in (1, 10, 500):
        with CaptureQueriesContext(connection) as queries:
            cancel_unpaid.cancel_batch([rule], lambda: NOW, {"cancelled": 0, "failed": 0}, size=size)
        control = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
        counts[str(size)] = sum(not query["sql"].startswith(control) for query in queries.captured_queries)
    return counts


def sweep_ours() -> dict[str, Any]:
    """The auto-cancel sweep over all that is due, batch by batch as the job does it; the longest batch in seconds."""
    batch, seconds = cancel_unpaid.cancel_batch, [0.0]

    def timed(rules: Sequence[cancel_unpaid.Rule], clock: Clock, counts: dict[str, int]) -> set[int]:
        start = time.perf_counter()
        claimed = batch(rules, clock, counts)
        seconds.append(time.perf_counter() - start)
        return claimed

    cancel_unpaid.cancel_batch = timed
    began = time.time()
    counts = cancel_unpaid.auto_cancel(NOW)
    return _swept(counts["cancelled"], began) | {"longest": max(seconds)}


def sweep_reference() -> dict[str, Any]:
    """The same in one PL/pgSQL call per 1,000 orders."""
    install_reference()
    began, total = time.time(), 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_temp.sweep(1000, %s)", [NOW])
            done = cursor.fetchone()[0]
            if not done:
                return _swept(total, began)
            total += done


def _swept(orders: int, began: float) -> dict[str, Any]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"orders": orders, "began": began, "ended": time.time(), "peak_mb": peak}


def export(suffix: str, most: str) -> dict[str, Any]:
    """The largest store's newest orders with their lots as a file, as its list is exported."""
    store = Store.objects.get(pk=1)
    orders = Order.objects.for_store(store).select_related("customer").defer("lines", "platform_data")
    lines = ORDERS.lines(orders.order_by("-placed_at", "-id")[: int(most)], store, now=NOW)
    began, counted = time.time(), Tally(lines)
    with TemporaryFile() as file:
        if suffix == "xlsx":
            write_xlsx(file, ORDERS.title, ORDERS.headings(store), counted)
        else:
            file.writelines(part.encode() for part in csv_parts(ORDERS.headings(store), counted))
        size = file.seek(0, SEEK_END)
    return _swept(counted.number, began) | {"bytes": size}


class Tally:
    """Passes lines on and counts them."""

    def __init__(self, lines: Iterable[list[Cell]]) -> None:
        self.lines, self.number = lines, 0

    def __iter__(self) -> Iterator[list[Cell]]:
        for line in self.lines:
            self.number += 1
            yield line


def wal_position() -> dict[str, Any]:
    """How many bytes of write-ahead log there have been."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
        return {"bytes": cursor.fetchone()[0]}


MEASURES: Final[dict[str, Callable[..., Any]]] = {
    measure.__name__: measure
    for measure in (
        data,
        in_turns,
        one_by_one,
        statements,
        sweep_ours,
        sweep_reference,
        export,
        wal_position,
        receipt,
        import_file,
        lists,
        beside_raw,
        backlog,
        import_balances,
        beside_an_import,
        answers,
        pages,
        latency,
    )
}


def main(arguments: Sequence[str]) -> None:
    """Run one measurement and print its result."""
    name, *rest = arguments
    with every_store():
        print(json.dumps(MEASURES[name](*rest)))
