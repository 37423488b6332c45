"""``manage.py import_balances``: people, balances and history of another system out of its file."""

import hashlib
import json
import sys
import time
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from loyalty.accounts.open_store import find_store
from loyalty.core.clock import read_clock
from loyalty.core.errors import NotFound
from loyalty.database.named_stores import in_store
from loyalty.exporting.files import csv_parts
from loyalty.importing.read import read_table
from loyalty.management.commanding import PatientCommand
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.models import BalanceImport, ImportState
from orders.services.balance_imports.bad_rows import bad_rows_table, layout_of
from orders.services.balance_imports.layouts.keep import kept_layout
from orders.services.balance_imports.problems import words_of
from orders.services.balance_imports.rehearsal.rehearse import rehearse, start_reading
from orders.services.balance_imports.run import run_batch
from orders.services.balance_imports.start import Told, compare, start
from orders.services.balance_imports.stored_file import stored_file
from orders.services.balance_imports.upload import upload

ACTOR: Final = Actor.command("import_balances")
_PAUSE: Final = 0.5
# A file of this installation that was begun and not thrown away is gone on with.
_GOES_ON: Final = (ImportState.UPLOADED, ImportState.READING, ImportState.REHEARSED, ImportState.RUNNING)


class Command(PatientCommand):
    """Rehearses, says what would happen, and unless told to stop there imports; killed, it goes on when run again.

    Exit code 0 when all rows were imported or were here already, 1 when some were not, or nothing was begun.
    """

    help = (
        "Import customers, credits, points, their old history and open codes from a CSV or XLSX file. Everything is "
        "rehearsed first. Importing a file again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("--store", required=True, metavar="SLUG", help="the store that the balances belong to")
        parser.add_argument("--rehearse", action="store_true", help="say what would happen and write no balance")
        parser.add_argument(
            "--layout", metavar="NAME", help="how the file is read: a layout that the store keeps, or a file with JSON"
        )
        parser.add_argument(
            "--total", action="append", default=[], metavar="KIND:AMOUNT", dest="totals",
            help="what the old system says it is in all, such as points:51200 or USD:1234.50; for each kind one",
        )  # fmt: skip
        parser.add_argument("--reason", default="", help="why the totals may differ, or are not known")
        parser.add_argument("--bad-rows", type=Path, metavar="FILE", help="write the rows to mend into this CSV")
        parser.add_argument("file", type=Path, metavar="FILE", help="a CSV or XLSX file")

    def handle(self, *_args: Any, store: str, file: Path, **options: Any) -> None:
        """Import. Raises CommandError for what cannot be begun, and when rows were not imported."""
        mine, told = find_store(store), [_told(total) for total in options["totals"]]
        with in_store(mine.pk):
            held = self._rehearsed(mine, Path(file), options["layout"])
            self._say_rehearsal(held, told)
            if options["bad_rows"] and held.summary["bad_rows"]:
                _write_bad_rows(held, Path(options["bad_rows"]))
            if not options["rehearse"] and held.items:
                held = self._run(mine, held, told, options["reason"])
                self.stdout.write(_counts_line(held))
        if held.summary["bad_rows"]:
            raise CommandError(f"{held.summary['bad_rows']} rows cannot be imported; the lines above say why.")

    def _rehearsed(self, store: Store, file: Path, layout: str | None) -> BalanceImport:
        held = _begun(store, file)
        if held.state == ImportState.RUNNING:
            return held
        said = _layout(store, layout) if layout else {}
        if held.state != ImportState.READING or (said and held.layout != said):
            if held.state == ImportState.READING:
                raise CommandError("This file is being read in another way at this moment.")
            held = start_reading(store=store, import_id=held.pk, layout=said, now=read_clock())
        rehearse(held.pk, store, read_clock, take_over=True)
        held.refresh_from_db()
        if held.state == ImportState.FAILED:
            raise CommandError(held.failure)
        return held

    def _say_rehearsal(self, held: BalanceImport, told: list[Told]) -> None:
        found = held.summary
        self.stdout.write(
            f"{found['rows']} rows: {found['people']} customers, {found['known']} of them here already; "
            f"{found['past']} movements of the past, {found['codes']} codes, {found['bad_rows']} rows that cannot be"
        )
        if unread := _unread(held):
            self.stdout.write(f"  columns of which nothing is read: {', '.join(unread)}")
        for code, rows in found["problems"]:
            self.stdout.write(f"  {rows} rows: {words_of(code)}")
        if found["brought_before"]:
            self.stdout.write(
                f"  {found['brought_before']} rows give somebody what another import gave already (the same customer, "
                "kind and amount) and have no reference by which to tell: they would be given twice"
            )
        # One that was rehearsed by the version before does not say it.
        if again := found.get("same_again"):
            self.stdout.write(
                f"  {again} rows give somebody the same as an earlier row of the file and have no reference by which "
                "to tell: both are given"
            )
        for line in found["totals"]:
            until = line["month"] or "never"
            self.stdout.write(f"  {line['currency'] or line['kind']}, expires {until}: {line['amount']}")
        for one in compare(found["totals"], told):
            beside = "not said" if one.told is None else f"{one.told}"
            self.stdout.write(f"  {one.currency or one.kind} in all: {one.found}; the old system: {beside}")

    def _run(self, store: Store, held: BalanceImport, told: list[Told], reason: str) -> BalanceImport:
        start(store=store, import_id=held.pk, told=told, reason=reason, actor=ACTOR, now=read_clock())
        bar = tqdm(total=held.items, unit=" rows", file=sys.stderr, leave=False, disable=not sys.stderr.isatty())
        with bar:
            while held.state != ImportState.DONE:
                done = run_batch(held.pk, store, read_clock)
                held.refresh_from_db()
                bar.update(held.items_done - bar.n)
                if not done and held.state == ImportState.RUNNING:
                    time.sleep(_PAUSE)  # A worker is at it.
        return held


def _begun(store: Store, file: Path) -> BalanceImport:
    """The import of this file: one that was begun before, or a new one."""
    try:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
            imports = BalanceImport.objects.for_store(store).filter(sha256=digest, state__in=_GOES_ON)
            held: BalanceImport | None = imports.order_by("-pk").first()
            if held is None:
                content.seek(0)
                size = file.stat().st_size
                held = upload(store=store, file=content, file_name=file.name, size=size, actor=ACTOR, now=read_clock())
    except OSError as error:
        raise CommandError(f"The file {file} cannot be read: {error.strerror}.") from None
    held.store = store
    return held


def _unread(held: BalanceImport) -> list[str]:
    """Columns of the file of which nothing is read: what a file calls in an unknown way must not be missed silently."""
    with stored_file(held) as file:
        layout = layout_of(held, file)
        return [name for name in read_table(file, layout.shape).headings if name not in layout.columns.values()]


def _layout(store: Store, said: str) -> dict[str, Any]:
    """The kept layout of this name, else the JSON in this file."""
    try:
        return kept_layout(store, said)
    except NotFound as missing:
        try:
            read: dict[str, Any] = json.loads(Path(said).read_text())
        except OSError:
            raise CommandError(f"{missing.detail} There is no such file either.") from None
        except ValueError:
            raise CommandError(f"The file {said} is not JSON.") from None
        return read


def _told(text: str) -> Told:
    """``points:51200`` or ``USD:1234.50``."""
    name, _, amount = text.partition(":")
    try:
        number = Decimal(amount)
    except InvalidOperation:
        raise CommandError(f"“{text}” is no total such as points:51200 or USD:1234.50.") from None
    return Told("points", "", number) if name == "points" else Told("credits", name.upper(), number)


def _write_bad_rows(held: BalanceImport, file: Path) -> None:
    headings, lines = bad_rows_table(held)
    with file.open("w", newline="") as written:
        written.writelines(csv_parts(headings, lines))


def _counts_line(held: BalanceImport) -> str:
    result: Mapping[str, Any] = held.result
    lots = sum(line["lots"] for line in result["totals"])
    return f"imported: lots {lots}, movements of the past {result['past']}, codes {result['codes']}"
