"""What waits to be tried again, kind by kind: how one page finds it, and how one is tried by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.expressions import Combinable

from loyalty.jobs.retries import lock_own, start_over
from loyalty.stores.models import Store
from loyalty.stores.roles import Can


@dataclass(frozen=True, slots=True)
class Waiting:
    """One kind of row that is tried again: which of a store's failed and have not succeeded since, and what they say.

    ``about`` is the text that says what it is, as ``says`` words it. ``columns`` names those that most rows
    call otherwise. The job is ``job``, or the row's own; ``reopened`` is what opens a row that was given up. A kind
    that asks for more when it is tried by hand has ``again``, which answers False where there is nothing to try.
    """

    key: str
    label: str
    rows: Callable[[Store], "QuerySet[Any]"]
    about: str | Combinable
    needs: Can
    says: Callable[[str], str] = str
    sees: Can = Can.VIEW
    job: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    reopened: Mapping[str, object] = field(default_factory=dict)
    again: Callable[[Store, int, datetime], object] | None = None

    def column(self, name: str) -> str:
        """What the rows call ``created_at``, ``attempts``, ``next_attempt_at`` or ``last_error``."""
        return self.columns.get(name, name)

    def try_again(self, *, store: Store, key: int, now: datetime) -> bool:
        """Give one its turn now, with all its attempts before it; False where there is nothing to try.

        Asking twice changes nothing more. Raises NotFound for another store's (T1), and what ``again`` refuses.
        """
        if self.again is not None:
            return self.again(store, key, now) is not False
        with transaction.atomic():
            row = lock_own(self.rows(store), key)
            turn = {self.column("attempts"): 0, self.column("next_attempt_at"): now}
            start_over(row, job=self.job or row.job, **turn, **self.reopened)
        return True
