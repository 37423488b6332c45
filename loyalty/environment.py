"""Reading the environment: a value stands in it, or in a file that it names."""

from typing import Any

import environ
from environ.fileaware_mapping import FileAwareMapping


class _Files(FileAwareMapping):
    def __getitem__(self, key: str) -> Any:
        # Editors end a file with a line break, which is no part of a password.
        return super().__getitem__(key).rstrip("\r\n")


class Environment(environ.FileAwareEnv):
    """Typed values of the environment; ``SECRET_KEY_FILE`` names a file that holds ``SECRET_KEY``.

    A file is what systemd's credentials and secrets of containers are; no list of processes shows what it holds.
    """

    ENVIRON = _Files()
