"""What the list of redemptions can be narrowed to."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from loyalty.api.requests.filters import (
    CustomerFilter,
    Filters,
    IdFilter,
    InstantFilter,
    ListFilter,
    TextFilter,
    YesNoFilter,
)
from orders.models import PlatformState, RedemptionState, RequestState, ReversalRequest


class RedemptionFilters(Filters):
    """The filters of the list of redemptions."""

    state = ListFilter("state", values=RedemptionState.values, help_text="What has become of it.")
    platform_state = ListFilter(
        "platform_state", values=PlatformState.values, help_text="Whether the platform has what it was last told."
    )
    customer = CustomerFilter(field_name="customer_id", help_text="Of the customer with this id.")
    reward = IdFilter(field_name="reward_id", help_text="Of the reward with this id.")
    code = TextFilter(field_name="code", lookup_expr="iexact", help_text="With this code.")
    requested = YesNoFilter(method="whether_requested", help_text="Whether a request for its reversal is open.")
    created_after = InstantFilter(field_name="created_at", lookup_expr="gte", help_text="Redeemed then or later.")
    created_before = InstantFilter(field_name="created_at", lookup_expr="lt", help_text="Redeemed before then.")

    def whether_requested(self, rows: "QuerySet[Any]", _name: str, value: bool) -> "QuerySet[Any]":
        """Redemptions with an open request, or without."""
        store = self.request.parser_context["view"].store
        waiting = ReversalRequest.objects.for_store(store).filter(redemption=OuterRef("pk"), state=RequestState.OPEN)
        return rows.filter(Exists(waiting) if value else ~Exists(waiting))
