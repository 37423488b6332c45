"""What the list of reverts can be narrowed to."""

from django.db.models import Exists, OuterRef, QuerySet

from loyalty.api.requests.filters import ChoiceFilter, CustomerFilter, Filters, IdFilter, InstantFilter, YesNoFilter
from orders.api.orders.documents import TRIGGERS
from orders.kinds import KINDS
from orders.models import Revert, RevertUndo


class RevertFilters(Filters):
    """The filters of the revert list."""

    kind = ChoiceFilter(values=KINDS, help_text="credits or points.")
    trigger = ChoiceFilter(values=TRIGGERS, help_text="What caused the return.")
    order = IdFilter(field_name="order_id", help_text="Of the order with this id.")
    customer = CustomerFilter(field_name="customer_id", help_text="To the customer with this id.")
    created_after = InstantFilter(field_name="created_at", lookup_expr="gte", help_text="Written then or later.")
    created_before = InstantFilter(field_name="created_at", lookup_expr="lt", help_text="Written before then.")
    undone = YesNoFilter(method="was_undone", help_text="Whether it was undone.")

    def was_undone(self, reverts: "QuerySet[Revert]", _name: str, value: bool) -> "QuerySet[Revert]":
        """Reverts that were undone, or were not."""
        undone = Exists(RevertUndo.objects.for_store(self.request.auth.store).filter(revert=OuterRef("pk")))
        return reverts.filter(undone if value else ~undone)
