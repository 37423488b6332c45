"""Code that is started before its migrations have run answers as if the database were away: in words, and later."""

import pytest
from django.db import DatabaseError, connection, transaction

from loyalty.api.answers.problems import problem_of
from loyalty.backoffice.unavailable import unavailable
from loyalty.database.busy import is_away, raise_if_away

pytestmark = pytest.mark.django_db


def error_of(statement: str) -> DatabaseError:
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    return caught.value


@pytest.mark.parametrize(
    "statement", ["SELECT of_tomorrow FROM stores_store", "SELECT FROM of_tomorrow", "SELECT of_tomorrow(1)"]
)
def test_what_is_not_there_yet_is_asked_for_later(statement: str) -> None:
    error = error_of(statement)
    problem, page = problem_of(error), unavailable(error)
    assert (problem.status, problem.code, problem.headers["Retry-After"]) == (503, "unavailable", "5")
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    with pytest.raises(DatabaseError):
        raise_if_away(error)


def test_what_is_wrong_for_another_reason_is_no_matter_of_waiting() -> None:
    assert not is_away(error_of("SELECT 1 +"))
    assert not is_away(error_of("SELECT 1 / 0"))
