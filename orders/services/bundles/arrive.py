"""Reading a bundle into a new store: all of it with its sums proved, or nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import IO, Any, Final

from django.db import Error, connection, transaction
from django.utils.translation import gettext as _

from loyalty.accounts.open_store import NewStore, create_store
from loyalty.core.logs import what_failed
from loyalty.database.busy import is_away, is_busy
from loyalty.database.error_words import error_words
from loyalty.database.named_stores import in_store
from loyalty.journal.record import Event, Happening, record
from loyalty.proof.outcomes import Outcome
from loyalty.proof.prove import faults_of
from loyalty.stores.actors import Actor
from loyalty.stores.models import FormerActor, SecondFactor, Store
from orders.services.bundles.manifest import BundleRefused, Manifest
from orders.services.bundles.opened import opened
from orders.services.bundles.stage import stage, unstage
from orders.services.bundles.sums import differing, sums_of
from orders.services.bundles.tables import MEMBER, TRAVELS, Table
from orders.services.bundles.write import ACTORS, BOUND

_FAULTS_SHOWN: Final = 3
# Who acted elsewhere: of the same type, and behind the letter who that was (``user:f7``).
_FORMER: Final = "split_part({0}.ref, ':', 1) || ':f' || {0}.id"


@dataclass(frozen=True, slots=True)
class Arrived:
    """The new store, and what came with it."""

    store: Store
    manifest: Manifest
    rows: int


@transaction.atomic
def read_bundle(
    file: IO[bytes], *, slug: str | None, actor: Actor, now: datetime, tell: Callable[[str], None] = lambda _: None
) -> Arrived:
    """Make a new store of a bundle, under ``slug`` or the one it had; ``tell`` hears which table is being written.

    In one transaction: whatever stops it, nothing was written. Files, lines and checksums are checked first; then rows
    are written in statements of whole tables; then the sums must be the manifest's and the books agree (H5). Raises
    BundleRefused, and Invalid for a slug that cannot be.
    """
    with opened(file) as bundle:
        manifest = bundle.manifest
        said = {**manifest.store, "slug": slug or manifest.store["slug"]}
        _refuse_taken(said["slug"])
        bundle.check_tables()
        stage(bundle)
    store = _open_store(said, now)
    with in_store(store.pk):
        rows = _write_all(store, now, tell)
        _prove(store, manifest, now)
        unstage()
        data = {"bundle": manifest.bundle, "made_at": manifest.made_at, "rows": rows}
        record([Happening(store.pk, Event.STORE_ARRIVED, data=data)], actor=actor, now=now)
    return Arrived(store, manifest, rows)


def _refuse_taken(slug: str) -> None:
    if Store.objects.filter(slug=slug).exists():
        words = _("There is a store “%(slug)s” already. A bundle makes a new store: name another slug for it.")
        raise BundleRefused(words % {"slug": slug})


def _open_store(said: dict[str, str], now: datetime) -> Store:
    if said["second_factor"] not in SecondFactor.values:
        raise BundleRefused(_("The manifest asks for a second factor in a way that is not known here."))
    names = ("slug", "name", "currency", "time_zone", "locale")
    store, created = create_store(NewStore(**{name: said[name] for name in names}), now=now)
    if not created:
        _refuse_taken(store.slug)
    store.second_factor = said["second_factor"]
    store.save(update_fields=["second_factor"])
    return store


def _write_all(store: Store, now: datetime, tell: Callable[[str], None]) -> int:
    rows = 0
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{FormerActor._meta.db_table}" (id, store_id, name) '
            f"SELECT id, %s, name FROM bundle_{ACTORS} ORDER BY id",
            [store.pk],
        )
        for table in TRAVELS:
            tell(table.name)
            _refuse_strangers(cursor, table)
            rows += _write(cursor, table, store, now)
    return rows


def _refuse_strangers(cursor: Any, table: Table) -> None:
    """No row may name one that is not in the bundle: by its number alone it would be somebody else's here."""
    for column, parent in table.keys.items():
        cursor.execute(
            f"SELECT line, doc ->> '{column}' FROM {table.staged} AS staged WHERE doc -> '{column}' <> 'null' "
            f"AND NOT EXISTS (SELECT FROM bundle_{parent} AS led "
            f"WHERE led.old_id = (staged.doc -> '{column}')::bigint) ORDER BY line LIMIT 1"
        )
        _refuse_found(cursor, table, column)
    for column in table.actors:
        cursor.execute(
            f"SELECT line, doc ->> '{column}' FROM {table.staged} AS staged WHERE doc ->> '{column}' ~ %s "
            f"AND NOT EXISTS (SELECT FROM bundle_{ACTORS} AS acted WHERE acted.ref = staged.doc ->> '{column}') "
            "ORDER BY line LIMIT 1",
            [BOUND],
        )
        _refuse_found(cursor, table, column)


def _refuse_found(cursor: Any, table: Table, column: str) -> None:
    if found := cursor.fetchone():
        words = _("ndjson/%(table)s.ndjson line %(line)s: %(column)s %(value)s is not in this bundle.")
        facts = {"table": table.name, "line": found[0], "column": column, "value": found[1]}
        raise BundleRefused(words % facts)


def _write(cursor: Any, table: Table, store: Store, now: datetime) -> int:
    try:
        with transaction.atomic():
            cursor.execute(_statement(table), {"store": store.pk, "now": now})
            return int(cursor.rowcount)
    except Error as error:
        if is_busy(error) or is_away(error):
            raise
        facts = {"table": table.name, "why": error_words(error) or what_failed(error)}
        words = _("ndjson/%(table)s.ndjson cannot be kept: %(why)s")
        if invalid := _first_invalid(cursor, table):
            words = _("ndjson/%(table)s.ndjson line %(line)s: %(column)s cannot be kept: %(why)s")
            facts |= dict(zip(("line", "column"), invalid, strict=True))
        raise BundleRefused(words % facts) from None


def _statement(table: Table) -> str:
    """One statement that writes a table: ids as they were drawn, references led to arrived rows, actors to former."""
    columns = [str(column.column) for column in table.fields]
    types = ", ".join(f'"{column.column}" {column.db_type(connection)}' for column in table.fields)
    values = {name: f'd."{name}"' for name in columns} | dict(table.arrives) | dict(table.ids)
    joins = []
    for column, parent in table.keys.items():
        joins.append(f"LEFT JOIN bundle_{parent} AS to_{column} ON to_{column}.old_id = d.{column}")
        values[column] = f"to_{column}.id"
    for column in table.actors:
        joins.append(f"LEFT JOIN bundle_{ACTORS} AS by_{column} ON by_{column}.ref = {values[column]}")
        values[column] = f"coalesce({_FORMER.format(f'by_{column}')}, {values[column]})"
    if table.name == "journal":
        who = f"FROM bundle_{ACTORS} AS who WHERE who.ref = d.data ->> '{MEMBER}'"
        member = f"(SELECT to_jsonb({_FORMER.format('who')}) {who})"
        values["data"] = f"jsonb_set({values['data']}, '{{{MEMBER}}}', coalesce({member}, 'null'), false)"
    values["id"] = "staged.id"
    names = ", ".join(f'"{name}"' for name in ("store_id", *columns, *table.left_out))
    picked = ", ".join(["%(store)s", *(values[name] for name in columns), *table.left_out.values()])
    return (
        f'INSERT INTO "{table.model._meta.db_table}" ({names}) SELECT {picked} FROM {table.staged} AS staged '
        f"CROSS JOIN LATERAL jsonb_to_record(staged.doc) AS d ({types}) {' '.join(joins)} ORDER BY staged.id"
    )


def _first_invalid(cursor: Any, table: Table) -> tuple[str, str] | None:
    """The first line whose text is not of its column's kind, and that column; None when all are."""
    for column in table.fields:
        name, kind = column.column, str(column.db_type(connection))
        if kind == "jsonb" or kind.endswith("[]"):
            continue
        cursor.execute(
            f"SELECT line FROM {table.staged} WHERE doc ->> '{name}' IS NOT NULL "
            f"AND NOT pg_input_is_valid(doc ->> '{name}', %s) ORDER BY line LIMIT 1",
            [kind],
        )
        if found := cursor.fetchone():
            return str(found[0]), name
    return None


def _prove(store: Store, manifest: Manifest, now: datetime) -> None:
    with connection.cursor() as cursor:
        found = sums_of(cursor, store.pk)
    if words := differing(manifest.sums, found):
        raise BundleRefused(_("The sums are not those of the manifest. %(words)s.") % {"words": words})
    outcome = Outcome()
    if faults := list(islice(outcome.noting(faults_of(store)), _FAULTS_SHOWN)):
        words = " ".join(fault.sentence for fault in faults)
        raise BundleRefused(_("The books of this bundle do not agree. %(words)s") % {"words": words})
    outcome.keep([store], now)
