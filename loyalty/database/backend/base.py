"""Django's connection to PostgreSQL, which tells the server what stores are named before it sends a statement."""

from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from django.db.backends.postgresql import base, operations
from psycopg import Cursor
from psycopg.pq import TransactionStatus

from loyalty.database.backend.slow_statements import USUAL_MILLISECONDS, name_slow
from loyalty.database.named_stores import SETTING, named

_TELL = f"SELECT set_config('{SETTING}', %s, false)"
# A plan is made for tables as large as they were then: tables that grow fast are looked at again this often.
PLANS_LAST_SECONDS: Final = 10


class PreparingCursor(Cursor[Any]):
    """Leaves every statement with the server, parsed and planned, under a name.

    Only what goes through here is counted. Of other statements the driver would keep the last hundred texts to see
    which of them come often, with the values in them: the parts of a file, people's names.
    """

    def execute(self, query: Any, params: Any = None, **_: Any) -> Any:
        self.connection.prepare_threshold = 0
        try:
            return super().execute(query, params, prepare=True)
        finally:
            self.connection.prepare_threshold = None


class DatabaseOperations(operations.DatabaseOperations):
    """Knows what a prepared statement says, for logs and tests; the driver has forgotten its text by then."""

    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> Any:
        if isinstance(cursor, PreparingCursor):
            return self.compose_sql(sql, params)
        return super().last_executed_query(cursor, sql, params)


class DatabaseWrapper(base.DatabaseWrapper):
    """Asks nothing of those who use it: a statement runs with the stores that are named when it is sent.

    The server is told only when that changed, which is once or twice a request. What it was told is forgotten with a
    rollback, because PostgreSQL forgets it then, and with a new connection.
    """

    ops_class = DatabaseOperations

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._told: str | None = None
        self._planned_at = 0.0
        self._prepares = False
        self._slow = self.settings_dict.get("SLOW_MILLISECONDS", USUAL_MILLISECONDS) / 1000
        self.execute_wrappers.append(self._tell_first)

    def init_connection_state(self) -> None:
        super().init_connection_state()
        self._told = None
        self._planned_at = monotonic()

    def rollback(self) -> None:
        super().rollback()
        self._told = None

    def savepoint_rollback(self, sid: str) -> None:
        super().savepoint_rollback(sid)
        self._told = None

    def preparing_cursor(self) -> Any:
        """A cursor for statements that stay the same (:mod:`loyalty.database.prepared`)."""
        self._prepares = True
        try:
            return self.cursor()
        finally:
            self._prepares = False

    def create_cursor(self, name: str | None = None) -> Any:
        if name or not self._prepares:
            return super().create_cursor(name)
        if monotonic() - self._planned_at > PLANS_LAST_SECONDS and not self._is_refused():
            self.connection.execute("DISCARD PLANS")
            self._planned_at = monotonic()
        usual, self.connection.cursor_factory = self.connection.cursor_factory, PreparingCursor
        try:
            return super().create_cursor()
        finally:
            self.connection.cursor_factory = usual

    def _is_refused(self) -> bool:
        """Whether nothing can be said but the end of the transaction, because something in it failed."""
        return bool(self.connection.info.transaction_status == TransactionStatus.INERROR)

    def _tell_first(
        self, execute: Callable[..., Any], statement: Any, parameters: Any, many: bool, context: Any
    ) -> Any:
        stores = named()
        if stores != self._told and not self._is_refused():
            self.connection.execute(_TELL, [stores])
            self._told = stores
        began = monotonic()
        try:
            return execute(statement, parameters, many, context)
        finally:
            if (seconds := monotonic() - began) >= self._slow:
                name_slow(statement, seconds)
