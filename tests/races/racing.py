"""Calls on connections of their own, started together, and a way to know that one waits for another."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import monotonic
from typing import Final, TypeVar

import pytest
from django.db import connection, transaction

from loyalty.core.errors import DomainError

T = TypeVar("T")

# How often each race is run. Every run of all tests tries its luck again; ROUNDS=1000 is for a night.
ROUNDS: Final = range(int(os.environ.get("ROUNDS", "5")))
PATIENCE: Final = 30.0


def together(*calls: Callable[[], T]) -> list[T | DomainError]:
    """Run the calls at once, each on its own connection; answers what each returned or was refused with.

    Anything else that a call raises, a deadlock above all, is raised here.
    """
    barrier = Barrier(len(calls), timeout=PATIENCE)

    def run(call: Callable[[], T]) -> T | DomainError:
        try:
            connection.ensure_connection()
            barrier.wait()
            return call()
        except DomainError as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def in_turn(first: Callable[[], object], second: Callable[[], T]) -> T | DomainError:
    """Run ``second`` while ``first`` is done and not committed; commit only once ``second`` waits for it."""

    def run() -> T | DomainError:
        try:
            return second()
        except DomainError as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            answer = pool.submit(run)
            wait_until_somebody_waits_for_us()
        return answer.result(timeout=PATIENCE)


def wait_until_somebody_waits_for_us() -> None:
    """Return once another connection waits for a lock of this one. Asks again and again; fails after a while."""
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
    pytest.fail("Nobody waits: the second call took no lock that the first one holds.")
