"""Commands say in one line what is wrong: bad input, and a database that is away, full or not migrated."""

from importlib import import_module
from pathlib import Path

import psycopg
import pytest
from django.core import management
from django.core.management.base import BaseCommand
from django.db import Error, OperationalError, ProgrammingError
from psycopg import errors

from loyalty.management import commanding
from loyalty.management.commanding import OneLineCommand, PatientCommand, run

ROOT = Path(__file__).resolve().parents[3]
# Django's own with patience, and the one that starts the servers and speaks with people all the while.
OTHERS = {"migrate", "quickstart"}


def named() -> set[str]:
    return {
        f"{package}.{path.stem}"
        for package in ("loyalty.management.commands", "orders.management.commands")
        for path in (ROOT / package.replace(".", "/")).glob("*.py")
        if path.stem not in {"__init__", *OTHERS}
    }


@pytest.mark.parametrize("name", sorted(named()))
def test_each_command_says_what_is_wrong_in_one_line(name: str) -> None:
    assert issubclass(import_module(name).Command, OneLineCommand)


@pytest.mark.parametrize(
    ("error", "cause", "said"),
    [
        (OperationalError("connection failed: refused\n\tIs it running?"), psycopg.OperationalError(), "refused"),
        (OperationalError("FATAL: sorry, too many clients already"), errors.TooManyConnections(), "too many clients"),
        (OperationalError("could not extend file"), errors.DiskFull(), "could not extend file"),
        (OperationalError("canceling statement"), errors.QueryCanceled(), "run it again in a moment"),
        (ProgrammingError('column "x" does not exist\nLINE 1'), errors.UndefinedColumn(), "manage.py migrate"),
    ],
)
def test_h5_a_command_that_gets_no_answer_of_the_database_says_so_in_one_line(
    error: Error, cause: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def execute(_self: BaseCommand, *_args: object, **_options: object) -> None:
        raise error from cause

    monkeypatch.setattr(BaseCommand, "execute", execute)
    # Of ours, and of Django's.
    for words in (["manage.py", "check_ledger"], ["manage.py", "showmigrations"]):
        with pytest.raises(SystemExit) as ended:
            run(words)
        line = str(ended.value.code)
        assert said in line
        assert "\n" not in line


def test_an_error_about_what_was_asked_is_not_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def execute(_words: list[str]) -> None:
        raise ProgrammingError("syntax error") from errors.SyntaxError()

    monkeypatch.setattr(commanding, "execute_from_command_line", execute)
    with pytest.raises(ProgrammingError):
        run(["manage.py", "check_ledger"])
    # Whatever manage.py runs goes through here.
    assert "execute_from_command_line" not in (ROOT / "manage.py").read_text()
    assert management.execute_from_command_line is not execute


@pytest.mark.parametrize("name", ["import_balances", "import_orders", "import_store", "export_store"])
def test_a_command_with_time_lets_pages_go_first(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own alone: whoever calls it from within keeps his priority."""
    lowered: list[int] = []
    monkeypatch.setattr("os.nice", lowered.append)
    command = import_module(f"orders.management.commands.{name}").Command
    assert issubclass(command, PatientCommand)
    with pytest.raises(SystemExit):
        run(["manage.py", name, "--help"])
    assert lowered == [10]
    with pytest.raises(management.CommandError):
        management.call_command(name)
    assert lowered == [10]
