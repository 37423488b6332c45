"""Makes an API key and prints it once."""

from typing import Any

from django.core.management.base import CommandParser

from loyalty.accounts.open_store import find_store
from loyalty.core.clock import read_clock
from loyalty.management.commanding import OneLineCommand
from loyalty.stores.keys import Scope, create_api_key


class Command(OneLineCommand):
    """create_api_key --store SLUG --scopes "orders:read orders:cancel"."""

    help = (
        "Make an API key of a store and print it alone on the last line. It cannot be shown again. "
        "Every run makes another key: one that is already in use is never replaced. "
        f"Scopes: {' '.join(Scope)}, or * for all."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose key, and what it may do."""
        parser.add_argument("--store", required=True, metavar="SLUG", help="the store's slug")
        parser.add_argument("--scopes", required=True, help="scopes with spaces between them, or * for all")
        parser.add_argument("--name", default="Made on the server", help="what the key is for")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Make it and print it."""
        scopes = options["scopes"].replace(",", " ").split()
        api_key, text = create_api_key(
            store=find_store(options["store"]), name=options["name"][:100], scopes=scopes, now=read_clock()
        )
        self.stderr.write(f"Key “{api_key.name}” with {', '.join(api_key.scopes)}. It is shown this once:")
        self.stdout.write(text)
