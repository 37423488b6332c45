"""Deleting many rows, or their words, without holding many locks."""

import logging
from collections.abc import Callable, Mapping, Sequence
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
    return _in_batches(rows, lambda some: int(some.delete()[1].get(some.model._meta.label, 0)))


def empty_in_batches(rows: "QuerySet[Any]", words: Mapping[str, str]) -> int:
    """Write these words over those of the rows, as :func:`delete_in_batches` deletes."""
    return _in_batches(rows, lambda some: some.update(**words))


def _in_batches(rows: "QuerySet[Any]", do: Callable[["QuerySet[Any]"], int]) -> int:
    done, rest = 0, rows.order_by("pk")
    while ids := list(rest.values_list("pk", flat=True)[:BATCH]):
        done += _do(rows, ids, do)
        rest = rows.filter(pk__gt=ids[-1]).order_by("pk")
    return done


def _do(rows: "QuerySet[Any]", ids: Sequence[int], do: Callable[["QuerySet[Any]"], int]) -> int:
    try:
        with transaction.atomic():
            return do(rows.filter(pk__in=ids))
    except Exception as error:
        raise_if_away(error)
        if len(ids) == 1:
            logger.exception("%s %s could not be deleted.", rows.model._meta.label, ids[0])
            return 0
    middle = len(ids) // 2
    return _do(rows, ids[:middle], do) + _do(rows, ids[middle:], do)
