"""The pauses between attempts, and what is written after a failure (E7)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from loyalty.jobs.retries import (
    DELIVERIES,
    LETTERS,
    NEVER,
    NOTICES,
    OUTBOX,
    PARTNERS,
    PROBLEMS,
    Pauses,
    put_off,
    words_of,
)
from loyalty.notices.models import Notice
from loyalty.stores.models import Store
from tests.factories import NOW, make_store

ALL = (OUTBOX, NOTICES, DELIVERIES, LETTERS, PARTNERS, PROBLEMS, NEVER)


@given(st.sampled_from(ALL), st.integers(1, 40), st.timedeltas(timedelta(0), timedelta(days=2)))
def test_e7_pauses_grow_keep_to_what_was_asked_and_end_once(pauses: Pauses, failures: int, wait: timedelta) -> None:
    turn, later = (pauses.turn(number, NOW, wait=wait) for number in (failures, failures + 1))
    assert (turn is None) == pauses.are_over(failures)
    if turn is None:
        assert later is None
    else:
        assert turn > NOW
        assert turn >= NOW + wait
        assert later is None or later >= turn


def test_e7_the_last_attempt_gives_up() -> None:
    notice = Notice(attempts=len(NOTICES.steps))
    assert put_off(notice, "full\x00", NOTICES, NOW)
    assert (notice.next_attempt_at, notice.last_error) == (NOW + NOTICES.steps[-1], "full\N{REPLACEMENT CHARACTER}")
    notice.attempts += 1
    assert not put_off(notice, "full", NOTICES, NOW)
    assert notice.next_attempt_at is None


def _executing(sql: str) -> Callable[[], object]:
    return lambda: connection.cursor().execute(sql)


def _twice() -> Store:
    return make_store(slug=make_store().slug)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("do", "words"),
    [
        (_executing("SELECT 99999999999::int"), "A number is larger than can be kept (DataError 22003)."),
        (
            _twice,
            "There is one already, and there may be only one (IntegrityError 23505 stores_store_slug_key).",
        ),
        (_executing("SELECT 1/0"), "DataError: 22012"),
    ],
)
def test_e7_the_databases_commonest_errors_are_said_in_words(do: Callable[[], object], words: str) -> None:
    with pytest.raises(DatabaseError) as raised, transaction.atomic():
        do()
    assert words_of(raised.value) == words
