"""All rows of a list as its filters and search narrow it, not one page of them: for exports and for bulk work."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from loyalty.backoffice.lists.filters import FormFilter


class WrongFilter(ValueError):
    """A filter in the address is wrong: the list would show more than was asked for."""


def listed(admin: ModelAdmin, request: HttpRequest) -> "QuerySet[Any]":
    """Every row of the list that the address's query shows, in its order.

    Raises :class:`WrongFilter` where the list itself would say so beside a filter's field.
    """
    try:
        changes = admin.get_changelist_instance(request)
    except IncorrectLookupParameters as error:
        raise WrongFilter(str(error)) from error
    if any(isinstance(spec, FormFilter) and spec.form.errors for spec in changes.filter_specs):
        raise WrongFilter
    rows: QuerySet[Any] = changes.queryset
    return rows
