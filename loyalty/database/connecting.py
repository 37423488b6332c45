"""The connection to PostgreSQL, as the settings hand it to Django."""

from typing import Any, Final

import environ

from loyalty.database.backend.slow_statements import USUAL_MILLISECONDS
from loyalty.database.time_limits import limits_of

# What is prepared is planned once, for any values (loyalty.database.prepared).
_PLANS: Final = "-c plan_cache_mode=force_generic_plan"


def database(env: environ.Env, usual: str, process: str) -> dict[str, Any]:
    """What ``DATABASE_URL`` names, else the address ``usual``, with the time limits of this kind of process."""
    connection: dict[str, Any] = env.db_url("DATABASE_URL", default=usual)
    options: dict[str, Any] = connection.setdefault("OPTIONS", {})
    # A socket's folder stands in the address's query; Django's own tools look for it in HOST.
    connection["HOST"] = options.pop("host", connection["HOST"])
    options.setdefault("connect_timeout", 5)
    # What the address asks for comes last, and counts.
    options["options"] = f"{limits_of(process, env)} {_PLANS} {options.get('options', '')}".rstrip()
    return connection | {
        "ENGINE": "loyalty.database.backend",
        "CONN_MAX_AGE": env.int("DATABASE_CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "SLOW_MILLISECONDS": env.int("SLOW_STATEMENT_MILLISECONDS", default=USUAL_MILLISECONDS),
    }
