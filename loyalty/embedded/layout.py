"""Where the embedded servers keep their files, and the addresses that follow from it.

Working out a layout reads file modes and writes nothing, so that the settings can ask for the addresses at any time.
"""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from loyalty.embedded.account import can_enter, server_account

DATABASE = "loyalty"
OWNER_ROLE = "loyalty_owner"
WEB_ROLE = "loyalty_web"
SUPERUSER = "postgres"

# A socket's address holds 108 bytes on Linux and 104 on macOS, its end included.
LONGEST_SOCKET_PATH = 100


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The folders of one pair of embedded servers.

    ``home`` is ours alone; ``postgres_home`` is the part that the account PostgreSQL runs as must be able to reach.
    """

    home: Path
    postgres_home: Path
    sockets: Path

    @property
    def postgres_data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.postgres_home / "postgres"

    @property
    def postgres_sockets(self) -> Path:
        """The folder of PostgreSQL's socket, entered by the server's account and by root alone."""
        return self.sockets / "pg"

    @property
    def valkey_data(self) -> Path:
        """Valkey's data folder."""
        return self.home / "valkey"

    @property
    def valkey_socket(self) -> Path:
        """Valkey's socket."""
        return self.sockets / "valkey.sock"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.home / "logs"

    @property
    def mail(self) -> Path:
        """What the file e-mail backend wrote."""
        return self.home / "mail"

    @property
    def secret_key_file(self) -> Path:
        """The random key that all processes of a local run share."""
        return self.home / "secret_key"

    @property
    def lock_file(self) -> Path:
        """Held by the one supervisor."""
        return self.home / "lock"

    def database_url(self, *, role: str, database: str = DATABASE) -> str:
        """The address of a database for a role."""
        return f"postgres://{role}@/{database}?host={quote(str(self.postgres_sockets), safe='')}"

    def redis_url(self) -> str:
        """The address of Valkey."""
        return f"unix://{self.valkey_socket}"


def layout_for(project: Path) -> Layout:
    """The layout of a project's own servers: ``.local`` in it, or a per-user folder where that cannot be reached."""
    home = project / ".local"
    aside = user_folder() / hashlib.sha256(str(project).encode()).hexdigest()[:12]
    reachable = can_enter(server_account(), project)
    longest = home / "run" / "pg" / ".s.PGSQL.5432"
    fits = len(os.fsencode(longest)) <= LONGEST_SOCKET_PATH
    return Layout(
        home=home,
        postgres_home=home if reachable else aside,
        sockets=home / "run" if reachable and fits else aside / "run",
    )


def layout_in(folder: Path) -> Layout:
    """The layout with everything under one folder, which must have a short name and be reachable."""
    return Layout(home=folder, postgres_home=folder, sockets=folder)


def user_folder() -> Path:
    """The folder of this user under the system's temporary one."""
    return Path(tempfile.gettempdir()) / f"loyalty-{os.getuid()}"
