"""A store that moves, and whether all of it arrived: ids are led by position, everything else must be the same."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final
from unittest.mock import ANY

from django.db import connection

from loyalty.accounts.staff import change_role
from loyalty.core.encryption import Secret
from loyalty.journal.record import Event, Happening, record
from loyalty.notices.models import Notice, Reminder
from loyalty.store_settings.letterhead import LetterheadSettings
from loyalty.store_settings.logo import keep_logo, read_picture
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.actors import Act, Actor, Trigger
from loyalty.stores.models import Role, Store
from loyalty.webhooks.endpoints import note_change
from loyalty.webhooks.models import WebhookEndpoint
from orders.models import (
    BalanceImport,
    BalanceImportKey,
    ImportState,
    KeptLayout,
    Order,
    PlatformState,
    Revert,
    SavedView,
)
from orders.services.bulk_cancels.run import choose, confirm
from orders.services.bundles.arrive import read_bundle
from orders.services.bundles.manifest import Manifest, read_manifest
from orders.services.bundles.tables import TRAVELS
from orders.services.bundles.write import write_bundle
from orders.services.redemptions.requests import request_reversal
from orders.services.reverts.apply import Details
from orders.services.reverts.undo import undo_revert
from tests import factories
from tests.factories import ACTOR, NOW
from tests.orders.services.customers.test_privacy_requests import Shop
from tests.pictures import picture

Row = dict[str, Any]
# What is another one on arrival, and what it must be; None for what may be anything.
CHANGES: Final[Mapping[str, Callable[[Row], Row]]] = {
    "notices": lambda row: {
        "status": "withdrawn" if row["status"] == "queued" else row["status"],
        "next_attempt_at": None,
        "message_id": ANY,
    },
    "redemptions": lambda row: {"platform_state": "failed"} if row["platform_state"] == "pending" else {},
    "bulk_cancels": lambda row: (
        {"state": "stopped", "stopped_by": "system:import_store", "finished_at": ANY} if row["state"] == "open" else {}
    ),
    "balance_imports": lambda row: {"state": "done", "finished_at": row["finished_at"] or ANY},
    "webhook_endpoints": lambda row: (
        {"disabled_at": ANY, "disabled_because": "person"} if row["disabled_at"] is None else {}
    ),
    "platform_connections": lambda row: {"enabled": False},
}
IN_JOURNAL: Final = {
    "revert": "reverts",
    "order": "orders",
    "redemption": "redemptions",
    "customer": "customers",
    "notice": "notices",
    "reward": "rewards",
    "request": "reversal_requests",
    "endpoint": "webhook_endpoints",
    "import": "balance_imports",
}


def everything() -> Shop:
    """A store with something in every table that travels, and with everything that is another one on arrival."""
    shop = Shop()
    store, ada = shop.store, shop.ada
    shop.ask("customers/redact")
    owner = factories.make_user((store, Role.OWNER), name="Olive Owner")
    acting: dict[str, Any] = {"store": store, "actor": Actor.user(owner), "now": NOW}
    logo = read_picture(picture(), "")
    keep_logo(store, logo)
    factories.make_settings(store, StoreSettings(letterhead=LetterheadSettings(logo=logo.name)))
    change_role(
        factories.make_user((store, Role.VIEWER), name="Vera Viewer").memberships.get(),
        Role.SUPPORT,
        actor=Actor.user(owner),
        now=NOW,
    )
    revert = Revert.objects.for_store(store).get()
    undo_revert(revert_id=revert.pk, reason="Too much", store=store, act=Act(Actor.user(owner), Trigger.ADMIN, NOW))
    collector, reward = factories.make_collector(store, name="=Cora"), factories.make_reward(store)
    factories.grant("credits", collector, "9.99", currency="EUR", until=date(2026, 2, 1))
    redemption = factories.make_redemption(collector, reward)
    request_reversal(redemption_id=redemption.pk, reason="Please", **acting)
    order = factories.make_order(collector, codes=(redemption.code,))
    factories.cancel_and_return(order)
    factories.merge(factories.make_collector(store), collector)
    shop.connection.access_token = Secret.of("shpat_x")
    shop.connection.save_changes()
    assert factories.make_redemption(collector, reward).platform_state == PlatformState.PENDING
    bulk = choose(orders=Order.objects.for_store(store).filter(pk=shop.order.pk), filters="", **acting)
    confirm(bulk_id=bulk.pk, details=Details(note="Closed"), leave_paid=False, leave_completed=False, **acting)
    choose(orders=Order.objects.for_store(store), filters="", **acting)
    kept = {"layout": {}, "actor": Actor.user(owner).ref, "created_at": NOW, "updated_at": NOW}
    KeptLayout.unscoped.create(store=store, name="Old till", **kept)
    for view in (None, owner):
        SavedView.unscoped.create(store=store, name="Mine", query="status=x", owner=view, created_at=NOW)
    lot = factories.grant("points", ada, 5)
    notice = Notice.objects.for_store(store).filter(customer=ada).first()
    Reminder.unscoped.create(store=store, customer=ada, notice=notice, point_lot=lot, created_at=NOW)
    endpoint = WebhookEndpoint.unscoped.create(
        store=store,
        url="https://a.example/",
        events=["order.created"],
        secret=Secret.of("whsec_x"),
        created_at=NOW,
        updated_at=NOW,
    )
    note_change(endpoint, "created", actor=Actor.user(owner), now=NOW)
    brought: BalanceImport = BalanceImport.unscoped.create(
        store=store,
        file_name="old.csv",
        size=1,
        actor=ACTOR.ref,
        started_by=ACTOR.ref,
        state=ImportState.RUNNING,
        created_at=NOW,
        updated_at=NOW,
        started_at=NOW,
    )
    BalanceImportKey.unscoped.create(store=store, balance_import=brought, kind="points", key="1", point_lot=lot)
    record([Happening(store.pk, Event.BALANCE_CHANGED, data={"import": str(brought.pk)})], actor=ACTOR, now=NOW)
    moved_order = {"customer_id": {"from": ada.pk, "to": collector.pk}}
    record([Happening(store.pk, Event.ORDER_UPDATED, order.pk, data=moved_order)], actor=ACTOR, now=NOW)
    return shop


def written(store: Store) -> io.BytesIO:
    out = io.BytesIO()
    write_bundle(connection, store, out, now=NOW)
    return out


def moved(store: Store, slug: str) -> Store:
    """A new store with everything of ``store``."""
    return read_bundle(written(store), slug=slug, actor=ACTOR, now=NOW).store


def manifest_of(bundle: io.BytesIO) -> Manifest:
    return read_manifest(zipfile.ZipFile(bundle).read("manifest.json"))


def rows_of(bundle: io.BytesIO, table: str) -> list[Row]:
    return [json.loads(line) for line in zipfile.ZipFile(bundle).read(f"ndjson/{table}.ndjson").splitlines()]


def cells_of(bundle: io.BytesIO, table: str) -> list[dict[str, str]]:
    content = zipfile.ZipFile(bundle).read(f"csv/{table}.csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content, newline="")))


def assert_arrived(before: io.BytesIO, after: io.BytesIO) -> None:
    """The second bundle is that of the store which the first one became."""
    assert manifest_of(after).sums == manifest_of(before).sums
    theirs = {table.name: (rows_of(before, table.name), rows_of(after, table.name)) for table in TRAVELS}
    # That it arrived is the one thing which it did not do before.
    assert theirs["journal"][1].pop()["event"] == "store.arrived"
    leads: dict[str, dict[int, int]] = {}
    for name, (old, new) in theirs.items():
        assert len(old) == len(new), name
        leads[name] = {one["id"]: other["id"] for one, other in zip(old, new, strict=True)}
    people = _people(rows_of(before, "actors"), rows_of(after, "actors"))
    for table in TRAVELS:
        old, new = theirs[table.name]
        for one, other in zip(old, new, strict=True):
            wanted = _led(table.name, one, leads, people) | {
                key: people.get(one[key], one[key]) for key in table.actors
            }
            wanted |= {key: leads[to].get(one[key]) for key, to in table.keys.items()} | {"id": other["id"]}
            assert other == wanted | _on_arrival(table.name, one), table.name


def _on_arrival(table: str, row: Row) -> Row:
    return CHANGES[table](row) if table in CHANGES else {}


def _people(old: list[Row], new: list[Row]) -> dict[str, str]:
    in_order = sorted(new, key=lambda row: int(row["ref"].partition(":f")[2]))
    assert [row["name"] for row in old] == [row["name"] for row in in_order]
    return {one["ref"]: other["ref"] for one, other in zip(old, in_order, strict=True)}


def _led(table: str, row: Row, leads: dict[str, dict[int, int]], people: dict[str, str]) -> Row:
    if table == "orders":
        led = leads["redemptions"]
        return row | {"codes": [code | {"redemption": str(led[int(code["redemption"])])} for code in row["codes"]]}
    if table == "reverts":
        lots, used = (leads[f"{row['kind'].removesuffix('s')}_{name}"] for name in ("lots", "allocations"))
        return row | {
            "lots": [
                lot | {"lot": str(lots[int(lot["lot"])]), "allocation": _of_kind(lot["allocation"], used)}
                for lot in row["lots"]
            ]
        }
    return row | {"data": _facts(row["data"], leads, people)} if table == "journal" else row


def _of_kind(allocation: str, led: dict[int, int]) -> str:
    return f"{allocation[0]}{led[int(allocation[1:])]}"


def _facts(data: Row, leads: dict[str, dict[int, int]], people: dict[str, str]) -> Row:
    facts = dict(data)
    for name, table in IN_JOURNAL.items():
        if isinstance(data.get(name), str):
            facts[name] = str(leads[table][int(data[name])])
    if "member" in data:
        facts["member"] = people[data["member"]]
    if "customer_id" in data:
        facts["customer_id"] = {side: pk and leads["customers"][pk] for side, pk in data["customer_id"].items()}
    return facts


def changed(bundle: io.BytesIO, files: Mapping[str, bytes | None], *, signed: bool = True) -> io.BytesIO:
    """The bundle with other contents in some files (None: without it); ``signed``: its manifest says so, too."""
    out, source = io.BytesIO(), zipfile.ZipFile(bundle)
    contents: dict[str, bytes | None] = {name: source.read(name) for name in source.namelist()}
    contents |= files
    if signed and "manifest.json" not in files:
        manifest = json.loads(contents["manifest.json"] or b"")
        for file in manifest["files"]:
            content = contents.get(file["name"]) or b""
            file |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        contents["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, kept in contents.items():
            if kept is not None:
                archive.writestr(name, kept)
    return out
