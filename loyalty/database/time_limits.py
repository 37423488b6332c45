"""How long PostgreSQL works for a process, waits for others on its behalf, and lets it think.

The web's role has the web's limits in the server, so they hold for whoever connects as it; a process that may take
longer says so when it connects. A request gives up while its sender still waits. A job may take as long as a worker may
keep a task. A command has somebody in front of it; of a migration the wait for locks matters, because everybody queues
up behind it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import environ


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for one statement, for one wait for a lock, and for a transaction that does nothing; 0 is no limit."""

    statement: int
    lock: int
    idle: int

    def settings(self) -> dict[str, str]:
        """What they are in PostgreSQL, by name."""
        return {
            "statement_timeout": f"{self.statement}s",
            "lock_timeout": f"{self.lock}s",
            "idle_in_transaction_session_timeout": f"{self.idle}s",
        }


LIMITS: Final[Mapping[str, Limits]] = {
    "web": Limits(statement=20, lock=5, idle=30),
    "worker": Limits(statement=900, lock=10, idle=300),
    "command": Limits(statement=0, lock=30, idle=600),
}


def limits_of(process: str, env: environ.Env) -> str:
    """The limits of a kind of process, or those that the environment sets, as options of a connection."""
    usual = LIMITS[process]
    limits = Limits(
        statement=env.int("DATABASE_STATEMENT_TIMEOUT_SECONDS", default=usual.statement),
        lock=env.int("DATABASE_LOCK_TIMEOUT_SECONDS", default=usual.lock),
        idle=env.int("DATABASE_IDLE_TIMEOUT_SECONDS", default=usual.idle),
    )
    return " ".join(f"-c {name}={value}" for name, value in limits.settings().items())
