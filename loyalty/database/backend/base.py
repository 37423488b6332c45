"""Django's connection to PostgreSQL, which tells the server what stores are named before it sends a statement."""

from collections.abc import Callable
from typing import Any

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from loyalty.database.named_stores import SETTING, named

_TELL = f"SELECT set_config('{SETTING}', %s, false)"


class DatabaseWrapper(base.DatabaseWrapper):
    """Asks nothing of those who use it: a statement runs with the stores that are named when it is sent.

    The server is told only when that changed, which is once or twice a request. What it was told is forgotten with a
    rollback, because PostgreSQL forgets it then, and with a new connection.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._told: str | None = None
        self.execute_wrappers.append(self._tell_first)

    def init_connection_state(self) -> None:
        super().init_connection_state()
        self._told = None

    def rollback(self) -> None:
        super().rollback()
        self._told = None

    def savepoint_rollback(self, sid: str) -> None:
        super().savepoint_rollback(sid)
        self._told = None

    def _tell_first(
        self, execute: Callable[..., Any], statement: Any, parameters: Any, many: bool, context: Any
    ) -> Any:
        stores = named()
        # In a transaction that failed nothing can be said but its end.
        if stores != self._told and self.connection.info.transaction_status != TransactionStatus.INERROR:
            self.connection.execute(_TELL, [stores])
            self._told = stores
        return execute(statement, parameters, many, context)
