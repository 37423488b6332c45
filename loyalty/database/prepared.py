"""Statements that are the same all day: PostgreSQL keeps them parsed and planned (ADR 0059).

For SQL that stands in the code and gets its values as arrays: what it is asked for one order or for five hundred is
one statement. Statements that are put together for each question belong into a plain cursor.

Whoever writes a lot sends it :func:`together`: then PostgreSQL works while Python puts the next statement together
(ADR 0070).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.sql import Query

from loyalty.database.backend.base import DatabaseWrapper

M = TypeVar("M", bound=models.Model)


def in_words(model: type[models.Model], condition: models.Q) -> str:
    """A condition on a model's own columns with its values written out, as Django writes it into a partial index.

    The plan for any values finds such an index only where the statement says the same as it.
    """
    query = Query(model, alias_cols=False)
    sql, values = query.build_where(condition).as_sql(query.get_compiler(connection=connection), connection)
    return str(sql % tuple(map(connection.schema_editor().quote_value, values)))


class Answer:
    """What a statement answers; where it was sent ahead, reading waits for it and raises what became of it."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def rows(self) -> list[Any]:
        """The rows, once."""
        rows: list[Any] = _database().await_answers(self._cursor.fetchall)
        return rows

    @property
    def count(self) -> int:
        """How many rows it wrote or found; to be read when it is answered, as :func:`when_answered` says."""
        return int(self._cursor.rowcount)


def ask(statement: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> Answer:
    """Send a statement of that kind. Every value has a type: a cast, or its column's."""
    cursor = _database().preparing_cursor()
    cursor.execute(statement, values)
    return Answer(cursor)


def together() -> AbstractContextManager[None]:
    """Within, :func:`ask` does not wait: what is sent is answered where an answer is read, and at the end all is.

    Inside a transaction only. What fails raises its error there, so nothing is taken for done that is not; a savepoint
    and a statement of the ORM wait for all that was sent before them.
    """
    return _database().sending_ahead()


def when_answered(do: Callable[[], None]) -> None:
    """Call ``do`` once all that was sent so far is answered; at once where it was not sent :func:`together`."""
    _database().when_answered(do)


def _database() -> DatabaseWrapper:
    return cast("DatabaseWrapper", connections[DEFAULT_DB_ALIAS])


class Columns(Generic[M]):
    """The columns of a model in a fixed statement, all or ``only`` some, and the object that they are.

    What the ORM would find out for every query anew is found out once.
    """

    def __init__(self, model: type[M], alias: str, only: Collection[str] = ()) -> None:
        self.model = model
        fields = [field for field in model._meta.concrete_fields if not only or field.attname in only]
        self.names = [field.attname for field in fields]
        self.sql = ", ".join(f'{alias}."{field.column}"' for field in fields)
        self._converters = [
            (place, converter)
            for place, field in enumerate(fields)
            for converter in field.get_db_converters(connection)
        ]

    def read(self, values: Sequence[Any]) -> M:
        """The object that a row with these columns is."""
        read = list(values)
        for place, convert in self._converters:
            read[place] = convert(read[place], None, connection)
        return self.model.from_db(DEFAULT_DB_ALIAS, self.names, read)
