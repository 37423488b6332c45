"""``manage.py import_orders``: orders of a shop platform out of its JSON files."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from loyalty.core.clock import read_clock
from loyalty.database.named_stores import in_store_throughout
from loyalty.management.commanding import PatientCommand
from loyalty.platforms.files import Row, read_documents
from loyalty.platforms.registry import PLATFORMS
from loyalty.platforms.snapshot import NotAnOrder, named
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from orders.services.intake.import_files import Import, Rehearsal, RowResult, take_rows
from orders.services.intake.ingest import Outcome

# Ends with it when nothing could be begun; 1 is for rows that failed while the others were imported.
_NOT_BEGUN: Final = 2

_SENTENCES: Final = {
    Outcome.CREATED: "created",
    Outcome.UPDATED: "updated",
    Outcome.UNCHANGED: "unchanged",
    Outcome.STALE: "unchanged, because a newer state of it is already here",
    Outcome.TEST: "a test delivery, not stored",
}
_DRY_SENTENCES: Final = _SENTENCES | {Outcome.CREATED: "would be created", Outcome.UPDATED: "would be updated"}
_COUNTED_AS: Final = {
    Outcome.CREATED: "created",
    Outcome.UPDATED: "updated",
    Outcome.UNCHANGED: "unchanged",
    Outcome.STALE: "unchanged",
    Outcome.TEST: "tests",
    None: "failed",
}


class Command(PatientCommand):
    """Imports every order of every file, prints a line for each row and a last line of counts.

    Exit code 0 when every row was read, 1 when some were not (the others are imported), 2 when nothing was begun.
    """

    help = (
        "Import orders from JSON files of a shop platform: one order, a list, JSON Lines, or stored webhooks. "
        "Importing a file again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("--store", required=True, metavar="SLUG", help="the store that the orders belong to")
        parser.add_argument("--platform", required=True, metavar="NAME", help=f"one of {', '.join(PLATFORMS)}")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and write nothing")
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a JSON file")

    def handle(
        self, *_args: Any, store: str, platform: str, dry_run: bool, files: Sequence[Path], **_options: Any
    ) -> None:
        """Import. Raises CommandError for an unknown store, platform or file, and when rows failed."""
        if platform not in PLATFORMS:
            raise _refusal(f"There is no platform “{platform}”. The platforms are {', '.join(PLATFORMS)}.")
        real = Import(_store(store), platform, Actor.command("import_orders"))
        files = [_readable(Path(file)) for file in files]
        take = Rehearsal(real).take if dry_run else real.take
        counts: Counter[str] = Counter()
        for file in files:
            results = take_rows(_rows(file), platform=platform, take=take, clock=read_clock)
            for result in in_store_throughout(real.store.pk, results):
                counts[_COUNTED_AS[result.outcome]] += 1
                self._say(_line(file, result, dry_run=dry_run))
        self.stdout.write(("Dry run, nothing was written: " if dry_run else "") + _counts_line(counts))
        if counts["failed"]:
            raise CommandError(f"{counts['failed']} could not be imported; the lines above say why.")

    def _say(self, line: str) -> None:
        if not line.isprintable():
            line = "".join(character if character.isprintable() else " " for character in line)
        with tqdm.external_write_mode():
            self.stdout.write(line)


def _refusal(sentence: str) -> CommandError:
    return CommandError(sentence, returncode=_NOT_BEGUN)


def _store(slug: str) -> Store:
    found = Store.objects.filter(slug=slug).first()
    if found is None:
        raise _refusal(f"There is no store “{slug}”.")
    return found


def _readable(file: Path) -> Path:
    """The file, once it is known that it can be opened: nothing is imported when the last of ten is misspelt."""
    try:
        with file.open("rb"):
            return file
    except OSError as error:
        raise _refusal(f"The file {file} cannot be read: {error.strerror}.") from None


def _rows(file: Path) -> Iterator[Row]:
    """The rows of a file, with a progress bar on a terminal. A file that is no JSON is one row with an error."""
    shows = sys.stderr.isatty()
    try:
        documents = read_documents(file)
    except NotAnOrder as error:
        yield Row(0, error=error)
        return
    progress = {"desc": file.name, "total": documents.about, "unit": " orders", "file": sys.stderr, "leave": False}
    yield from tqdm(documents, disable=not shows, **progress)


def _line(file: Path, result: RowResult, *, dry_run: bool) -> str:
    where = f"{file}, row {result.position}" if result.position else f"{file}"
    order = f"order {result.number}" if result.number else ""
    if result.outcome is None:
        about = f" (field {result.field})" if result.field and f"“{result.field}”" not in result.error else ""
        return ": ".join(filter(None, [where, order, f"failed: {result.error}{about}"]))
    without = f"; read, without: {named(result.left_out)}" if result.left_out else ""
    return f"{where}: {order}: {(_DRY_SENTENCES if dry_run else _SENTENCES)[result.outcome]}{without}"


def _counts_line(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {counts[name]}" for name in dict.fromkeys(_COUNTED_AS.values()))
