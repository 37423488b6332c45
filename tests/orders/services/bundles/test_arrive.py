"""A store moves with everything in it, or not at all."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import transaction
from pytest_django import DjangoDbBlocker

from loyalty.core.errors import DomainError
from loyalty.customers.search import find_customers
from loyalty.journal.models import JournalEntry
from loyalty.platforms.models import PlatformConnection, PrivacyRequest
from loyalty.stores.models import Store
from loyalty.timeline.sentences import lines_of
from loyalty.webhooks.models import WebhookEndpoint
from orders.services.bundles import arrive, opened
from orders.services.bundles.arrive import read_bundle
from orders.services.bundles.manifest import BundleRefused
from orders.services.bundles.tables import TRAVELS
from tests import factories
from tests.books import find_faults
from tests.factories import ACTOR, NOW
from tests.orders.services.bundles.moving import assert_arrived, changed, everything, moved, rows_of, written
from tests.orders.services.customers.test_privacy_requests import Shop, everything_said

pytestmark = pytest.mark.django_db

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def small(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> io.BytesIO:
    """The bundle of a store where somebody got value back, which is no longer there."""
    with django_db_blocker.unblock(), transaction.atomic():
        store = factories.make_store("small")
        customer = factories.make_customer(store)
        factories.grant("credits", customer, "10.00")
        factories.grant("points", customer, 30)
        factories.cancel_and_return(factories.make_order(customer, credits="6.00", points=20))
        bundle = written(store)
        transaction.set_rollback(True)
    return bundle


def arrived(bundle: io.BytesIO, slug: str | None = None) -> Store:
    return read_bundle(bundle, slug=slug, actor=ACTOR, now=NOW).store


def counts() -> dict[str, int]:
    return {table.name: table.model.unscoped.count() for table in TRAVELS} | {"stores": Store.objects.count()}


def with_rows(bundle: io.BytesIO, table: str, change: Change) -> io.BytesIO:
    """The bundle with other rows in one table, and a manifest that agrees."""
    rows = rows_of(bundle, table)
    change(rows[0])
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    return changed(bundle, {f"ndjson/{table}.ndjson": lines})


def with_manifest(bundle: io.BytesIO, change: Change) -> io.BytesIO:
    manifest = json.loads(zipfile.ZipFile(bundle).read("manifest.json"))
    change(manifest)
    return changed(bundle, {"manifest.json": json.dumps(manifest).encode()})


class TestMoving:
    def test_everything_arrives(self) -> None:
        with time_machine.travel(NOW, tick=False):
            shop = everything()
        before = written(shop.store)
        assert not [table.name for table in TRAVELS if not rows_of(before, table.name)]
        there = moved(shop.store, "there")
        after = written(there)
        assert_arrived(before, after)
        assert find_faults(there) == []
        # And on from there, with those who acted two installations ago.
        further = written(moved(there, "further"))
        assert [row["name"] for row in rows_of(further, "actors")] == [row["name"] for row in rows_of(after, "actors")]

        # The timeline names who acted, and nobody who has his number here.
        names = {line.who for line in lines_of(list(JournalEntry.objects.for_store(there)), there)}
        assert "Olive Owner" in names
        acted = set(JournalEntry.objects.for_store(there).values_list("actor", flat=True))
        assert not acted & {row["ref"] for row in rows_of(before, "actors")}
        # What only the old place may do is not done in the new one.
        endpoint = WebhookEndpoint.objects.for_store(there).get()
        connected = PlatformConnection.objects.for_store(there).get()
        assert (endpoint.enabled, bool(endpoint.secret)) == (False, False)
        assert (connected.enabled, connected.has_credentials, bool(connected.webhook_secret)) == (False, False, False)

    def test_o7_people_are_found_there_by_keys_that_are_made_there(self, small: io.BytesIO) -> None:
        (row,) = rows_of(small, "customers")
        assert "search_key" not in row
        renamed = with_rows(small, "customers", lambda rows: rows.update(name="José 陳小明"))
        there = arrived(renamed)
        assert [person.name for person in find_customers(there, "小明")] == ["José 陳小明"]

    def test_whom_a_platform_asked_to_erase_is_erased_where_he_arrived(self) -> None:
        with time_machine.travel(NOW, tick=False):
            shop = Shop()
            shop.ask("customers/redact")
            shop.store = moved(shop.store, "there")
            assert "ada@example.com" in everything_said(shop.store)
            shop.confirm(PrivacyRequest.objects.for_store(shop.store).get())
        assert "ada@example.com" not in everything_said(shop.store)

    def test_a_store_that_is_there_is_left_alone(self, small: io.BytesIO) -> None:
        store = arrived(small)
        before = counts()
        with pytest.raises(BundleRefused, match="There is a store “small” already"):
            arrived(small)
        assert counts() == before
        assert (store.slug, arrived(small, "other").slug) == ("small", "other")

    def test_statements_do_not_grow_with_the_rows(self, small: io.BytesIO) -> None:
        """Each table is one statement: every row is staged before the first is written."""
        told: list[str] = []
        read_bundle(small, slug=None, actor=ACTOR, now=NOW, tell=told.append)
        assert told == [table.name for table in TRAVELS]

    def test_by_command(self, small: io.BytesIO, tmp_path: Path) -> None:
        file, said = tmp_path / "small.zip", io.StringIO()
        file.write_bytes(small.getvalue())
        call_command("import_store", str(file), "--slug", "here", stdout=said)
        assert "credit_lots: currency USD, granted 10.000, remaining 10.000" in said.getvalue()
        assert "store here: " in said.getvalue()
        with pytest.raises(CommandError, match="There is a store “here” already"):
            call_command("import_store", str(file), "--slug", "here")
        with pytest.raises(CommandError, match="cannot be read: No such file"):
            call_command("import_store", str(tmp_path / "none.zip"))


def other(table: str, **values: Any) -> Callable[[io.BytesIO], io.BytesIO]:
    return lambda bundle: with_rows(bundle, table, lambda row: row.update(values))


def cut(bundle: io.BytesIO) -> io.BytesIO:
    return io.BytesIO(bundle.getvalue()[: len(bundle.getvalue()) // 2])


def bent(bundle: io.BytesIO) -> io.BytesIO:
    """A bit of the packed customers is another one."""
    content = bytearray(bundle.getvalue())
    entry = zipfile.ZipFile(bundle).getinfo("ndjson/customers.ndjson")
    content[entry.header_offset + 60 + entry.compress_size // 2] ^= 0x55
    return io.BytesIO(bytes(content))


def bomb(bundle: io.BytesIO) -> io.BytesIO:
    """As much as is let pass unpacked is made small for the test, not the bomb large."""
    return changed(bundle, {"csv/customers.csv": b"0" * (20 << 20)})


def line(content: bytes, table: str = "customers") -> Callable[[io.BytesIO], io.BytesIO]:
    return lambda bundle: changed(bundle, {f"ndjson/{table}.ndjson": content})


def text(value: str) -> Callable[[io.BytesIO], io.BytesIO]:
    def change(bundle: io.BytesIO) -> io.BytesIO:
        rows = zipfile.ZipFile(bundle).read("ndjson/customers.ndjson").decode()
        name = rows_of(bundle, "customers")[0]["name"]
        return changed(bundle, {"ndjson/customers.ndjson": rows.replace(f'"{name}"', f'"{value}"').encode()})

    return change


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        pytest.param(lambda _: io.BytesIO(b"PK no zip"), "not a zip file, or only a part", id="no zip"),
        pytest.param(cut, "not a zip file, or only a part", id="cut off"),
        pytest.param(bent, "damaged and cannot be read|was changed", id="a bit of it bent"),
        pytest.param(
            lambda bundle: changed(bundle, {"ndjson/rewards.ndjson": None}), "without its file ndjson/rew", id="missing"
        ),
        pytest.param(
            lambda bundle: changed(bundle, {"../../etc/cron.d/x": b"x"}),
            "“../../etc/cron.d/x” is not a file",
            id="a path",
        ),
        pytest.param(bomb, "unpack to far more", id="a bomb"),
        pytest.param(
            lambda bundle: changed(bundle, {"csv/orders.csv": b"x"}, signed=False), "not as long", id="other length"
        ),
        pytest.param(
            lambda bundle: changed(
                bundle, {"csv/orders.csv": zipfile.ZipFile(bundle).read("csv/orders.csv").swapcase()}, signed=False
            ),
            "csv/orders.csv was changed",
            id="other bytes",
        ),
        pytest.param(line(b""), "has 0 rows, and the manifest says 1", id="fewer rows"),
        pytest.param(
            lambda bundle: with_manifest(bundle, lambda said: said.update(format_version=2)),
            "has version 2 of the format; this installation reads version 1",
            id="another format",
        ),
        pytest.param(
            lambda bundle: with_manifest(bundle, lambda said: said.pop("files")),
            "manifest.json is damaged",
            id="no files",
        ),
        pytest.param(lambda bundle: changed(bundle, {"manifest.json": b"[" * 9999}), "is no JSON", id="deep manifest"),
        pytest.param(
            lambda bundle: with_manifest(bundle, lambda said: said["store"].update(slug="../x")),
            "not a slug",
            id="slug",
        ),
        pytest.param(
            lambda bundle: with_manifest(bundle, lambda said: said["sums"]["credit_lots"][0].update(granted="11.000")),
            "sums are not those of the manifest. credit_lots USD: .* granted 11.000",
            id="another sum in the manifest",
        ),
        pytest.param(
            other("credit_lots", granted="11.000"), "sums are not those .* come to granted 11.000", id="another sum"
        ),
        pytest.param(other("credit_movements", amount="9.0005"), "amount is not an amount", id="too many decimals"),
        pytest.param(other("credit_lots", granted="NaN"), "line 1: granted is not an amount", id="no number"),
        pytest.param(other("credit_lots", customer_id=1), "customer_id 1 is not in this bundle", id="a stranger"),
        pytest.param(other("credit_lots", customer_id="1 OR 1"), "customer_id is not an id", id="an id that is none"),
        pytest.param(other("orders", store_id=1), "“store_id” is missing or unknown", id="another store"),
        pytest.param(other("customers", id=-4), "Its id is not a number", id="an absurd id"),
        pytest.param(other("journal", actor="user:1"), "actor user:1 is not in this bundle", id="a stranger acts"),
        pytest.param(other("orders", placed_at="tomorrowish"), "line 1: placed_at cannot be kept", id="no instant"),
        pytest.param(other("customers", name="x" * 201), "line 1: name cannot be kept", id="too long"),
        pytest.param(other("customers", created_at=None), "Something is missing that has to be there", id="null"),
        pytest.param(other("orders", payment_status="eaten"), "order_payment_is_known", id="an unknown status"),
        pytest.param(other("point_lots", remaining=31), "point_lot.*_remaining_within", id="more left than given"),
        pytest.param(other("point_movements", balance_after=31), "books of this bundle do not agree", id="books"),
        pytest.param(text("\\ud83d"), "line 1: It holds characters", id="half a pair of surrogates"),
        pytest.param(text("\\u0000"), "line 1: It holds characters", id="a NUL"),
        pytest.param(line(b"[" * 99999 + b"\n"), "line 1: It is not JSON", id="depth"),
        pytest.param(line(b'{"id": NaN}\n'), "line 1: It is not JSON", id="NaN"),
        pytest.param(line(b"\xff\xfe\n"), "line 1: It is not JSON", id="another encoding"),
        pytest.param(line(b"7\n"), "line 1: It is not a row", id="no row"),
        pytest.param(line(b"{}"), "line 1 is cut off", id="half a line"),
        pytest.param(
            line(b'{"ref": "user:%s", "name": "x"}\n' % (b"7" * 9999), "actors"),
            "does not say who acted",
            id="an endless actor",
        ),
        pytest.param(line(b'{"ref": "root:1", "name": "x"}\n', "actors"), "does not say who acted", id="no actor"),
    ],
)
def test_a_bundle_that_is_not_what_it_says_is_refused_in_words(
    small: io.BytesIO, attack: Callable[[io.BytesIO], io.BytesIO], words: str
) -> None:
    before = counts()
    with patch.object(opened, "_SMALL", 1 << 20), pytest.raises(DomainError, match=words):
        arrived(attack(small))
    assert counts() == before


def test_an_interrupted_read_leaves_nothing(small: io.BytesIO) -> None:
    before = counts()
    with patch.object(arrive, "_prove", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        arrived(small)
    assert counts() == before
    assert arrived(small).slug == "small"


def test_no_line_is_longer_than_any_row(small: io.BytesIO) -> None:
    with patch.object(opened, "_LONGEST_LINE", 100), pytest.raises(BundleRefused, match="longer than any row"):
        arrived(small)
