"""The tests' database as the migrations make it, kept between test runs as a data folder of PostgreSQL.

Making it takes seconds, nearly all of it Django's own thinking about migrations; copying it takes none.
What is kept is found by what it was made from, so a new migration makes a new one, and whatever runs after a migration
runs on the copy as well. A kept folder is only ever copied, so any number of runs may use it at once.
"""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from loyalty.embedded.account import server_account
from loyalty.embedded.binaries import make_user_folder
from loyalty.embedded.layout import Layout, user_folder

PREPARED_DATABASE: Final = "loyalty_prepared"
# What else than migrations decides how a new database looks.
_MADE_FROM: Final = (
    "requirements/dev.txt",
    "loyalty/embedded/*.py",
    "loyalty/database/*.py",
    "*/migrations/*.py",
    "*/*/migrations/*.py",
)
KEPT_AT_MOST: Final = 8


@dataclass(frozen=True)
class PreparedDatabase:
    """The kept folder that belongs to a project's migrations, whether it is there or not."""

    folder: Path

    @classmethod
    def of(cls, project: Path) -> "PreparedDatabase":
        """The one that is made from what the project's files say now."""
        said = hashlib.sha256()
        for path in sorted(path for pattern in _MADE_FROM for path in project.glob(pattern)):
            said.update(str(path.relative_to(project)).encode() + b"\0" + path.read_bytes() + b"\0")
        return cls(user_folder() / "prepared" / said.hexdigest()[:24])

    def copy_to(self, layout: Layout) -> bool:
        """Make a layout's data folder of it; answers whether there was one."""
        if not self.folder.is_dir():
            return False
        shutil.copytree(self.folder, layout.postgres_data, symlinks=True)
        _give_to_server(layout.postgres_data)
        return True

    def keep(self, layout: Layout) -> None:
        """Keep a stopped server's data folder, unless somebody was quicker; the oldest ones go."""
        make_user_folder()
        self.folder.parent.mkdir(mode=0o700, exist_ok=True)
        # Moved under another name first: a folder with the right name is whole.
        unfinished = Path(tempfile.mkdtemp(dir=self.folder.parent, prefix="unfinished-"))
        try:
            shutil.copytree(layout.postgres_data, unfinished / "data", symlinks=True)
            if not self.folder.exists():
                (unfinished / "data").rename(self.folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        kept = sorted(self.folder.parent.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in kept[KEPT_AT_MOST:]:
            shutil.rmtree(folder, ignore_errors=True)


def is_prepared(server: psycopg.Connection) -> bool:
    """Whether a server has the prepared database."""
    return server.execute("SELECT FROM pg_database WHERE datname = %s", [PREPARED_DATABASE]).rowcount == 1


def prepare_from(database: str, server: psycopg.Connection) -> None:
    """Make the prepared database of another, to which nobody is connected; ``server`` is in autocommit."""
    names = sql.Identifier(PREPARED_DATABASE), sql.Identifier(database)
    server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))


def _give_to_server(folder: Path) -> None:
    account = server_account()
    if account.uid == os.getuid():
        return
    for place, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(Path(place) / name, account.uid, account.gid, follow_symlinks=False)
