"""The customer list and the customer page."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from loyalty.backoffice.base import StoreModelAdmin
from loyalty.stores.active import active_store
from loyalty.stores.models import Customer
from loyalty.stores.searching import find_customers
from loyalty.stores.showing import show_moment


@admin.register(Customer)
class CustomerAdmin(StoreModelAdmin):
    """Customers: who they are, what they have, what happened to it."""

    list_display = ("__str__", "email", "external_id", "since")
    sortable_by = ()
    ordering = ("-id",)
    search_fields = ("email",)
    search_help_text = "Name, e-mail or external id"
    actions = None
    empty_title = "No customers yet"
    empty_hint = "Customers arrive with their orders, or through the REST API."

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Customer]":
        rows: QuerySet[Customer] = super().get_queryset(request)
        return rows.select_related("store")

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Customer]", search_term: str
    ) -> tuple["QuerySet[Customer]", bool]:
        """By external id, e-mail or name; also for the autocomplete of the order list."""
        if not search_term.strip():
            return queryset, False
        found = find_customers(active_store(request), search_term)
        return queryset.filter(pk__in=found.values("pk")), False

    @admin.display(description="Since")
    def since(self, customer: Customer) -> str:
        return show_moment(customer.created_at, customer.store)
