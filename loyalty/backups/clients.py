"""PostgreSQL's own clients, which do the work: started on our database, watched, ended with us."""

import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from django.db import connection
from django.db.backends.postgresql.client import DatabaseClient

from loyalty.backups.manifest import BackupError
from loyalty.embedded.binaries import postgres_client
from loyalty.embedded.process import EmbeddedServerError, die_with_parent

_LAST_WORDS: Final = 12


def run_client(name: str, arguments: Sequence[str], *, database: str, heard: Callable[[str], object]) -> None:
    """Run ``pg_dump`` or ``pg_restore`` on a database of our server; ``heard`` gets each line that it says.

    No password is on its command line. Raises BackupError with its last words when it fails.
    """
    (_, *address, _), environment = DatabaseClient.settings_to_cmd_args_env(
        connection.settings_dict | {"NAME": database}, []
    )
    try:
        program = postgres_client(name)
    except EmbeddedServerError as error:
        raise BackupError(str(error)) from error
    last_words: deque[str] = deque(maxlen=_LAST_WORDS)
    with subprocess.Popen(
        [program, *address, "--no-password", "--dbname", database, "--verbose", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **(environment or {}), "LC_ALL": "C"},
        text=True,
        errors="replace",
        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - it only makes two system calls
    ) as process:
        try:
            for line in process.stderr or ():
                last_words.append(line)
                heard(line)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise BackupError(f"{name} did not succeed:\n{''.join(last_words)}")
