"""What lists of orders and reverts can be narrowed to (O4). Every filter has an index behind it; nothing counts."""

from typing import Any, Final

import django_filters
from django import forms
from django.db.models import QuerySet
from django_filters.constants import EMPTY_VALUES

from loyalty.stores.actors import Trigger
from orders.kinds import KINDS
from orders.models import Completeness, Order, OrderStatus, PaymentStatus, Revert, RevertStatus
from orders.search import search_orders
from orders.tags import tag_key

# Ids are opaque to clients and bigint here; a longer number is nobody's.
_LONGEST_ID: Final = 18


class WordsFilter(django_filters.BaseInFilter, django_filters.ChoiceFilter):
    """A comma list of known words."""


class YesNoFilter(django_filters.TypedChoiceFilter):
    """``true`` or ``false``, nothing else."""

    def __init__(self, **options: Any) -> None:
        choices = (("true", "true"), ("false", "false"))
        super().__init__(choices=choices, coerce=lambda value: value == "true", **options)


class UsedFilter(YesNoFilter):
    """Whether an order used a kind; ``field_name`` is the column of what it used."""

    def filter(self, qs: "QuerySet[Any]", value: Any) -> "QuerySet[Any]":
        """Above zero, or zero."""
        if value in EMPTY_VALUES:
            return qs
        return qs.filter(**{f"{self.field_name}__gt": 0} if value else {self.field_name: 0})


class IdFilter(django_filters.CharFilter):
    """An id of this store. Another store's, or one that nobody has, finds nothing (T1)."""

    def filter(self, qs: "QuerySet[Any]", value: Any) -> "QuerySet[Any]":
        """Rows of exactly this id."""
        if value in EMPTY_VALUES:
            return qs
        known = value.isascii() and value.isdecimal() and len(value) <= _LONGEST_ID
        return qs.filter(**{f"{self.field_name}_id": int(value)}) if known else qs.none()


class TagFilter(django_filters.CharFilter):
    """A tag, matched whole, trimmed, ignoring case (N3)."""

    field_class = forms.CharField

    def filter(self, qs: "QuerySet[Any]", value: Any) -> "QuerySet[Any]":
        """Orders with the tag, or, with ``exclude``, without it."""
        if value in EMPTY_VALUES:
            return qs
        return self.get_method(qs)(tag_keys__contains=[tag_key(value)])


class OrderFilter(django_filters.FilterSet):
    """The filters of the order list."""

    status = WordsFilter(choices=OrderStatus.choices)
    payment_status = WordsFilter(choices=PaymentStatus.choices)
    credit_revert_status = django_filters.ChoiceFilter(choices=RevertStatus.choices)
    points_revert_status = django_filters.ChoiceFilter(choices=RevertStatus.choices)
    completeness = django_filters.ChoiceFilter(choices=Completeness.choices)
    needs_revert = YesNoFilter()
    used_credits = UsedFilter(field_name="credits_applied")
    used_points = UsedFilter(field_name="points_applied")
    tag = TagFilter()
    tag_none = TagFilter(exclude=True)
    number = django_filters.CharFilter()
    external_id = django_filters.CharFilter()
    customer = IdFilter()
    search = django_filters.CharFilter(method="find")
    cancelled_by = django_filters.ChoiceFilter(choices=[(word.value, word.value) for word in Trigger])
    placed_after = django_filters.IsoDateTimeFilter(field_name="placed_at", lookup_expr="gte")
    placed_before = django_filters.IsoDateTimeFilter(field_name="placed_at", lookup_expr="lt")
    cancelled_after = django_filters.IsoDateTimeFilter(field_name="cancelled_at", lookup_expr="gte")
    cancelled_before = django_filters.IsoDateTimeFilter(field_name="cancelled_at", lookup_expr="lt")
    updated_after = django_filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="gte")

    class Meta:
        model = Order
        fields: tuple[str, ...] = ()

    def find(self, queryset: "QuerySet[Order]", _name: str, value: str) -> "QuerySet[Order]":
        """Orders whose number or external id is ``value``, and those of customers it matches."""
        return search_orders(queryset, value, store=self.request.auth.store)


class RevertFilter(django_filters.FilterSet):
    """The filters of the revert list."""

    kind = django_filters.ChoiceFilter(choices=[(kind, kind) for kind in KINDS])
    trigger = django_filters.ChoiceFilter(choices=[(word.value, word.value) for word in Trigger])
    order = IdFilter()
    customer = IdFilter()
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Revert
        fields: tuple[str, ...] = ()
