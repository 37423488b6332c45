"""Lets somebody in again who lost every second factor."""

from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from loyalty.accounts.signing_in.second_factor import remove_all
from loyalty.core.errors import NotFound
from loyalty.management.commanding import OneLineCommand
from loyalty.stores.models import User


class Command(OneLineCommand):
    """reset_second_factor --email E."""

    help = (
        "Take away every second factor and recovery code of an account, and sign it out everywhere. Make sure first "
        "who is asking: afterwards the password alone lets in."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("--email", required=True, help="the address the person signs in with")

    @transaction.atomic
    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it."""
        email = options["email"].strip().lower()
        user = User.objects.filter(email=email).first()
        if user is None:
            raise NotFound(f"There is no account “{email}”.")
        self.stdout.write(f"Second factors taken away from {email}: {remove_all(user)}.")
