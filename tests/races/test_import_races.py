"""Balance imports under fire: workers and imports at once, killed workers, spends while one is taken back (E8)."""

import random
from contextlib import suppress
from functools import partial
from subprocess import TimeoutExpired
from typing import Final

import pytest

from credits.models import CreditLot
from loyalty.core.clock import read_clock
from loyalty.jobs.periodic import run_job
from loyalty.ledger.planner import InsufficientBalance
from loyalty.stores.models import Customer, Store
from orders.models import BalanceImport
from orders.services.balance_imports.jobs import JOB
from orders.services.balance_imports.rehearsal import kept_rows
from orders.services.balance_imports.rehearsal.rehearse import READING_LASTS, start_reading
from orders.services.balance_imports.run import import_balances
from orders.services.balance_imports.start import start
from orders.services.balance_imports.take_back import CannotTakeBack, take_back
from points.models import PointLot
from tests import factories
from tests.balance_imports import HEADER, started, uploaded
from tests.books import find_faults
from tests.races.killing import KILLS, nobody_else_is_at_work
from tests.races.racing import ROUNDS, in_turn, together
from tests.workers import start as process
from tests.workers import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

NOW: Final = factories.NOW
PEOPLE: Final = 60
TEXT: Final = HEADER + "".join(
    f"{number},,Person,points,{number + 1},,,,,P{number}\n{number},,Person,credits,1.00,USD,,,,C{number}\n"
    for number in range(PEOPLE)
)
# The real job, in small steps so that a kill has many moments to meet.
_JOB: Final = """
import django
django.setup()
from orders.services.balance_imports.rehearsal import kept_rows, rehearse
kept_rows.BATCH = rehearse.BATCH = 10
from django.core.management import call_command
print("ready.", flush=True)
call_command("run_jobs", "orders.import_balances")
"""


def is_whole(store: Store) -> bool:
    """Whether everything of the file is there once, and the books agree."""
    lots = PointLot.objects.for_store(store)
    whole = sorted(lots.values_list("granted", flat=True)) == list(range(1, PEOPLE + 1))
    return (
        whole
        and CreditLot.objects.for_store(store).count() == PEOPLE
        and Customer.objects.for_store(store).count() == PEOPLE
        and find_faults(store) == []
    )


def test_workers_at_once_write_an_import_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rows, "BATCH", 7)
    held = [started(store, TEXT) for store in (factories.make_store(), factories.make_store())]
    together(*[partial(import_balances, NOW)] * 3)
    import_balances(NOW)
    assert set(BalanceImport.unscoped.values_list("state", "items_done")) == {("done", 2 * PEOPLE)}
    assert all(is_whole(one.store) for one in held)


def test_the_same_rows_in_two_imports_at_once_are_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rows, "BATCH", 7)
    for _ in ROUNDS[:2]:
        store = factories.make_store()
        # Both were rehearsed when nothing of them was there.
        both = [started(store, TEXT), started(store, TEXT + "\n")]
        together(*[partial(run_job, JOB, NOW)] * 2)
        run_job(JOB, NOW)
        assert {BalanceImport.unscoped.get(pk=one.pk).state for one in both} == {"done"}
        assert is_whole(store)


def test_a_spend_and_taking_back_are_one_after_the_other() -> None:
    store = factories.make_store()
    held = started(store, HEADER + "7,,Ann,credits,50,USD,,,,\n8,,Bob,credits,50,USD,,,,\n")
    run_job(JOB, NOW)
    ann = Customer.unscoped.get(external_id="7")
    take_back(store=store, import_id=held.pk, actor=factories.ACTOR, now=NOW)
    in_turn(partial(factories.make_order, ann, credits="10", now=NOW), partial(run_job, JOB, NOW))
    held.refresh_from_db()
    assert (held.state, CreditLot.unscoped.filter(remaining=50).count()) == ("done", 1)
    with pytest.raises(CannotTakeBack):
        take_back(store=store, import_id=held.pk, actor=factories.ACTOR, now=NOW)

    bob = Customer.unscoped.get(external_id="8")
    other = started(store, HEADER + "8,,Bob,credits,5,EUR,,,,\n")
    run_job(JOB, NOW)
    take_back(store=store, import_id=other.pk, actor=factories.ACTOR, now=NOW)
    spent = in_turn(
        partial(run_job, JOB, NOW), partial(factories.make_order, bob, credits="5", currency="EUR", now=NOW)
    )
    assert isinstance(spent, InsufficientBalance)
    assert find_faults(None) == []


@pytest.mark.slow
def test_e8_an_import_killed_at_any_moment_comes_to_the_same() -> None:
    for _ in KILLS[1:]:
        store = factories.make_store()
        held = start_reading(store=store, import_id=uploaded(store, TEXT).pk, layout={}, now=read_clock())
        _kill_soon()
        run_job(JOB, read_clock() + READING_LASTS)
        start(store=store, import_id=held.pk, told=[], reason="x", actor=factories.ACTOR, now=read_clock())
        _kill_soon()
        run_job(JOB, read_clock())
        held.refresh_from_db()
        assert (held.state, held.rows_read, held.items_done) == ("done", 2 * PEOPLE + 1, 2 * PEOPLE)
        assert is_whole(store)


def _kill_soon() -> None:
    with process("-c", _JOB) as job:
        wait_for("ready.", job)
        with suppress(TimeoutExpired):
            job.wait(random.uniform(0, 0.5))
        job.kill()
        job.communicate()
    nobody_else_is_at_work()
