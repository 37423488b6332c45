"""Bundles whose writing or reading is killed at any moment: whole or not there, and whole when done again (E8)."""

import io
import random
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired
from time import monotonic
from typing import Final
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command
from time_machine import travel

from loyalty.stores.models import Store
from orders.services.bundles.tables import TRAVELS
from tests import factories
from tests.orders.services.bundles.moving import assert_arrived, everything, manifest_of, rows_of, written
from tests.races.killing import KILLS, nobody_else_is_at_work
from tests.workers import start, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(600)]

# The real commands, once Django is there: before that a kill has nothing to meet.
_COMMAND: Final = """
import sys
import django
django.setup()
from django.core.management import call_command
print("ready.", flush=True)
call_command(*sys.argv[1:])
"""


@pytest.fixture
def store() -> Store:
    """A store with something in every table, made when its examples happen."""
    with travel(factories.NOW, tick=False):
        return everything().store


def test_e8_an_export_killed_at_any_moment_leaves_no_half(store: Store, tmp_path: Path) -> None:
    command = ("export_store", "--store", store.slug)
    seconds = _run(*command, str(tmp_path / "first.zip"))
    for number in KILLS[1:]:
        file = tmp_path / f"{number}.zip"
        _kill_within(seconds, *command, str(file))
        _run_again(*command, str(file), if_whole="is there already")
    # Nor is there anything besides: what the killed ones had begun went when the next one began.
    call_command(*command, str(tmp_path / "last.zip"))
    files = sorted(tmp_path.iterdir())
    assert {file.name for file in files} == {"first.zip", "last.zip", *(f"{number}.zip" for number in KILLS[1:])}
    whole = written(store)
    assert all(_same(io.BytesIO(file.read_bytes()), whole) for file in files)


def test_e8_an_import_of_a_store_killed_at_any_moment_wrote_all_or_nothing(store: Store, tmp_path: Path) -> None:
    file, before = tmp_path / "bundle.zip", written(store)
    file.write_bytes(before.getvalue())
    command = ("import_store", str(file), "--slug")
    seconds = _run(*command, "first")
    for number in KILLS[1:]:
        slug = f"there-{number}"
        _kill_within(seconds, *command, slug)
        _run_again(*command, slug, if_whole=f"There is a store “{slug}” already")
        assert_arrived(before, written(Store.objects.get(slug=slug)))
    assert Store.objects.count() == 1 + len(KILLS)


def _run(*command: str) -> float:
    """Run the command here; answers how many seconds it took."""
    began = monotonic()
    call_command(*command)
    return monotonic() - began


def _run_again(*command: str, if_whole: str) -> None:
    """Run the command once more; where the killed one had done everything, it is refused with these words."""
    try:
        call_command(*command)
    except CommandError as refused:
        if if_whole not in str(refused):
            raise


def _kill_within(seconds: float, *command: str) -> None:
    """SIGKILL the command in a process of its own at some moment until a little after its end."""
    with start("-c", _COMMAND, *command) as process:
        wait_for("ready.", process)
        with suppress(TimeoutExpired):
            process.wait(random.uniform(0, 1.5 * seconds))
        process.kill()
        process.communicate()
    nobody_else_is_at_work()


def _same(bundle: io.BytesIO, other: io.BytesIO) -> bool:
    """Whether both hold the same rows, and the first is what its manifest says."""
    tables = [table.name for table in TRAVELS]
    return (
        ZipFile(bundle).testzip() is None
        and manifest_of(bundle).sums == manifest_of(other).sums
        and all(rows_of(bundle, table) == rows_of(other, table) for table in tables)
    )
