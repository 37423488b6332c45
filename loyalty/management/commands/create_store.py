"""Opens a store."""

from typing import Any

from django.core.management.base import CommandParser

from loyalty.accounts.open_store import NewStore, create_store
from loyalty.core.clock import read_clock
from loyalty.management.commanding import OneLineCommand


class Command(OneLineCommand):
    """create_store --slug SLUG --name NAME --currency USD --time-zone Asia/Taipei."""

    help = "Open a store. Again with the same currency and time zone changes nothing; with others it is refused."

    def add_arguments(self, parser: CommandParser) -> None:
        """What a store is opened with."""
        parser.add_argument("--slug", required=True, help="the store's short name in addresses, such as tea-house")
        parser.add_argument("--name", required=True, help="the store's name for people")
        parser.add_argument("--currency", required=True, help="three letters of ISO 4217, such as USD")
        parser.add_argument("--time-zone", required=True, help="an IANA name, such as Asia/Taipei")
        parser.add_argument("--locale", default="en", help="how amounts and dates look, such as zh-TW (default: en)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Open it, or say that it is there."""
        new = NewStore(options["slug"], options["name"], options["currency"], options["time_zone"], options["locale"])
        store, created = create_store(new, now=read_clock())
        self.stdout.write(f"Store “{store.slug}” {'is open' if created else 'was there already; nothing was changed'}.")
