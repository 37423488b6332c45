"""Balance imports for tests: a file as text, rehearsed, started, carried out."""

import io
from datetime import datetime
from typing import Final

from loyalty.jobs.periodic import run_job
from loyalty.stores.models import Store
from orders.models import BalanceImport, ImportState
from orders.services.balance_imports.jobs import JOB
from orders.services.balance_imports.rehearsal.rehearse import start_reading
from orders.services.balance_imports.start import start
from orders.services.balance_imports.upload import upload
from tests.factories import ACTOR, NOW

HEADER: Final = "external_id,email,name,kind,amount,currency,granted_on,expires_on,reason,reference\n"


def uploaded(store: Store, text: str, *, now: datetime = NOW) -> BalanceImport:
    """An import whose file is here."""
    content = text.encode()
    return upload(store=store, file=io.BytesIO(content), file_name="old.csv", size=len(content), actor=ACTOR, now=now)


def rehearsed(store: Store, text: str, *, now: datetime = NOW) -> BalanceImport:
    """An import that was read and added up by the job."""
    held = start_reading(store=store, import_id=uploaded(store, text, now=now).pk, layout={}, now=now)
    run_job(JOB, now)
    held.refresh_from_db()
    return held


def started(store: Store, text: str, *, now: datetime = NOW) -> BalanceImport:
    """An import that the job is to carry out next."""
    held = rehearsed(store, text, now=now)
    assert held.state == ImportState.REHEARSED, held.failure
    return start(store=store, import_id=held.pk, told=[], reason="No totals there", actor=ACTOR, now=now)


def carried_out(store: Store, text: str, *, now: datetime = NOW) -> BalanceImport:
    """An import that is done."""
    held = started(store, text, now=now)
    run_job(JOB, now)
    held.refresh_from_db()
    return held
