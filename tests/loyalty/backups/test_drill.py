"""The drill: an installation is backed up while it works, ruined, and put back; its books agree and it goes on."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from psycopg import sql
from pytest_django import DjangoDbBlocker

from loyalty.backups.databases import connected_to, drop, exists, must_be_left_alone
from loyalty.backups.folders import whole_backups
from loyalty.backups.manifest import NAME, Manifest, read_manifest
from loyalty.backups.tables import sums_of_tables
from loyalty.core.encryption import Secret
from loyalty.stores.models import Store
from loyalty.webhooks.models import WebhookEndpoint
from orders.models import Order
from tests import factories
from tests.database import connect_as_the_web

pytestmark = pytest.mark.django_db


@pytest.fixture
def _django_db_helper() -> None:
    """These tests have databases made for them, and no transaction around: they change what they are connected to."""


@contextmanager
def as_the_owner_alone() -> Iterator[None]:
    """Connect as commands of the installation do, without being the web on top."""
    options: dict[str, Any] = connection.settings_dict["OPTIONS"]
    before = options["options"]
    options["options"] = before.replace(f"-c role={django_settings.DATABASE_WEB_ROLE}", "")
    connection.close()
    try:
        yield
    finally:
        connection.close()
        options["options"] = before


@pytest.fixture(scope="module")
def installation(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A database of this module's own, which tests ruin and replace; its name."""
    tests = connection.settings_dict["NAME"]
    name = f"{tests}_drill"
    with django_db_blocker.unblock(), as_the_owner_alone():
        with connected_to("postgres"), connection.cursor() as cursor:
            copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(tests))
            cursor.execute(copy)
        with connected_to(name):
            yield name
        with connected_to("postgres"), connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name])
            left = [row[0] for row in cursor.fetchall()]
        for database in left:
            drop(database)


@pytest.fixture(scope="module")
def backup(installation: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of two stores with cancelled orders and a secret."""
    for slug in ("one", "two"):
        customer = factories.make_customer(factories.make_store(slug))
        factories.grant("credits", customer, "100")
        factories.grant("points", customer, 500)
        factories.cancel(factories.make_order(customer, credits="60", points=300))
    WebhookEndpoint.unscoped.create(
        store=Store.objects.get(slug="one"),
        url="https://example.org/hook",
        events=["order.created"],
        secret=Secret.of("a webhook's secret"),
        created_at=factories.NOW,
        updated_at=factories.NOW,
    )
    within = tmp_path_factory.mktemp("backups")
    call_command("backup", str(within), stdout=StringIO())
    (taken,) = whole_backups(within)
    return taken


@pytest.fixture
def copy(backup: Path, tmp_path: Path) -> Path:
    """A copy of the backup, to be damaged."""
    return Path(shutil.copytree(backup, tmp_path / backup.name))


def restore(folder: Path, *options: str) -> str:
    said = StringIO()
    call_command("restore", str(folder), *options, stdout=said)
    return said.getvalue()


def sums() -> dict[str, Any]:
    return dict(sums_of_tables(connection))


def changed(folder: Path, **facts: Any) -> None:
    said = json.loads((folder / NAME).read_text())
    (folder / NAME).write_text(json.dumps(said | facts))


def test_what_was_backed_up_is_put_back_and_goes_on(backup: Path, installation: str) -> None:
    factories.make_store("since-then")
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE orders_order CASCADE")

    said = restore(backup, "--replace")

    manifest = read_manifest(backup)
    assert said.splitlines()[1] == f"Every row is what it was: {manifest.rows} rows in {len(manifest.tables)} tables."
    assert said.splitlines()[-2].startswith(f"{installation} is the backup now. What it was is kept as {installation}_")
    assert said.splitlines()[-1] == "check_ledger: the books agree."
    now, kept_anyway = sums(), {"journal_ledgercheck"}
    assert {name for name, of in manifest.tables.items() if of != now[name]} == kept_anyway
    assert sorted(Store.objects.values_list("slug", flat=True)) == ["one", "two"]
    (order,) = Order.unscoped.filter(store__slug="one")
    assert order.customer is not None
    factories.make_order(order.customer, credits="100")
    assert factories.balance("credits", order.customer, now=factories.NOW) == 0
    with connect_as_the_web() as web:
        assert web.execute("SELECT count(*) FROM orders_order").fetchone() == (0,)
    call_command("check_ledger", stdout=StringIO())


def test_what_is_interrupted_or_does_not_work_changes_nothing(
    backup: Path, installation: str, settings: Any, copy: Path
) -> None:
    """Secrets in it are under an earlier key, which nobody has any more."""
    earlier = settings.CREDENTIALS_KEYS
    settings.CREDENTIALS_KEYS = ["a later key", *earlier]
    changed(copy, sealed=Secret.of("a backup's keys").token)
    settings.CREDENTIALS_KEYS = ["a later key"]
    before = sums()
    with pytest.raises(CommandError, match=r"no key opens the stored secrets of webhook endpoint \(1\)"):
        restore(copy, "--replace")
    assert sums() == before
    assert exists(f"{installation}_restoring"), "left for whoever wants to look; the next restore clears it away"


def test_another_key_is_refused_before_anything_is_done(backup: Path, settings: Any) -> None:
    settings.CREDENTIALS_KEYS = ["another key"]
    with pytest.raises(CommandError, match="None of CREDENTIALS_KEYS is the key"):
        restore(backup, "--replace")
    with pytest.raises(CommandError, match=r"has \d+ tables\. Say --replace"):
        restore(backup, "--without-keys")


def test_a_database_with_tables_is_not_replaced_unasked(backup: Path) -> None:
    with pytest.raises(CommandError, match=r"has \d+ tables\. Say --replace"):
        restore(backup)


def test_nobody_may_be_at_work_on_what_is_replaced(backup: Path) -> None:
    with (
        connect_as_the_web(),
        pytest.raises(CommandError, match=r"1 connection uses .* Stop the web, the worker and beat"),
    ):
        restore(backup, "--replace")


def test_who_is_just_leaving_is_waited_for(installation: str) -> None:
    web = connect_as_the_web()
    with patch("loyalty.backups.databases.time.sleep", side_effect=lambda seconds: web.close()) as rest:
        must_be_left_alone(installation)
    assert rest.called


def test_a_damaged_backup_is_refused(copy: Path) -> None:
    largest = max((copy / "database").iterdir(), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[-1] ^= 1
    largest.write_bytes(content)
    with pytest.raises(CommandError, match=f"{largest.name} is missing or is not what was written"):
        restore(copy, "--replace")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"format": 2}, "has format 2; this version reads format 1"),
        ({"tables": []}, "is no whole backup"),
        ({"migrations": {"orders": ["9999_from_tomorrow"]}}, "does not know orders.9999_from_tomorrow"),
    ],
)
def test_a_backup_of_another_making_is_refused(copy: Path, facts: dict[str, Any], words: str) -> None:
    changed(copy, **facts)
    with pytest.raises(CommandError, match=words):
        restore(copy, "--replace")


def test_half_a_backup_is_none(copy: Path) -> None:
    (copy / NAME).unlink()
    with pytest.raises(CommandError, match="is no whole backup"):
        restore(copy, "--replace")
    assert whole_backups(copy.parent) == []


def test_no_key_is_in_a_backup(backup: Path) -> None:
    manifest: Manifest = read_manifest(backup)
    everything = b"".join(path.read_bytes() for path in backup.rglob("*") if path.is_file())
    assert manifest.sealed.encode() in everything
    for key in (django_settings.SECRET_KEY, *django_settings.CREDENTIALS_KEYS):
        assert key.encode() not in everything
    assert backup.stat().st_mode & 0o077 == 0


def test_only_the_owner_backs_up(installation: str, tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(django_settings.DATABASE_WEB_ROLE)))
    options = connection.settings_dict["OPTIONS"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(options, "options", f"{options['options']} -c role={django_settings.DATABASE_WEB_ROLE}")
        with pytest.raises(CommandError, match="Only the tables' owner sees every row"):
            call_command("backup", str(tmp_path))
    connection.close()


def test_a_client_that_fails_says_why_and_leaves_no_backup(
    installation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c nonsense=1")
    with pytest.raises(CommandError, match=r"pg_dump did not succeed:[\s\S]*nonsense"):
        call_command("backup", str(tmp_path))
    assert whole_backups(tmp_path) == []
