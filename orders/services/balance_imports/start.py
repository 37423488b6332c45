"""Starting an import: the totals of the old system are held against the rehearsal's, and a difference has a reason."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from loyalty.core.errors import Conflict
from loyalty.jobs.periodic import wake
from loyalty.journal.record import Event, Happening, record
from loyalty.ledger.ledger import Kind
from loyalty.stores.actors import Actor
from loyalty.stores.models import Remark, Store
from orders.models import BalanceImport, ImportState
from orders.services.balance_imports.jobs import JOB
from orders.services.balance_imports.upload import locked


class TotalsDiffer(Conflict):
    """The totals that were typed in are not those of the rehearsal, and nobody says why that is right."""

    code = "totals-differ"
    title = "The totals differ, and no reason is given."


class NothingToImport(Conflict):
    """No row of the file can be imported."""

    code = "nothing-to-import"
    title = "There is nothing to import."


@dataclass(frozen=True, slots=True)
class Told:
    """What the old system says it comes to in all, of one kind and currency (points: ``""``)."""

    kind: Kind
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Compared:
    """One kind and currency: what the file comes to, beside what somebody typed in; None where nothing was."""

    kind: Kind
    currency: str
    found: Decimal
    told: Decimal | None

    @property
    def agrees(self) -> bool:
        """Whether both are the same."""
        return self.found == self.told


def compare(totals: Iterable[dict[str, Any]], told: Iterable[Told]) -> list[Compared]:
    """The totals of a summary beside those of the old system, each kind and currency that either of them names."""
    found: dict[tuple[Any, str], Decimal] = defaultdict(Decimal)
    for line in totals:
        found[line["kind"], line["currency"]] += Decimal(line["amount"])
    said = {(one.kind, one.currency): one.amount for one in told}
    names = sorted({*found, *said})
    return [Compared(*name, found.get(name, Decimal(0)), said.get(name)) for name in names]


def told_of(held: BalanceImport) -> list[Told]:
    """The totals that were typed in when the import was started."""
    return [Told(one["kind"], one["currency"], Decimal(one["amount"])) for one in held.told]


@transaction.atomic
def start(
    *, store: Store, import_id: int, told: Sequence[Told], reason: str = "", actor: Actor, now: datetime
) -> BalanceImport:
    """Have a rehearsed import carried out by the worker. Safe to repeat: one that was started is answered as it is.

    Raises NotFound, ImportNotReady, NothingToImport, and TotalsDiffer where the totals ``told`` are not those of the
    rehearsal, or are not named, and no ``reason`` says why.
    """
    held = locked(store, import_id)
    if held.state in (ImportState.RUNNING, ImportState.DONE):
        return held
    held = locked(store, import_id, ImportState.REHEARSED)
    if not held.items:
        raise NothingToImport(_("No row of this file can be imported; the rows say why."))
    compared = compare(held.summary["totals"], told)
    reason = reason.strip()[:200]
    if not reason and not all(one.agrees for one in compared):
        raise TotalsDiffer(_("The totals differ from those of the old system. Say why that is right, or look again."))
    held.told = [{"kind": one.kind, "currency": one.currency, "amount": f"{one.amount:f}"} for one in told]
    if reason:
        held.remark = Remark.objects.create(store=store, reason=reason, created_at=now)
    held.state, held.started_by, held.started_at, held.updated_at = ImportState.RUNNING, actor.ref, now, now
    held.done_until, held.items_done = "", 0
    held.save_changes()
    record([happening(held, Event.IMPORT_STARTED, {"told": held.told})], actor=actor, now=now)
    wake(JOB)
    return held


def happening(held: BalanceImport, event: Event, facts: dict[str, Any]) -> Happening:
    """An entry of the journal about an import; the file's name and the sums, nobody's data."""
    data = {"import": str(held.pk), "sha256": held.sha256, "items": held.items, **facts}
    return Happening(held.store_id, event, remark_id=held.remark_id, data=data)
