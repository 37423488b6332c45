"""What lists of orders can be narrowed to (O4). Every filter has an index behind it; nothing counts."""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import QuerySet

from loyalty.api.requests.filters import (
    ChoiceFilter,
    CustomerFilter,
    Filters,
    InstantFilter,
    ListFilter,
    TextFilter,
    YesNoFilter,
)
from loyalty.core.tags import tag_key
from loyalty.store_settings.sections import current_settings
from orders.api.orders.documents import TRIGGERS
from orders.models import (
    CANCELLED,
    FAILED_AFTER_PAYMENT,
    NOT_OPEN_ON_PLATFORM,
    OPEN_ON_PLATFORM,
    Completeness,
    Order,
    OrderStatus,
    PaymentStatus,
    PersonsDecision,
    RevertStatus,
    decided_as,
)
from orders.search import search_orders, tagged
from orders.services.automation.upcoming import due_before
from orders.services.codes.uses import came_with


class OrderFilters(Filters):
    """The filters of the order list; *after* includes the instant, *before* does not."""

    status = ListFilter(values=OrderStatus.values, help_text="One of these statuses.")
    payment_status = ListFilter(values=PaymentStatus.values, help_text="One of these payment statuses.")
    credit_revert_status = ChoiceFilter(values=RevertStatus.values, help_text="Credit Revert Status.")
    points_revert_status = ChoiceFilter(values=RevertStatus.values, help_text="Points Revert Status.")
    completeness = ChoiceFilter(values=Completeness.values, help_text="Whether all or some that was used is back.")
    needs_revert = YesNoFilter(help_text="Value is not back and nobody has decided about it.")
    decision = ListFilter(
        method="decided",
        values=[decision.value for decision in PersonsDecision if decision],
        help_text="What was decided about the part of either kind that is not back.",
    )
    paid_after_cancellation = YesNoFilter(
        help_text="Paid after it was cancelled automatically, and nobody has decided what becomes of it."
    )
    open_on_platform = YesNoFilter(
        method="open_there", help_text="Cancelled here, and the shop platform says that it is open there."
    )
    deleted_on_platform = YesNoFilter(
        field_name="platform_deleted_at",
        lookup_expr="isnull",
        exclude=True,
        help_text="Deleted on the shop platform, or in its bin.",
    )
    failed_after_payment = YesNoFilter(
        method="failed_later", help_text="Its payment says failed, although it was paid or completed before."
    )
    used_credits = YesNoFilter(method="used", help_text="Whether credits were applied.")
    used_points = YesNoFilter(method="used", help_text="Whether points were applied.")
    tag = TextFilter(method="tagged", help_text="Has this tag: whole, trimmed, ignoring case.")
    tag_none = TextFilter(method="tagged", help_text="Does not have this tag.")
    code = TextFilter(method="with_code", help_text="Came with this code of a redemption.")
    number = TextFilter(help_text="Exactly this number.")
    external_id = TextFilter(help_text="Exactly this external id.")
    customer = CustomerFilter(field_name="customer_id", help_text="Of the customer with this id.")
    search = TextFilter(
        method="matching",
        help_text="Number or external id is exactly this, or the customer's e-mail or name contains it.",
    )
    cancelled_by = ChoiceFilter(values=TRIGGERS, help_text="What cancelled the order.")
    placed_after = InstantFilter(field_name="placed_at", lookup_expr="gte", help_text="Placed then or later.")
    placed_before = InstantFilter(field_name="placed_at", lookup_expr="lt", help_text="Placed before then.")
    cancelled_after = InstantFilter(method="cancelled", help_text="Cancelled then or later.")
    cancelled_before = InstantFilter(method="cancelled", help_text="Cancelled before then.")
    held = YesNoFilter(
        field_name="held_at", lookup_expr="isnull", exclude=True, help_text="Kept from being cancelled automatically."
    )
    due_before = InstantFilter(
        method="due", help_text="Payment is pending and due before then, by the order's own time or the store's window."
    )
    updated_after = InstantFilter(field_name="updated_at", lookup_expr="gte", help_text="Changed then or later.")

    def due(self, orders: "QuerySet[Order]", _name: str, value: datetime) -> "QuerySet[Order]":
        """Unpaid orders that are due before the instant (E1)."""
        return orders.filter(due_before(value, current_settings(self.request.auth.store).auto_cancel))

    def open_there(self, orders: "QuerySet[Order]", _name: str, value: bool) -> "QuerySet[Order]":
        """Orders that are cancelled here alone, or all others (O6)."""
        return orders.filter(OPEN_ON_PLATFORM if value else NOT_OPEN_ON_PLATFORM)

    def failed_later(self, orders: "QuerySet[Order]", _name: str, value: bool) -> "QuerySet[Order]":
        """Orders that staff have to look at because a payment that was there says failed, or all others (E10)."""
        return orders.filter(FAILED_AFTER_PAYMENT) if value else orders.exclude(FAILED_AFTER_PAYMENT)

    def decided(self, orders: "QuerySet[Order]", _name: str, value: Sequence[str]) -> "QuerySet[Order]":
        """Orders with one of these decisions on either kind."""
        return orders.filter(reduce(or_, map(decided_as, value)))

    def used(self, orders: "QuerySet[Order]", name: str, value: bool) -> "QuerySet[Order]":
        """Orders that used a kind, or did not."""
        column = f"{name.removeprefix('used_')}_applied"
        return orders.filter(**({f"{column}__gt": 0} if value else {column: 0}))

    def cancelled(self, orders: "QuerySet[Order]", name: str, value: datetime) -> "QuerySet[Order]":
        """Orders that were cancelled at the instant or later, or before it."""
        lookup = "gte" if name == "cancelled_after" else "lt"
        return orders.filter(CANCELLED, **{f"cancelled_at__{lookup}": value})

    def tagged(self, orders: "QuerySet[Order]", name: str, value: str) -> "QuerySet[Order]":
        """Orders with the tag, or without it (N3)."""
        keys = [tag_key(value)]
        if name == "tag":
            return orders.filter(tagged(self.request.auth.store, keys))
        return orders.exclude(tag_keys__contains=keys)

    def with_code(self, orders: "QuerySet[Order]", _name: str, value: str) -> "QuerySet[Order]":
        """Orders that came with a code issued here (R7)."""
        return orders.filter(pk__in=came_with(self.request.auth.store, value))

    def matching(self, orders: "QuerySet[Order]", _name: str, value: str) -> "QuerySet[Order]":
        """Orders that a search finds."""
        return search_orders(orders, value.strip(), store=self.request.auth.store)
