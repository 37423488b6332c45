"""Statements that take long are named, and say no value."""

import logging

import pytest
from django.db import connection, connections

from loyalty.core.causes import Cause, because_of
from loyalty.core.logs import DiscreetFormatter
from loyalty.database.backend.slow_statements import shape_of


@pytest.mark.parametrize(
    ("statement", "shape"),
    [
        ("SELECT  1\n FROM t WHERE a = %s", "SELECT ? FROM t WHERE a = %s"),
        ("SELECT 'Ana''s', 12.50, $$Ana$$, t1.x", "SELECT ?, ?, ?, t1.x"),
        ("SELECT 'Ana, whose name is cut" + " off" * 400, "SELECT ?"),
        ("SELECT x" * 200, ("SELECT x" * 200)[:300]),
    ],
)
def test_a_shape_has_no_values(statement: str, shape: str) -> None:
    assert shape_of(statement) == shape


@pytest.mark.django_db
def test_a_slow_statement_is_named_with_who_asks_and_for_what(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections["default"], "_slow", 0.0)
    with because_of(Cause(request_id="asked", doing="admin:index")), connection.cursor() as cursor:
        cursor.execute("SELECT %s::text", ["ana@example.com"])
        [record] = [one for one in caplog.records if one.name == "loyalty.slow_statements"]
        said = DiscreetFormatter("%(message)s").format(record)
    assert record.levelno == logging.WARNING
    assert record.__dict__["asked_by"] == "a library"
    assert said.endswith("ms: SELECT %s::text request_id=asked")
    assert "ana@" not in said


@pytest.mark.django_db
def test_what_is_quick_is_not_named(caplog: pytest.LogCaptureFixture) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert not [one for one in caplog.records if one.name == "loyalty.slow_statements"]
