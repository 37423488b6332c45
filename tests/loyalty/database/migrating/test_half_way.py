"""A database of before is taken as it is; one that stopped half way is sent to the version that knows the rest."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

pytestmark = pytest.mark.django_db


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """What the database says has been migrated; tests take some away."""
    names = MigrationRecorder(connection).applied_migrations()
    left = set(names)
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda _self: {name: names[name] for name in left})
    return left


def plan() -> str:
    told = StringIO()
    call_command("migrate", plan=True, skip_checks=False, stdout=told)
    return told.getvalue()


def test_a_database_with_all_that_was_replaced_has_nothing_to_do(applied: set[tuple[str, str]]) -> None:
    replacing = {name for name in applied if "_squashed_" in name[1] or name == ("credits", "0001_lots")}
    applied -= replacing
    assert len(replacing) == 10
    assert "No planned migration operations" in plan()


@pytest.mark.parametrize("name", ["0008_turns_of_shops", "0001_connections"])
def test_a_database_that_stopped_half_way_is_not_migrated(applied: set[tuple[str, str]], name: str) -> None:
    applied.remove(("platforms", name))
    with pytest.raises(SystemCheckError, match=rf"platforms\.0001_squashed_\w+ stands for, and not platforms\.{name}"):
        plan()


def test_a_new_database_gets_everything(applied: set[tuple[str, str]]) -> None:
    applied.clear()
    assert "orders.0001_squashed_0026_orders_by_tags" in plan()
