"""Arrays and rows in one statement: what goes in comes out."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DataError, connection

from loyalty.database.bulk import array, insert
from loyalty.journal.models import JournalEntry
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Remark
from tests.factories import NOW, make_store

pytestmark = pytest.mark.django_db

NASTY = ["", "NULL", "null", "{}", "a,b", 'say "no"', "back\\slash", "\\", "'", " spaced ", "%s", "new\nline", "日本"]


@pytest.mark.parametrize(
    ("of", "values"),
    [
        ("bigint", [1, -2, None, 9223372036854775807]),
        ("numeric", [Decimal("0.10"), Decimal("1E+2"), None]),
        ("boolean", [True, False, None]),
        ("text", [*NASTY, None]),
        ("timestamptz", [datetime(2026, 1, 5, 6, 7, 8, 9, tzinfo=UTC), None]),
        ("bigint", []),
    ],
)
def test_an_array_comes_back_as_it_went(of: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{of}[]", [array(values)])
        assert cursor.fetchone() == (values,)


def test_a_choice_is_its_value() -> None:
    assert array([Trigger.PAYMENT_FAILED, 'a"b']) == '{"payment_failed","a\\"b"}'


def test_rows_get_their_ids_in_the_order_given() -> None:
    store = make_store()
    events = [f"event {text}"[:50] for text in NASTY]
    data = [{"said": text, "more": [1, None, {"deep": text}]} for text in NASTY]
    many = len(NASTY)
    columns: dict[str, list[Any]] = {
        "store_id": [store.pk] * many,
        "event": events,
        "actor": ["job:tests"] * many,
        "data": data,
        "created_at": [NOW] * many,
    }
    ids = insert(JournalEntry, columns)
    rows = [JournalEntry.unscoped.get(pk=pk) for pk in ids]
    assert [(row.event, row.data, row.created_at) for row in rows] == [
        (event, facts, NOW) for event, facts in zip(events, data, strict=True)
    ]


def test_what_is_the_same_in_all_rows_is_said_once() -> None:
    same = {"store_id": make_store().pk, "note": "", "created_at": NOW}
    ids = insert(Remark, {"reason": NASTY}, same=same)
    assert list(Remark.unscoped.filter(pk__in=ids).order_by("pk").values_list("reason", flat=True)) == NASTY


def test_a_text_that_is_too_long_is_refused_and_not_cut() -> None:
    with pytest.raises(DataError):
        insert(Remark, {"store_id": [make_store().pk], "reason": ["x" * 201], "note": [""], "created_at": [NOW]})
