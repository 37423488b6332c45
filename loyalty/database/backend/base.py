"""Django's connection to PostgreSQL, which tells the server what stores are named before it sends a statement."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, Final

from django.db.backends.postgresql import base, operations
from django.db.backends.utils import debug_transaction
from django.db.transaction import TransactionManagementError
from psycopg import Cursor, Error, Pipeline
from psycopg.pq import TransactionStatus

from loyalty.database.backend.slow_statements import USUAL_MILLISECONDS, name_slow
from loyalty.database.named_stores import SETTING, named

_TELL = f"SELECT set_config('{SETTING}', %s, false)"
# A plan is made for tables as large as they were then: tables that grow fast are looked at again this often.
PLANS_LAST_SECONDS: Final = 10
# Of each of several statements that were slow together the log has so much.
_SAID: Final = 100


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
        self._pipeline: Pipeline | None = None
        self._sent: list[str] = []
        self._when_answered: list[Callable[[], None]] = []
        self.execute_wrappers.append(self._tell_first)

    def init_connection_state(self) -> None:
        super().init_connection_state()
        self._told = None
        self._planned_at = monotonic()

    def rollback(self) -> None:
        super().rollback()
        self._told = None

    def _rollback(self) -> None:
        """Roll back by a statement: PostgreSQL keeps what is prepared, and the driver's own way would throw it away.

        After an error that is right: the driver has forgotten the statement that failed, and PostgreSQL has not.
        """
        if self.connection is None:
            return
        with debug_transaction(self, "ROLLBACK"), self.wrap_database_errors:
            if self.connection.info.transaction_status == TransactionStatus.INTRANS:
                self.connection.execute("ROLLBACK")
            else:
                self.connection.rollback()

    def savepoint(self) -> Any:
        # What was sent before is not undone with it, so what becomes of that is known first.
        self.await_answers()
        return super().savepoint()

    def savepoint_rollback(self, sid: str) -> None:
        if self._pipeline is not None:
            self._when_answered.clear()
            # After a statement that failed, everything up to here is passed over; what follows is heard again.
            with suppress(Error):
                self._pipeline.sync()
        super().savepoint_rollback(sid)
        self._told = None

    def savepoint_commit(self, sid: str) -> None:
        self.await_answers()
        super().savepoint_commit(sid)

    @contextmanager
    def sending_ahead(self) -> Iterator[None]:
        """Within, the answers of statements that are kept are awaited where they are read, and all of them at the end.

        Raises TransactionManagementError outside of a transaction: what failed could not be undone with the rest.
        """
        if not self.in_atomic_block:
            raise TransactionManagementError("Only what is undone together is sent ahead together.")
        if self._pipeline is not None:
            # A part of what is sent together already.
            yield
            return
        try:
            with self.wrap_database_errors, self.connection.pipeline() as pipeline:
                self._pipeline = pipeline
                with self._heard_out(pipeline):
                    yield
                began = monotonic()
            self._pipeline = None
            self._answered(began)
        finally:
            self._pipeline = None
            self._sent.clear()
            self._when_answered.clear()

    @contextmanager
    def _heard_out(self, pipeline: Pipeline) -> Iterator[None]:
        """After an error, pass over what else failed: the driver would write it down, with the values in it."""
        try:
            yield
        except BaseException:
            with suppress(Error):
                pipeline.sync()
            raise

    def await_answers(self, read: Callable[[], Any] | None = None) -> Any:
        """Wait for the answers of all that was sent ahead, and ``read`` one. Raises the error of the first that failed.

        The log names what was sent if it takes long, and what :meth:`when_answered` was told is done.
        """
        if self._pipeline is None:
            return None if read is None else read()
        began, answer = monotonic(), None
        with self.wrap_database_errors:
            if read is None:
                self._pipeline.sync()
            else:
                answer = read()
        self._answered(began)
        return answer

    def when_answered(self, do: Callable[[], None]) -> None:
        """Call ``do`` as soon as all is answered that was sent so far; at once where nothing is sent ahead."""
        if self._pipeline is None:
            do()
        else:
            self._when_answered.append(do)

    def _answered(self, began: float) -> None:
        if self._sent and (seconds := monotonic() - began) >= self._slow:
            name_slow(" / ".join(self._sent), seconds)
        self._sent.clear()
        answered, self._when_answered = self._when_answered, []
        for do in answered:
            do()

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
            answer = execute(statement, parameters, many, context)
            if self._pipeline is not None:
                self._sent.append(statement[:_SAID])
                if not isinstance(context["cursor"].cursor, PreparingCursor):
                    # The ORM reads how many rows were changed without a question that could be awaited.
                    self.await_answers()
        finally:
            if (seconds := monotonic() - began) >= self._slow:
                name_slow(statement, seconds)
        return answer
