"""``manage.py migrate``: Django's own, which waits for locks so that nobody waits behind it (docs/upgrading.md)."""

import time
from functools import partial
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate

from loyalty.database.migrating.locks import LockNotHad, with_patience


class Command(migrate.Command):
    """migrate, with patience."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate; what has not got its lock is rolled back and tried again, after pauses that grow."""
        try:
            with_patience(partial(super().handle, *args, **options), pause=self._pause)
        except LockNotHad as error:
            raise CommandError(
                f"{error} Nobody waited for longer. Look who holds it (pg_stat_activity), and migrate again: it goes "
                "on where it stopped."
            ) from error

    def _pause(self, seconds: int) -> None:
        self.stdout.write(f"\nSomebody holds a lock that this needs. It is let go; once more in {seconds} s.")
        time.sleep(seconds)
