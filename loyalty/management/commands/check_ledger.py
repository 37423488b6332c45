"""Prove the books: movements, lots, allocations, orders and reverts agree (H5)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from loyalty.core.clock import read_clock
from loyalty.management.commanding import OneLineCommand
from loyalty.proof.outcomes import Outcome
from loyalty.proof.prove import count_rows, faults_of
from loyalty.stores.models import Store


class Command(OneLineCommand):
    """Names every row that does not agree, one a line, and ends with 1; with 0 when all agree. Keeps the outcome."""

    help = "Prove that movements, lots, allocations, orders and returns agree."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One store, or all."""
        parser.add_argument("--store", metavar="SLUG", help="Only this store; all stores when left out.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write the faults as they are found."""
        store, now = _store(options["store"]), read_clock()
        outcome = Outcome()
        for fault in outcome.noting(faults_of(store)):
            self.stdout.write(str(fault))
        outcome.keep([store] if store else Store.objects.all(), now)
        if faults := outcome.faults.total():
            raise CommandError(f"The ledger does not agree: {faults} faults.")
        counts = ", ".join(f"{number} {name}" for name, number in count_rows(store).items())
        self.stdout.write(f"ledger agrees: {counts}")


def _store(slug: str | None) -> Store | None:
    if slug is None:
        return None
    store = Store.objects.filter(slug=slug).first()
    if store is None:
        raise CommandError(f"There is no store “{slug}”.")
    return store
