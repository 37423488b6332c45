"""Puts every stored secret under the first of the keys that are set."""

from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError
from django.db import models, transaction

from loyalty.accounts.signing_in.second_factor import rotate_secrets
from loyalty.core.encryption import Unreadable, encrypted_columns
from loyalty.management.commanding import OneLineCommand


class Command(OneLineCommand):
    """rotate_credentials_keys."""

    help = "Encrypt every stored secret with the first of CREDENTIALS_KEYS; afterwards the other keys can go."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Rotate all or, when one cannot be read, none."""
        try:
            with transaction.atomic():
                changed = sum(_rotate(model, fields) for model, fields in encrypted_columns().items())
                changed += rotate_secrets()
        except Unreadable as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        self.stdout.write(f"Under the first key now: {changed} rows.")


def _rotate(model: type[models.Model], fields: Sequence[str]) -> int:
    # Locked: a secret that is saved meanwhile must not be overwritten with the one before it.
    rows = list(model._default_manager.select_for_update().only("pk", *fields))
    for row in rows:
        for name in fields:
            setattr(row, name, getattr(row, name).under_first_key())
        row.save(update_fields=fields)
    return len(rows)
