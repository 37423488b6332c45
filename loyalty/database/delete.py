"""Deleting many rows without holding many locks."""

import logging
from collections.abc import Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from loyalty.database.busy import raise_if_away

logger = logging.getLogger(__name__)

BATCH: Final = 1000


def delete_in_batches(rows: "QuerySet[Any]") -> int:
    """Delete these rows, a batch and a transaction at a time; answers how many are gone.

    A row that cannot be deleted stays, is named in the log, and holds up none of the others.
    """
    deleted, last = 0, 0
    while ids := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        deleted += _delete(rows, ids)
        last = ids[-1]
    return deleted


def _delete(rows: "QuerySet[Any]", ids: Sequence[int]) -> int:
    try:
        with transaction.atomic():
            return int(rows.filter(pk__in=ids).delete()[1].get(rows.model._meta.label, 0))
    except Exception as error:
        raise_if_away(error)
        if len(ids) == 1:
            logger.exception("%s %s could not be deleted.", rows.model._meta.label, ids[0])
            return 0
    middle = len(ids) // 2
    return _delete(rows, ids[:middle]) + _delete(rows, ids[middle:])
