"""What is carried out together does what it would do alone, and models are made of the state once."""

from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, migrations, models
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.state import ModelState, ProjectState

from loyalty.database.migrating.together import Together
from tests.database import as_owner

pytestmark = pytest.mark.django_db

NAMES = ("together_first", "together_second", "together_third")
KEY = ("id", models.BigAutoField(primary_key=True))
# Each points at the one before, so that Django makes both anew when one is changed.
TABLES = [
    migrations.CreateModel(NAMES[0], [KEY]),
    *(
        migrations.CreateModel(child, [KEY, ("before", models.ForeignKey(f"orders.{parent}", models.PROTECT))])
        for parent, child in pairwise(NAMES)
    ),
]


def of(*operations: migrations.operations.base.Operation) -> migrations.Migration:
    made: migrations.Migration = type("Migration", (migrations.Migration,), {"operations": operations})(
        "9999_together", "orders"
    )
    return made


def columns() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_name LIKE 'orders_together_%' ORDER BY 1, ordinal_position"
        )
        return list(cursor.fetchall())


def test_tables_come_and_go_together() -> None:
    together, state = of(Together(TABLES)), ProjectState()
    with as_owner():
        with connection.schema_editor() as editor:
            after = together.apply(state.clone(), editor)
        assert columns() == [
            ("orders_together_first", "id"),
            ("orders_together_second", "id"),
            ("orders_together_second", "before_id"),
            ("orders_together_third", "id"),
            ("orders_together_third", "before_id"),
        ]
        assert after == of(*TABLES).mutate_state(state.clone())
        with connection.schema_editor() as editor:
            together.unapply(state.clone(), editor)
        assert columns() == []


def test_models_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    make = ModelState.render

    def note(model: ModelState, apps: Any) -> Any:
        made.append(model.name)
        return make(model, apps)

    monkeypatch.setattr(ModelState, "render", note)
    state = ProjectState()
    assert state.apps is not None
    with as_owner(), connection.schema_editor() as editor:
        of(Together(TABLES)).apply(state, editor)
    assert sorted(made) == sorted(NAMES)


def test_what_cannot_be_taken_back_alone_cannot_together() -> None:
    with as_owner(), connection.schema_editor() as editor, pytest.raises(IrreversibleError):
        of(Together([migrations.RunSQL("SELECT 1")])).unapply(ProjectState(), editor)
