"""The periodic jobs under their fixed names: what beat schedules, `run_jobs` runs and a commit may wake.

A job is a function of the instant it runs at. It finds its own work by query, does it in batches of bounded size, and
answers how much it did, as counts by name. It may be killed at any moment and run twice at once.
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Final

from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext_noop
from kombu.exceptions import OperationalError

from loyalty.celery import app
from loyalty.core.causes import cause
from loyalty.core.logs import what_failed
from loyalty.core.storable_text import storable
from loyalty.database.named_stores import every_store
from loyalty.database.prepared import ask

logger = logging.getLogger(__name__)

Counts = Mapping[str, int]
Job = Callable[[datetime], Counts]

# Named as strings, because the foundation imports none of the apps that stand on it.
JOBS: Final[Mapping[str, str]] = {
    "orders.expire_overdue_payments": "orders.services.automation.expire_payments.expire_overdue_payments",
    "orders.auto_cancel": "orders.services.automation.cancel_unpaid.auto_cancel",
    "orders.poll_platforms": "orders.services.intake.poll.poll_platforms",
    "orders.continue_polls": "orders.services.intake.poll.continue_polls",
    "orders.evaluate_rules": "orders.services.automation.run_rules.evaluate_rules",
    "orders.bulk_cancel": "orders.services.bulk_cancels.run.bulk_cancel",
    "orders.import_balances": "orders.services.balance_imports.run.import_balances",
    "orders.write_bundles": "orders.services.bundles.make.write_bundles",
    "credits.expire_lots": "credits.jobs.expire_lots",
    "points.expire_lots": "points.jobs.expire_lots",
    "loyalty.deliver_notices": "loyalty.notices.deliver.deliver_notices",
    "loyalty.deliver_letters": "loyalty.accounts.letters.deliver_letters",
    "loyalty.deliver_outbox": "loyalty.outbox.deliver.deliver_outbox",
    "orders.process_deliveries": "orders.services.intake.process_webhooks.process_deliveries",
    "loyalty.repair_webhooks": "loyalty.platforms.connections.repair.repair_webhooks",
    "loyalty.prune": "loyalty.jobs.prune.prune",
    "loyalty.check_ledger": "loyalty.proof.outcomes.check_ledger",
}

EVERY: Final[Mapping[str, timedelta]] = {
    "orders.expire_overdue_payments": timedelta(minutes=1),
    "orders.auto_cancel": timedelta(minutes=1),
    "orders.poll_platforms": timedelta(minutes=5),
    "orders.continue_polls": timedelta(minutes=1),
    "orders.evaluate_rules": timedelta(minutes=1),
    "orders.bulk_cancel": timedelta(minutes=1),
    "orders.import_balances": timedelta(minutes=1),
    "orders.write_bundles": timedelta(minutes=1),
    "credits.expire_lots": timedelta(minutes=10),
    "points.expire_lots": timedelta(minutes=10),
    "loyalty.deliver_notices": timedelta(seconds=30),
    "loyalty.deliver_letters": timedelta(seconds=30),
    "loyalty.deliver_outbox": timedelta(seconds=15),
    "orders.process_deliveries": timedelta(seconds=30),
    "loyalty.repair_webhooks": timedelta(hours=1),
    "loyalty.prune": timedelta(hours=6),
    "loyalty.check_ledger": timedelta(hours=1),
}

# Nothing wakes this one: whether it ran says whether beat asks, and a worker listens.
PULSE: Final = "orders.expire_overdue_payments"

# What each does, for staff.
WORDS: Final[Mapping[str, str]] = {
    "orders.expire_overdue_payments": gettext_noop("Payments whose time has run out become Expired"),
    "orders.auto_cancel": gettext_noop("Orders with expired or failed payment are cancelled"),
    "orders.poll_platforms": gettext_noop("Changed orders are fetched from the shop platforms"),
    "orders.continue_polls": gettext_noop("Long catch-ups are continued"),
    "orders.evaluate_rules": gettext_noop("Spent-revert rules look at orders that changed"),
    "orders.bulk_cancel": gettext_noop("Orders that staff chose are cancelled together"),
    "orders.import_balances": gettext_noop("Balances of other systems are read and brought here"),
    "orders.write_bundles": gettext_noop("Stores are written as one file that somebody asked for"),
    "credits.expire_lots": gettext_noop("Expired credits are booked off"),
    "points.expire_lots": gettext_noop("Expired points are booked off"),
    "loyalty.deliver_notices": gettext_noop("Messages to customers are sent"),
    "loyalty.check_ledger": gettext_noop("The books are checked, once a day"),
    "loyalty.deliver_letters": gettext_noop("Staff get their links and invitations by e-mail"),
    "loyalty.deliver_outbox": gettext_noop("Shop platforms and webhook endpoints are told"),
    "loyalty.repair_webhooks": gettext_noop("Missing webhooks are registered again, once a day"),
    "orders.process_deliveries": gettext_noop("Webhooks of shop platforms are worked through"),
    "loyalty.prune": gettext_noop("Temporary data past its date is deleted"),
}


# Counts of what a job met but could not finish now, or found as it was; the rest it counts is work it found and did.
_NOT_NOW: Final = frozenset({"postponed", "unchanged", "unreadable"})


def run_job(name: str, now: datetime) -> Counts:
    """Run one job at the instant ``now`` and note how it went. Raises KeyError for a name that is no job."""
    job: Job = import_string(JOBS[name])
    began = monotonic()
    try:
        # Whose turn it is can be found among all stores only; what is taken up is worked on in its own.
        with every_store():
            counts = job(now)
    except Exception as error:
        _note(name, now, monotonic() - began, error=storable(what_failed(error)))
        raise
    _note(name, now, monotonic() - began, counts=counts)
    return counts


# What went well leaves the last error standing, and what failed the counts of what went well.
_NOTE: Final = """
INSERT INTO journal_jobrun AS run (name, started_at, seconds, counts, error, failed_at, runs, failures, seconds_in_all)
SELECT name, now, seconds, coalesce(counts, '{}'), coalesce(error, ''), CASE WHEN error IS NOT NULL THEN now END, 1,
    (error IS NOT NULL)::int, seconds
FROM (VALUES (%s::text, %s::timestamptz, %s::float, %s::jsonb, %s::text)) AS said (name, now, seconds, counts, error)
ON CONFLICT (name) DO UPDATE SET
    started_at = excluded.started_at,
    seconds = excluded.seconds,
    counts = CASE excluded.failures WHEN 0 THEN excluded.counts ELSE run.counts END,
    error = CASE excluded.failures WHEN 0 THEN run.error ELSE excluded.error END,
    failed_at = coalesce(excluded.failed_at, run.failed_at),
    runs = run.runs + 1,
    failures = run.failures + excluded.failures,
    seconds_in_all = run.seconds_in_all + excluded.seconds_in_all
"""


def _note(name: str, now: datetime, seconds: float, *, counts: Counts | None = None, error: str | None = None) -> None:
    """Add a run to the job's row: what it did, or why it failed."""
    did = None if counts is None else json.dumps(dict(counts))
    ask(_NOTE, [name, now, seconds, did, error])


def found_work(counts: Mapping[str, int]) -> bool:
    """Whether a job did something, so that there may be more to do. What it only postponed does not count."""
    return any(count for what, count in counts.items() if what not in _NOT_NOW)


def counts_line(name: str, counts: Mapping[str, int]) -> str:
    """What a job did, in one line: ``credits.expire_lots: lots=3``."""
    return f"{name}: {' '.join(f'{what}={count}' for what, count in counts.items())}"


def wake(name: str) -> None:
    """Ask a worker to run a job once this transaction is committed.

    Only a hint: when the broker is away nothing is lost, because beat runs every job anyway and jobs find their work
    by query. A transaction asks once, however often it is told to.
    """
    send = _SENDERS[name]
    if not any(waiting is send for _, waiting, _ in transaction.get_connection().run_on_commit):
        transaction.on_commit(send)


def wake_later(name: str, *, seconds: float) -> None:
    """Ask a worker to run a job so many seconds after it hears of it, whatever becomes of the transaction.

    Only a hint, too. A worker counts the seconds: an instant of ours would be another one by its machine's clock.
    """
    _send(name, after=seconds)


def _send(name: str, **said: float) -> None:
    try:
        app.send_task(name, kwargs=said, headers=_on_behalf_of(), retry=False, ignore_result=True)
    except OperationalError:
        logger.warning("The broker is away; %s will run with its schedule.", name)


def _on_behalf_of() -> dict[str, str]:
    asking = cause().request_id
    return {"request_id": asking} if asking else {}


_SENDERS: Final = {name: partial(_send, name) for name in JOBS}
