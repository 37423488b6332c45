"""Connects a store to its shop platform."""

from typing import Any, Final

from django.core.management.base import CommandError, CommandParser

from loyalty.core.clock import read_clock
from loyalty.management.commanding import OneLineCommand
from loyalty.platforms.connections.connect import Credentials, connect
from loyalty.platforms.registry import PLATFORMS
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store

_ADDRESS: Final = "/hooks/{}/{}/"


class Command(OneLineCommand):
    """connect_platform --store SLUG --platform NAME --webhook-secret S [--base-url U] [--token T]."""

    help = "Connect a store to its shop platform, or change the connection. What is left out stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        """What a connection is made of."""
        parser.add_argument("--store", required=True, metavar="SLUG", help="the store")
        parser.add_argument("--platform", required=True, metavar="NAME", help=f"one of {', '.join(PLATFORMS)}")
        parser.add_argument(
            "--webhook-secret", required=True, metavar="S", help="what the platform signs its webhooks with"
        )
        parser.add_argument("--base-url", metavar="U", help="the shop's address, such as https://shop.example.com")
        parser.add_argument(
            "--token", metavar="T", help="the access token; for WooCommerce the consumer key and secret as KEY:SECRET"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Connect. Raises CommandError, and Invalid as one line."""
        store = Store.objects.filter(slug=options["store"]).first()
        if store is None:
            raise CommandError(f"There is no store “{options['store']}”.")
        platform, token = options["platform"], options["token"] or ""
        given = Credentials(
            base_url=options["base_url"],
            secrets={"webhook_secret": options["webhook_secret"], **_credentials(platform, token)},
        )
        if not options["webhook_secret"]:
            raise CommandError("--webhook-secret is empty.")
        actor = Actor.command("connect_platform")
        connected, created = connect(store=store, platform=platform, given=given, actor=actor, now=read_clock())
        done = "connected to" if created else "still connected to"
        address = _ADDRESS.format(platform, store.slug)
        self.stdout.write(f"Store “{store.slug}” is {done} {connected}; its webhooks arrive at {address}")


def _credentials(platform: str, token: str) -> dict[str, str]:
    """The token as the platform's credentials; none of them keeps what is there."""
    if not token or platform not in PLATFORMS:
        return {}
    known = PLATFORMS[platform]
    names = known.connecting.credentials
    given = token.split(":", len(names) - 1)
    if len(given) < len(names) or not all(given):
        words = " and the ".join(name.replace("_", " ") for name in names)
        raise CommandError(f"--token for {known.label} is the {words}, as KEY:SECRET.")
    return dict(zip(names, given, strict=True))
