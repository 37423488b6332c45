"""Lets somebody work in a store."""

from typing import Any

from django.core.management.base import CommandParser

from loyalty.accounts.open_store import NewStaff, create_staff, find_store
from loyalty.core.clock import read_clock
from loyalty.management.commanding import OneLineCommand
from loyalty.stores.models import Role


class Command(OneLineCommand):
    """create_staff --store SLUG --email E --role owner|manager|support|viewer [--password P]."""

    help = (
        "Give somebody a role in a store. Running it again sets the role and, when one is given, the password. "
        "A new person without --password gets one, which is printed once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Who, where, as what."""
        parser.add_argument("--store", required=True, metavar="SLUG", help="the store's slug")
        parser.add_argument("--email", required=True, help="the address the person signs in with")
        parser.add_argument("--role", required=True, help=", ".join(Role.values))
        parser.add_argument("--password", help="at least 10 characters; without it a new person gets one")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it, and print a password that was made."""
        store = find_store(options["store"])
        new = NewStaff(options["email"], options["role"], options["password"])
        membership, password = create_staff(new, store=store, now=read_clock())
        self.stdout.write(f"{membership.user.email} is {membership.role} of “{store.slug}”.")
        if password is not None and options["password"] is None:
            self.stdout.write(f"Password: {password}")
