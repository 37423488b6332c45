"""`python -m benchmarks.upgrade`: migrates 200,000 orders while a load runs, and says how long anybody waited for it.

The tables are led back to those of the first version, then to today's, while orders are written and listed with the
columns that the first version knew. What is told is the longest wait behind the migration, and its longest lock.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from benchmarks.__main__ import Bench
from loyalty.embedded.layout import OWNER_ROLE
from loyalty.embedded.supervisor import throw_away_servers

FIRST: Final = {
    "orders": "0001_squashed_0026_orders_by_tags",
    "notices": "0001_squashed_0006_sent_notices_stay",
    "outbox": "0001_initial",
    "accounts": "0001_squashed_0002_addresses_are_proved",
}
NAME: Final = "migration"
# Locks that keep somebody from reading or writing; others nobody waits behind.
STRONG: Final = ("AccessExclusiveLock", "ExclusiveLock", "ShareRowExclusiveLock", "ShareLock")
_HELD: Final = """
SELECT relation::regclass::text, mode FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE application_name = %s AND granted AND mode = ANY (%s) AND relation::regclass::text = ANY (%s)
"""
_WAITS: Final = """
SELECT pid, extract(epoch FROM clock_timestamp() - waitstart)::float8 FROM pg_locks
JOIN pg_stat_activity AS waiting USING (pid)
WHERE NOT granted AND waitstart IS NOT NULL AND waiting.application_name <> %(name)s AND EXISTS (
    SELECT FROM pg_stat_activity AS holder
    WHERE holder.application_name = %(name)s AND holder.pid = ANY (pg_blocking_pids(waiting.pid))
)
"""
_COLUMNS: Final = """
SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
WHERE attrelid = 'orders_order'::regclass AND attnum > 0 AND NOT attisdropped
"""
_LIST: Final = "SELECT {} FROM orders_order WHERE store_id = %s ORDER BY placed_at DESC, id DESC LIMIT 50"
_WRITE: Final = "UPDATE orders_order SET updated_at = clock_timestamp() WHERE id = %s"


@dataclass
class Seen:
    """What was seen while the migration ran, in seconds."""

    waits: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    held: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    slowest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    done: int = 0
    failed: list[str] = field(default_factory=list)


def load(url: str, part: int, seen: Seen, ended: threading.Event) -> None:
    """List and write one order after another, each in a transaction, until it is over."""
    with psycopg.connect(url, autocommit=True) as connection:
        # Code names the columns that it knows: what is prepared outlives a column that is added.
        (columns,) = connection.execute(_COLUMNS).fetchone() or ("*",)
        asks, number = _LIST.format(columns), part
        while not ended.is_set():
            number += 97
            for what, statement, value in (
                ("list", asks, 1 + number % 200),
                ("write", _WRITE, 1 + number % 100_000),
            ):
                began = time.monotonic()
                try:
                    connection.execute(statement, [value])
                except psycopg.Error as error:
                    seen.failed.append(str(error))
                seen.slowest[what] = max(seen.slowest[what], time.monotonic() - began)
                seen.done += 1


def watch(url: str, seen: Seen, ended: threading.Event) -> None:
    """Look every few milliseconds what the migration holds, and who waits for it."""
    since: dict[tuple[str, str], float] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT relname::text FROM pg_stat_user_tables WHERE n_live_tup > 0")
        ]
        while not ended.wait(0.005):
            for pid, seconds in connection.execute(_WAITS, {"name": NAME}):
                seen.waits[pid] = max(seen.waits[pid], seconds)
            held: set[tuple[str, str]] = set(connection.execute(_HELD, [NAME, list(STRONG), tables]))  # type: ignore[arg-type]
            now = time.monotonic()
            since = {lock: since.get(lock, now) for lock in held}
            for lock, began in since.items():
                seen.held[lock] = max(seen.held[lock], now - began)


def migrate(url: str, *target: str) -> float:
    """Migrate, and answer the seconds that it took."""
    began = time.monotonic()
    environment = os.environ | {"DATABASE_URL": url, "LOYALTY_ENV": "test", "LOYALTY_PROCESS": "command"}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=1", *target],
        env=environment | {"PGAPPNAME": NAME},
        check=True,
    )
    return time.monotonic() - began


def while_running(url: str, callers: int, do: Callable[[], Any]) -> Seen:
    """Do something while a load runs and somebody watches."""
    seen, ended = Seen(), threading.Event()
    threads = [threading.Thread(target=load, args=(url, part, seen, ended)) for part in range(callers)]
    threads.append(threading.Thread(target=watch, args=(url, seen, ended)))
    for thread in threads:
        thread.start()
    try:
        do()
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    return seen


def main() -> None:
    """Make the data, lead it back, and upgrade it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--callers", type=int, default=4)
    asked = parser.parse_args()
    with throw_away_servers(postgres=True, valkey=False) as layout:
        bench = Bench(layout.database_url(role=OWNER_ROLE))
        bench.prepare(asked.orders)
        url = bench.url("bench_data")
        quiet = while_running(url, asked.callers, lambda: time.sleep(10))
        for app, name in FIRST.items():
            migrate(url, app, name)
        took: list[float] = []
        busy = while_running(url, asked.callers, lambda: took.append(migrate(url)))
    print(f"{asked.orders} orders, {asked.callers} callers, migrated in {took[0]:.1f} s")
    print(f"{busy.done} statements meanwhile, {len(busy.failed)} failed")
    for what in ("list", "write"):
        before, meanwhile = (seen.slowest[what] * 1000 for seen in (quiet, busy))
        print(f"slowest {what}: {before:.0f} ms before, {meanwhile:.0f} ms while migrating")
    print(f"longest wait behind the migration: {max(busy.waits.values(), default=0) * 1000:.0f} ms")
    for (table, mode), seconds in sorted(busy.held.items(), key=lambda of: -of[1])[:5]:
        print(f"held {seconds * 1000:.0f} ms: {mode} on {table}")
    if busy.failed:
        sys.exit("\n".join(sorted(set(busy.failed))))


if __name__ == "__main__":
    main()
