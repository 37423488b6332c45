"""Orders that a job could not process: found by halves, set aside with their error, tried again later (E7)."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import OuterRef, QuerySet

from orders.models import Order, Problem

logger = logging.getLogger(__name__)

# How long an order that could not be processed is left alone, by attempts; the last pause repeats.
PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 30, 120, 720))


def problems_with(job: str) -> "QuerySet[Problem]":
    """The problems that ``job`` had with an order of an outer query."""
    problems: QuerySet[Problem] = Problem.unscoped.filter(order=OuterRef("pk"), job=job)
    return problems


def by_halves(orders: Sequence[Order], process: Callable[[Sequence[Order]], None], *, job: str, now: datetime) -> int:
    """Process orders together; when they fail, find the ones that fail by halves and set those aside.

    Answers how many failed. A database that is away is no order's fault and is raised.
    """
    before = [dict(vars(order)) for order in orders]
    try:
        with transaction.atomic():
            process(orders)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # What was written is undone; what it made of the objects is too.
        for order, facts in zip(orders, before, strict=True):
            vars(order).clear()
            vars(order).update(facts)
        if len(orders) == 1:
            logger.exception("Order %s could not be processed by %s.", orders[0].pk, job)
            _set_aside(orders[0], error, job, now)
            return 1
        middle = len(orders) // 2
        halves = (orders[:middle], orders[middle:])
        return sum(by_halves(half, process, job=job, now=now) for half in halves)
    return 0


def _set_aside(order: Order, error: Exception, job: str, now: datetime) -> None:
    before = Problem.unscoped.filter(order=order, job=job).first()
    attempts = before.attempts + 1 if before else 1
    facts = {
        "error": f"{type(error).__name__}: {error}"[:1000],
        "attempts": attempts,
        "next_attempt_at": now + PAUSES[min(attempts, len(PAUSES)) - 1],
    }
    first = facts | {"store_id": order.store_id, "created_at": now}
    Problem.unscoped.update_or_create(order=order, job=job, defaults=facts, create_defaults=first)
