"""Gives a test run its own PostgreSQL and Valkey when the environment names none.

The addresses are in the environment before Django's settings are read, and the workers of a parallel run inherit them.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from loyalty.embedded.layout import OWNER_ROLE
from loyalty.embedded.prepared import PreparedDatabase
from loyalty.embedded.supervisor import throw_away_servers


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Start what is missing before anything else is loaded; stop it when pytest ends, however it ends."""
    os.environ.setdefault("LOYALTY_ENV", "test")
    # Parallel workers (gw0, gw1, …) share one server; each clears a cache of its own.
    os.environ["CACHE_DATABASE"] = str(1 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")))
    # A live server's threads give their connections back after each request, so that the test database can be dropped.
    os.environ.setdefault("DATABASE_CONN_MAX_AGE", "0")
    postgres = "DATABASE_URL" not in os.environ
    valkey = "REDIS_URL" not in os.environ
    if postgres or valkey:
        # Being told to end is as good as Ctrl-C: nothing is left behind.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        stack = ExitStack()
        early_config.add_cleanup(stack.close)
        prepared = PreparedDatabase.of(early_config.rootpath) if postgres else None
        layout = stack.enter_context(throw_away_servers(postgres=postgres, valkey=valkey, prepared=prepared))
        if postgres:
            os.environ["TESTS_OWN_SERVER"] = "yes"
            # The owner, since the test database is made and flushed by it.
            os.environ["DATABASE_URL"] = layout.database_url(role=OWNER_ROLE)
        if valkey:
            os.environ["REDIS_URL"] = layout.redis_url()
    return (yield)
