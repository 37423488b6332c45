"""A store as a file: all of it and nothing else, from one moment, in bounded memory, safe to open."""

import hashlib
import io
import json
import tracemalloc
import zipfile
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from loyalty.database.snapshot import snapshot
from loyalty.stores.actors import Actor
from loyalty.stores.models import Role, Store
from loyalty.webhooks.endpoints import note_change
from loyalty.webhooks.models import WebhookEndpoint
from orders.models import Order
from orders.services.bundles import write
from orders.services.bundles.write import count_rows, write_bundle
from tests import factories
from tests.examples import open_shop, x1
from tests.factories import NOW
from tests.orders.services.bundles.moving import cells_of, manifest_of, rows_of, written

pytestmark = pytest.mark.django_db


def test_the_manifest_says_what_is_in_every_file(store: Store) -> None:
    customer = factories.make_customer(store)
    factories.grant("credits", customer, Decimal("10.50"))
    factories.grant("points", customer, 30)
    bundle = written(store)
    manifest, archive = manifest_of(bundle), zipfile.ZipFile(bundle)
    assert {file.name for file in manifest.files} | {"manifest.json"} == set(archive.namelist())
    for file in manifest.files:
        content = archive.read(file.name)
        assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert manifest.rows_of("ndjson/customers.ndjson") == manifest.rows_of("csv/customers.csv") == 1
    assert manifest.sums["credit_lots"] == [{"currency": "USD", "granted": "10.500", "remaining": "10.500"}]
    assert manifest.sums["point_movements"] == [{"amount": "30"}]
    assert [len(rows_of(bundle, table)) for table in ("customers", "credit_lots", "point_lots")] == [1, 1, 1]
    assert count_rows(connection, store) == sum(file.rows for file in manifest.files if file.name.startswith("csv/"))


def test_t1_nothing_of_another_store_is_in_it() -> None:
    mine, other = open_shop(), open_shop("coffee")
    for shop in (mine, other):
        x1(shop)
    bundle = written(mine.store)
    archive = zipfile.ZipFile(bundle)
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert mine.store.slug.encode() in everything
    assert other.store.slug.encode() not in everything
    keys = {row["id"] for row in rows_of(bundle, "orders")}
    assert keys == set(Order.objects.for_store(mine.store).values_list("pk", flat=True))


def test_who_acted_is_there_by_name_and_others_are_not(store: Store) -> None:
    user = factories.make_user((store, Role.OWNER), name="Ana Lisa")
    factories.make_user((store, Role.OWNER), name="Somebody Else")
    note_change(WebhookEndpoint(store=store), "created", actor=Actor.user(user), now=NOW)
    assert rows_of(written(store), "actors") == [{"ref": f"user:{user.pk}", "name": "Ana Lisa"}]


def test_texts_like_formulas_are_texts_in_csv_and_untouched_in_json(store: Store) -> None:
    customer = factories.make_customer(store, name="=HYPERLINK(1)", email="")
    factories.make_order(customer, number="@1", tags=("-x",))
    bundle = written(store)
    assert cells_of(bundle, "customers")[0]["name"] == "'=HYPERLINK(1)"
    assert rows_of(bundle, "customers")[0]["name"] == "=HYPERLINK(1)"
    cells = cells_of(bundle, "orders")[0]
    assert (cells["number"], cells["total"], cells["tags"]) == ("'@1", "1000.000", '["-x"]')


def test_money_taken_away_is_a_number_in_csv(store: Store) -> None:
    customer = factories.make_customer(store)
    factories.grant("credits", customer, Decimal(10))
    factories.make_order(customer, credits=Decimal(4))
    assert [row["amount"] for row in cells_of(written(store), "credit_movements")] == ["10.000", "-4.000"]


def test_memory_does_not_grow_with_the_rows() -> None:
    def peak(rows: int) -> int:
        lines = (json.dumps({"id": number, "text": f"{number}" * 9}) for number in range(rows))
        with zipfile.ZipFile(io.BytesIO(), "w") as archive:
            writer = write._Writer(archive, NOW, lambda _: None)
            tracemalloc.start()
            writer.table("numbers", ("id", "text"), (), lines)
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return most

    assert peak(4000) < peak(1000) + 500_000


@pytest.mark.django_db(transaction=True)
def test_all_files_show_one_moment_and_a_command_writes_them(tmp_path: Path) -> None:
    store = factories.make_store("tea")
    customer = factories.make_customer(store)
    factories.grant("points", customer, 30)
    out = io.BytesIO()
    with snapshot() as connection_of_its_own:
        assert count_rows(connection_of_its_own, store) > 0
        factories.grant("points", customer, 70)
        write_bundle(connection_of_its_own, store, out, now=NOW)
    assert manifest_of(out).sums["point_lots"] == [{"granted": "30", "remaining": "30"}]
    assert [row["granted"] for row in rows_of(out, "point_lots")] == [30]

    file, said = tmp_path / "tea.zip", io.StringIO()
    call_command("export_store", "--store", "tea", str(file), stdout=said)
    assert "point_lots 2" in said.getvalue()
    assert manifest_of(io.BytesIO(file.read_bytes())).sums["point_lots"] == [{"granted": "100", "remaining": "100"}]
    with pytest.raises(CommandError, match="is there already"):
        call_command("export_store", "--store", "tea", str(file))
    assert list(tmp_path.iterdir()) == [file]


def test_what_fails_half_way_leaves_no_file(store: Store, tmp_path: Path) -> None:
    with (
        patch("orders.management.commands.export_store.write_bundle", side_effect=OSError(28, "No space left")),
        pytest.raises(CommandError, match="cannot be written: No space left"),
    ):
        call_command("export_store", "--store", store.slug, str(tmp_path / "tea.zip"))
    with pytest.raises(CommandError, match="There is no store “nowhere”"):
        call_command("export_store", "--store", "nowhere", str(tmp_path / "tea.zip"))
    assert list(tmp_path.iterdir()) == []
