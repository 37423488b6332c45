"""Every migration since the first version takes no lock that others wait behind, and nothing from the code before it.

Squawk judges the SQL that Django would send. What it finds in one of these is mended, or named below with a reason.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, RemoveIndexConcurrently
from django.db import connection, migrations, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from loyalty.database.migrating.indexes import AddIndexOnline, RemoveIndexOnline
from loyalty.database.migrating.together import Together

pytestmark = pytest.mark.django_db

OURS: Final = {"accounts", "api", "credits", "journal", "notices", "orders", "outbox", "platforms", "points"} | {
    "stores",
    "webhooks",
}
SQUAWK: Final = Path(sys.executable).with_name("squawk")
# What is of no concern here: types that Django chooses, and repeating a transaction that was rolled back.
UNASKED: Final = (
    "prefer-text-field",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-robust-stmts",
    "require-statement-timeout",
)
# `migrate` says this before anything else (loyalty.database.migrating.locks).
PATIENCE: Final = "SET lock_timeout = '2s';"
_OF_PYTHON: Final = {migrations.AlterModelOptions, migrations.AlterModelManagers}
_MENDED: Final = "the next migration of the app gives the column its default back"
_FEW: Final = "the table holds the mails that wait, and no more"
EXPECTED: Final = {
    ("accounts.0005_letters_to_try", "ban-drop-constraint"): _FEW,
    ("accounts.0005_letters_to_try", "constraint-missing-not-valid"): _FEW,
    ("accounts.0003_languages", "ban-drop-default"): _MENDED,
    ("notices.0007_languages", "ban-drop-default"): _MENDED,
    ("stores.0014_languages", "ban-drop-default"): _MENDED,
    ("orders.0031_indexes_by_what_is_asked", "renaming-object"): "nobody calls an index by its name",
}


def sql_of(migration: migrations.Migration, before: ProjectState) -> str:
    """What it would send."""
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(before, editor, collect_sql=True)
    return "\n".join([PATIENCE, *editor.collected_sql])


def findings(said: Mapping[str, str], folder: Path, *, atomic: bool) -> set[tuple[str, str]]:
    """What squawk finds in these statements: which migration, which rule."""
    folder.mkdir()
    for name, sql in said.items():
        (folder / f"{name}.sql").write_text(sql)
    options = ["--pg-version=18", "--reporter=json", f"--exclude={','.join(UNASKED)}"]
    told = subprocess.run(
        [SQUAWK, *options, *(["--assume-in-transaction"] if atomic else []), *folder.glob("*.sql")],
        capture_output=True,
        text=True,
        check=False,
    )
    found: list[dict[str, Any]] = json.loads(told.stdout)
    return {(Path(one["file"]).stem, one["rule_name"]) for one in found}


def in_order() -> list[migrations.Migration]:
    """Every migration of a new database."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
    return [migration for migration, _ in plan]


def each(operations: Sequence[Operation]) -> Iterator[Operation]:
    """Every one of them, with those that are carried out together."""
    for operation in operations:
        if isinstance(operation, Together):
            yield from each(operation.operations)
        else:
            yield operation


def is_since_the_first(migration: migrations.Migration) -> bool:
    return migration.app_label in OURS and not migration.replaces and not migration.name.startswith("0001_")


@pytest.mark.django_db(transaction=True)
def test_migrations_hold_nobody_up(tmp_path: Path) -> None:
    state, said = ProjectState(), dict[bool, dict[str, str]]({True: {}, False: {}})
    for migration in in_order():
        if is_since_the_first(migration) and not all(type(one) in _OF_PYTHON for one in each(migration.operations)):
            # A copy: models that were made of a state once are made anew with every step, which takes seconds.
            said[migration.atomic][f"{migration.app_label}.{migration.name}"] = sql_of(migration, state.clone())
        state = migration.mutate_state(state, preserve=False)
    whole, steps = (findings(said[atomic], tmp_path / str(atomic), atomic=atomic) for atomic in (True, False))
    found = whole | steps
    assert found - set(EXPECTED) == set()
    assert set(EXPECTED) - found == set(), "these are expected no more"


def test_code_of_before_can_add_rows() -> None:
    """It names no column that came since: each may be empty, or the database says what stands there."""
    first, now = ProjectState(), ProjectState()
    for migration in in_order():
        now = migration.mutate_state(now, preserve=False)
        if not is_since_the_first(migration):
            first = migration.mutate_state(first, preserve=False)
    came = {
        f"{'.'.join(model)}.{name}": column
        for model, before in first.models.items()
        if model in now.models
        for name, column in now.models[model].fields.items()
        if name not in before.fields
    }
    assert came, "something has changed since the first version"
    assert not {
        name for name, column in came.items() if not (column.null or column.has_db_default() or column.generated)
    }


def test_what_is_not_rolled_back_can_be_done_again() -> None:
    once = {AddIndexConcurrently, RemoveIndexConcurrently, AddConstraintNotValid}
    plain = {
        f"{migration.app_label}.{migration.name}"
        for migration in in_order()
        for operation in each(migration.operations)
        if is_since_the_first(migration) and type(operation) in once and not migration.atomic
    }
    assert plain == set(), f"use {AddIndexOnline.__name__} and {RemoveIndexOnline.__name__}"


def an_order() -> ProjectState:
    state = ProjectState()
    fields: list[tuple[str, models.Field[Any, Any]]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("number", models.CharField(max_length=20, null=True)),
    ]
    state.add_model(ModelState("orders", "Order", fields))
    return state


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        (migrations.AddField("order", "mark", models.TextField(default="")), "ban-drop-default"),
        (migrations.RemoveField("order", "number"), "ban-drop-column"),
        (migrations.RenameField("order", "number", "called"), "renaming-column"),
        (migrations.DeleteModel("order"), "ban-drop-table"),
        (migrations.AlterField("order", "number", models.IntegerField(null=True)), "changing-column-type"),
        (migrations.AlterField("order", "number", models.CharField(max_length=20)), "adding-not-nullable-field"),
        (migrations.AddIndex("order", models.Index(fields=["number"], name="n")), "require-concurrent-index-creation"),
        (
            migrations.AddConstraint("order", models.CheckConstraint(condition=models.Q(id__gt=0), name="c")),
            "constraint-missing-not-valid",
        ),
        (
            migrations.AddField(
                "order",
                "double",
                models.GeneratedField(
                    expression=models.F("id") * 2, output_field=models.BigIntegerField(), db_persist=True
                ),
            ),
            "adding-field-with-default",
        ),
    ],
    ids=lambda of: of if isinstance(of, str) else type(of).__name__,
)
def test_a_bad_migration_is_caught(operation: Any, rule: str, tmp_path: Path) -> None:
    """Each of these rewrites the table, holds others up, or takes away what the release before needs."""
    bad = type("Migration", (migrations.Migration,), {"operations": [operation]})
    migration = bad("9999_bad", "orders")
    found = findings({"bad": sql_of(migration, an_order())}, tmp_path / "bad", atomic=True)
    assert ("bad", rule) in found
