"""No job waits for another one: places of a process, and stores' turns at them."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from threading import Event
from time import sleep

import pytest

from loyalty.jobs import places
from loyalty.jobs.periodic import JOBS
from loyalty.jobs.places import PLACES, Places, is_over, one_more, places_of
from loyalty.jobs.turns import Turns

PATIENCE = 20


@pytest.fixture
def process() -> Iterator[Places]:
    made = Places()
    yield made
    made.end()


def test_places_are_of_jobs_that_there_are() -> None:
    assert set(PLACES) <= set(JOBS)


def test_what_hangs_holds_places_of_its_own_job_alone(process: Places) -> None:
    hangs, done = Event(), Event()
    try:
        for _ in range(50):
            process.begin("loyalty.deliver_outbox", lambda: hangs.wait(PATIENCE))
        process.begin("orders.auto_cancel", done.set)
        assert done.wait(PATIENCE)
    finally:
        hangs.set()


def test_who_asks_while_all_places_are_taken_is_served_once_one_is_free(process: Places) -> None:
    goes_on, made, again = Event(), [], Event()

    def run() -> None:
        made.append(1)
        goes_on.wait(PATIENCE)
        if len(made) == 2:
            again.set()

    for _ in range(5):
        process.begin("loyalty.prune", run)
    assert places_of("loyalty.prune") == 1
    goes_on.set()
    assert again.wait(PATIENCE)


def test_a_run_that_failed_gives_its_place_back(process: Places) -> None:
    failed, done = Event(), Event()

    def run() -> None:
        if failed.is_set():
            done.set()
        failed.set()
        raise RuntimeError

    process.begin("loyalty.prune", run)
    assert failed.wait(PATIENCE)
    process.begin("loyalty.prune", run)
    assert done.wait(PATIENCE)


def test_one_more_begins_another_run_beside_this_one(process: Places) -> None:
    both, first = Event(), Event()

    def run() -> None:
        if first.is_set():
            both.set()
        else:
            first.set()
            one_more()
            both.wait(PATIENCE)

    process.begin("loyalty.deliver_outbox", run)
    assert both.wait(PATIENCE)


def test_a_run_that_goes_on_for_long_makes_room(process: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[bool] = []
    enough = Event()

    def run() -> None:
        if not enough.is_set():
            said.append(is_over())
        if len(said) > 1:
            enough.set()

    monkeypatch.setattr(places, "_RUN_SECONDS", 0.0)
    process.begin("loyalty.prune", run)
    assert enough.wait(PATIENCE)
    assert set(said) == {True}


def test_outside_of_a_worker_nobody_is_hurried() -> None:
    one_more()
    assert not is_over()


def test_a_process_that_ends_begins_nothing(process: Places) -> None:
    done = Event()
    process.end()
    process.begin("orders.auto_cancel", done.set)
    sleep(0)
    assert not done.is_set()


def take(turns: Turns, stack: ExitStack, stores: list[int | None]) -> int | None:
    return stack.enter_context(turns.turn(lambda: stores, lambda store_id: store_id))


def test_t1_stores_take_turns() -> None:
    turns = Turns("loyalty.deliver_outbox")

    def one_by_one() -> Iterator[int | None]:
        while True:
            with ExitStack() as stack:
                yield take(turns, stack, [1, 2, 3])

    assert list(islice(one_by_one(), 6)) == [1, 2, 3, 1, 2, 3]


def test_t1_no_store_takes_all_the_places() -> None:
    turns, most = Turns("loyalty.deliver_outbox"), places_of("loyalty.deliver_outbox")
    with ExitStack() as hands:
        # A quarter while few are at work, then one each.
        assert [take(turns, hands, [1]) for _ in range(3)] == [1, 1, None]
        assert [take(turns, hands, [2]) for _ in range(3)] == [2, 2, None]
        assert [take(turns, hands, [3]) for _ in range(2)] == [3, None]
        assert most == 8
        assert take(turns, hands, [1, 2, 3, 4]) == 4
    with ExitStack() as hands:
        assert take(turns, hands, [1]) == 1


def test_t1_a_store_whose_row_another_process_took_is_passed_over() -> None:
    with Turns("loyalty.deliver_outbox").turn(
        lambda: [1, 2], lambda store_id: store_id if store_id == 2 else None
    ) as it:
        assert it == 2
