"""The filters of the order list (O4)."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import reduce
from operator import and_
from typing import Any, Final, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, gettext_noop

from loyalty.backoffice.lists.filters import DayField, FilterForm, FormFilter
from loyalty.core.clock import read_clock
from loyalty.core.days import end_of_day
from loyalty.core.tags import tag_key
from loyalty.core.values import parse_id
from loyalty.stores.actors import Trigger
from loyalty.stores.models import Customer
from orders.models import (
    CANCELLED,
    FAILED_AFTER_PAYMENT,
    NOT_REVERTED,
    OPEN_ON_PLATFORM,
    BulkItem,
    Completeness,
    Order,
    OrderStatus,
    PaymentStatus,
    PersonsDecision,
    RevertStatus,
    decided_as,
)
from orders.search import tagged
from orders.services.codes.uses import flagged_uses

_LARGEST_ID: Final = 2**63 - 1
_ANY: Final = ("", gettext_lazy("Any"))
_YES: Final = (_ANY, ("yes", gettext_lazy("Yes")))
AUTOMATIC: Final = (Trigger.PAYMENT_EXPIRED, Trigger.PAYMENT_FAILED)
_CANCELLED_BY: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "staff": (gettext_noop("Staff"), (Trigger.ADMIN, Trigger.BULK)),
    "automatic": (gettext_noop("Automatically"), AUTOMATIC),
    "api": (gettext_noop("REST API"), (Trigger.API,)),
    "platform": (gettext_noop("Shop platform"), (Trigger.PLATFORM,)),
}
_DECISIONS: Final = tuple(choice for choice in PersonsDecision.choices if choice[0])
_REVERT_CHOICES: Final = (_ANY, *RevertStatus.choices)


def _choice(label: str, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=gettext_lazy(label), choices=choices, required=False)


class _CustomerPicker(AutocompleteSelect):
    """Django's picker looks up what was sent before anybody has looked at it, and fails for what is no id."""

    def optgroups(self, name: str, value: Sequence[str], attrs: Any = None) -> Any:
        return super().optgroups(name, [text for text in value if parse_id(text)], attrs)


class OrderFilterForm(FilterForm):
    """Every filter of the order list; each alone and combined runs on an index."""

    status = _choice(gettext_noop("Status"), (_ANY, *OrderStatus.choices))
    payment_status = _choice(gettext_noop("Payment status"), (_ANY, *PaymentStatus.choices))
    credit_revert_status = _choice(gettext_noop("Credit Revert Status"), _REVERT_CHOICES)
    points_revert_status = _choice(gettext_noop("Points Revert Status"), _REVERT_CHOICES)
    needs_revert = _choice(gettext_noop("Needs revert"), _YES)
    decision = _choice(gettext_noop("Decided about what is not back"), (_ANY, *_DECISIONS))
    partial = _choice(gettext_noop("Partly reverted only"), _YES)
    paid_after_cancellation = _choice(gettext_noop("Paid after cancellation"), _YES)
    open_on_platform = _choice(gettext_noop("Cancelled here, open on the platform"), _YES)
    deleted_on_platform = _choice(gettext_noop("Deleted on the platform"), _YES)
    failed_after_payment = _choice(gettext_noop("Paid or completed before, now failed"), _YES)
    tags = forms.CharField(
        label=gettext_lazy("Tags (all of them, with commas between)"), required=False, max_length=500
    )
    placed_from = DayField(label=gettext_lazy("Placed from"), required=False)
    placed_to = DayField(label=gettext_lazy("Placed until"), required=False)
    cancelled_from = DayField(label=gettext_lazy("Cancelled from"), required=False)
    cancelled_to = DayField(label=gettext_lazy("Cancelled until"), required=False)
    cancelled_by = _choice(
        gettext_noop("Cancelled by"),
        (_ANY, *((key, gettext_lazy(label)) for key, (label, _triggers) in _CANCELLED_BY.items())),
    )
    bulk = forms.IntegerField(
        label=gettext_lazy("Bulk cancel (its number)"), required=False, min_value=1, max_value=_LARGEST_ID
    )
    not_reverted = _choice(gettext_noop("Either kind Not Reverted"), _YES)
    expired_lots = _choice(gettext_noop("Drew on value that has expired"), _YES)
    reversed_code = _choice(gettext_noop("Came with a code that was used up"), _YES)
    customer = forms.ModelChoiceField(label=gettext_lazy("Customer"), queryset=Customer.objects.none(), required=False)

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        customer = cast("forms.ModelChoiceField[Customer]", self.fields["customer"])
        customer.widget = _CustomerPicker(Order._meta.get_field("customer"), admin.site)
        customer.queryset = Customer.objects.for_store(self.store)

    def narrow(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        """The orders that fit every filter."""
        for name in self.fields:
            value = self.chosen(name)
            if value is not None:
                rows = rows.filter(self._condition(name, value))
        return rows

    def _condition(self, name: str, value: Any) -> Q:
        special: dict[str, Callable[[Any], Q]] = {
            "needs_revert": lambda _: Q(needs_revert=True),
            "paid_after_cancellation": lambda _: Q(paid_after_cancellation=True),
            "open_on_platform": lambda _: OPEN_ON_PLATFORM,
            "deleted_on_platform": lambda _: Q(platform_deleted_at__isnull=False),
            "failed_after_payment": lambda _: FAILED_AFTER_PAYMENT,
            "decision": decided_as,
            "partial": lambda _: Q(completeness=Completeness.PARTIAL),
            "tags": self._tagged,
            "placed_from": lambda day: Q(placed_at__gte=self._start(day)),
            "placed_to": lambda day: Q(placed_at__lt=end_of_day(day, self.store.tz)),
            "cancelled_from": lambda day: CANCELLED & Q(cancelled_at__gte=self._start(day)),
            "cancelled_to": lambda day: CANCELLED & Q(cancelled_at__lt=end_of_day(day, self.store.tz)),
            "cancelled_by": lambda key: CANCELLED & Q(cancelled_by__in=_CANCELLED_BY[key][1]),
            "not_reverted": lambda _: NOT_REVERTED,
            "expired_lots": lambda _: Q(first_expiry__lte=read_clock()),
            "bulk": lambda number: Q(pk__in=self._items.filter(bulk=number).values("order")),
            "reversed_code": lambda _: Q(pk__in=flagged_uses(self.store).values("order")),
        }
        return special[name](value) if name in special else Q(**{name: value})

    def _tagged(self, text: str) -> Q:
        tags = [tag for tag in text.split(",") if tag.strip()]
        return reduce(and_, (tagged(self.store, [tag_key(tag)]) for tag in tags), Q())

    @property
    def _items(self) -> "QuerySet[BulkItem]":
        return BulkItem.objects.for_store(self.store)

    def _start(self, day: date) -> datetime:
        # The end of the day before: some zones have days that do not begin at midnight (L2).
        return end_of_day(day - timedelta(days=1), self.store.tz)


class OrderFilter(FormFilter):
    """The order list's *Additional filters*."""

    form_class = OrderFilterForm
