"""``manage.py import_store``: a bundle becomes a new store."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from loyalty.core.clock import read_clock
from loyalty.management.commanding import PatientCommand
from loyalty.stores.actors import Actor
from orders.services.bundles.arrive import Arrived, read_bundle


class Command(PatientCommand):
    """import_store FILE.zip [--slug SLUG]."""

    help = (
        "Make a new store of a bundle that export_store wrote, here or in another installation. "
        "All of it with its sums proved, or nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which bundle, and what the store is called here."""
        parser.add_argument("file", type=Path, metavar="FILE.zip", help="the bundle")
        parser.add_argument("--slug", metavar="SLUG", help="the store's short name here; the one it had when left out")

    def handle(self, *_args: Any, file: Path, slug: str | None, **_options: Any) -> None:
        """Read it, and say what came of it."""
        try:
            with Path(file).open("rb") as bundle:
                arrived = read_bundle(
                    bundle, slug=slug, actor=Actor.command("import_store"), now=read_clock(), tell=self._tell
                )
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        for line in lines(arrived):
            self.stdout.write(line)

    def _tell(self, table: str) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"{table} …")


def lines(arrived: Arrived) -> list[str]:
    """The sums that were proved, and what is left to do."""
    proved = [
        f"{table}: {', '.join(f'{name} {value}'.strip() for name, value in group.items() if value)}"
        for table, groups in arrived.manifest.sums.items()
        for group in groups
    ]
    slug = arrived.store.slug
    return [
        *proved,
        f"store {slug}: {arrived.rows} rows, their sums are those of the bundle and the books agree",
        f"next: manage.py create_staff --store {slug} …, then connect its platform and give its webhooks secrets",
    ]
