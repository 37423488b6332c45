"""``manage.py load_demo``: two stores to look at."""

import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from loyalty.core.clock import read_clock
from loyalty.management.commanding import OneLineCommand
from loyalty.stores.models import Store
from orders.demo.loading import load
from orders.demo.people import Login, ShownKey, logins, shown_keys


class Command(OneLineCommand):
    """Loads the demonstration once and prints who can sign in; a second run changes nothing and prints the same."""

    help = "Load the demonstration: two stores with people, customers, orders, and one order per worked example."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument(
            "--json", action="store_true", help="print the logins and API keys as JSON and nothing else"
        )
        parser.add_argument(
            "--force", action="store_true", help="load it in production too, where its passwords are known"
        )

    def handle(self, *_args: Any, json: bool, force: bool, **_options: Any) -> None:
        """Load and print. Raises CommandError in production unless ``force``."""
        if settings.PRODUCTION and not force:
            raise CommandError("The demonstration's passwords are known to everybody; in production it needs --force.")
        loaded = load(read_clock())
        self.stdout.write(_as_json() if json else _as_text(loaded))


def _as_json() -> str:
    entries = {"logins": [asdict(login) for login in logins()], "api_keys": [asdict(key) for key in shown_keys()]}
    return json.dumps(entries, indent=1)


def _as_text(loaded: list[Store]) -> str:
    names = ", ".join(store.name for store in loaded)
    first = f"Loaded: {names}." if loaded else "The demonstration was loaded before; nothing was changed."
    return "\n".join([first, *map(_login_line, logins()), *map(_key_line, shown_keys())])


def _login_line(login: Login) -> str:
    return f"  {login.role:<8}  {login.store or 'all stores':<16}  {login.email:<34}  password: {login.password}"


def _key_line(key: ShownKey) -> str:
    return f"  API key   {key.store:<16}  {key.key}"
