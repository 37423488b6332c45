"""Deleting what is kept for a time only: the job ``loyalty.prune``."""

import logging
from collections import Counter
from datetime import datetime

from django.apps import apps
from django.db.models import Model
from django.utils.module_loading import import_string

from loyalty.database.busy import is_away
from loyalty.database.delete import delete_in_batches, empty_in_batches
from loyalty.database.retention import Kept, all_kept, every_row
from loyalty.jobs.periodic import Counts

logger = logging.getLogger(__name__)


def prune(now: datetime) -> Counts:
    """Delete everything whose time is over at ``now``, by the tables' names; what cannot be deleted holds up no other.

    Raises what the database said when it was away, once all have been tried.
    """
    counts: Counter[str] = Counter()
    away: Exception | None = None
    for model, kept in all_kept():
        try:
            counts.update(_prune(model, kept, now))
        except Exception as error:
            logger.exception("What is old of %s could not be deleted.", model._meta.label)
            counts["failed"] += 1
            away = error if is_away(error) else away
    if away is not None:
        raise away
    return counts


def _prune(model: type[Model], kept: Kept, now: datetime) -> Counts:
    name = model._meta.label.lower()
    if kept.by:
        return {name: sum(import_string(kept.by)(now).values())}
    rows = kept.over(model, now)
    if rows is None:
        return {}
    if kept.along is not None:
        label, column = kept.along
        delete_in_batches(every_row(apps.get_model(label)).filter(**{f"{column}__in": rows}))
    return {name: empty_in_batches(rows, kept.emptied) if kept.emptied else delete_in_batches(rows)}
