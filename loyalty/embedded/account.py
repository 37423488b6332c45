"""Which account runs PostgreSQL, and which folders it can reach.

PostgreSQL refuses to run as root. A root user's server runs as ``postgres`` or ``nobody``, everybody else's as
themselves. No account is made and no folder's mode is widened for it.
"""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict


class Identity(TypedDict, total=False):
    """The arguments of subprocess.Popen that change the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """An account of the operating system."""

    uid: int
    gid: int

    def identity(self) -> Identity:
        """What makes a child process run as this account; nothing when it is our own."""
        if self.uid == os.getuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def take(self, folder: Path) -> None:
        """Make a folder that this account owns and nobody else enters."""
        folder.mkdir(parents=True, exist_ok=True)
        os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)


USUAL_NOBODY = Account(65534, 65534)


def server_account() -> Account:
    """The account that PostgreSQL runs as."""
    if os.getuid() != 0:
        return Account(os.getuid(), os.getgid())
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    return USUAL_NOBODY


def can_enter(account: Account, path: Path) -> bool:
    """Whether the account can reach a folder through all its parents."""
    if account.uid == os.getuid():
        return True
    return all(_may_pass(account, folder) for folder in (path, *path.parents))


def _may_pass(account: Account, folder: Path) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)
