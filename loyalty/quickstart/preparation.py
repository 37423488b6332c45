"""What has to be there before the product's processes start: a key, tables, static files, a demonstration."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management.utils import get_random_secret_key

from loyalty.embedded.layout import OWNER_ROLE, WEB_ROLE, Layout

MIGRATE: Final = ["migrate", "--noinput"]
COLLECT: Final = ["collectstatic", "--noinput"]


class PreparationFailed(Exception):
    """A step did not succeed; the message is what it said."""


@dataclass(frozen=True, kw_only=True)
class Environments:
    """The environment of the steps that make tables, and those of the processes that use them."""

    owner: Mapping[str, str]
    web: Mapping[str, str]
    worker: Mapping[str, str]


def environments(layout: Layout) -> Environments:
    """The addresses of the embedded servers, or of those that the environment names."""
    given = dict(os.environ) | {"PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "loyalty.settings"}
    redis = {"REDIS_URL": given.get("REDIS_URL", layout.redis_url())}
    named = given.get("DATABASE_URL")
    using = given | redis | {"DATABASE_URL": named or layout.database_url(role=WEB_ROLE)}
    return Environments(
        owner=given | redis | {"DATABASE_URL": named or layout.database_url(role=OWNER_ROLE)},
        web=using | {"LOYALTY_PROCESS": "web"},
        worker=using | {"LOYALTY_PROCESS": "worker"},
    )


def make_secret_key(layout: Layout) -> None:
    """Make this machine's key once; every process reads it from there."""
    if not layout.secret_key_file.exists():
        _write_privately(layout.secret_key_file, get_random_secret_key())


def make_tables(project: Path, environment: Mapping[str, str]) -> None:
    """Migrate the database. Raises PreparationFailed."""
    _finish(MIGRATE, _start(project, MIGRATE, environment))


def make_tables_and_static_files(project: Path, environment: Mapping[str, str], layout: Layout) -> None:
    """Migrate the database, and beside that collect the static files that pages need, where theirs were others.

    Raises PreparationFailed.
    """
    sources, collected_from = _static_sources(), layout.home / "static.txt"
    is_there = Path(settings.STATIC_ROOT).exists() and collected_from.exists()
    steps = [MIGRATE] if is_there and collected_from.read_text() == sources else [MIGRATE, COLLECT]
    running = [(step, _start(project, step, environment)) for step in steps]
    for step, process in running:
        _finish(step, process)
    collected_from.write_text(sources)


def _static_sources() -> str:
    """Something that is another when the files are others that static files are collected from."""
    said = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for name, storage in finder.list(()):
            file = Path(storage.path(name)).stat()
            said.update(f"{name}\0{file.st_size}\0{file.st_mtime_ns}\0".encode())
    return said.hexdigest()


def load_demonstration(project: Path, environment: Mapping[str, str], layout: Layout) -> dict[str, Any]:
    """Load the demonstration once into a database; its logins and keys are kept beside the local data."""
    kept = layout.home / "demo.json"
    database = hashlib.sha256(environment["DATABASE_URL"].encode()).hexdigest()
    if kept.exists():
        known: dict[str, Any] = json.loads(kept.read_text())
        if known["database"] == database:
            return known
    step = ["load_demo", "--json"]
    said = _finish(step, _start(project, step, environment))
    loaded: dict[str, Any] = {"database": database, **json.loads(said)}
    _write_privately(kept, json.dumps(loaded, indent=1))
    return loaded


def _start(project: Path, step: list[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(project / "manage.py"), *step],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        text=True,
    )


def _finish(step: list[str], process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate()
    if process.returncode != 0:
        message = f"manage.py {' '.join(step)} failed:\n{output}{errors}"
        raise PreparationFailed(message)
    return output


def _write_privately(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
