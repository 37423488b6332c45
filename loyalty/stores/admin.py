"""Stores, staff and API keys."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin
from loyalty.stores.active import active_store, is_operator
from loyalty.stores.models import ApiKey, Membership, Store
from loyalty.stores.roles import Can


@admin.register(Store)
class StoreAdmin(BackOfficeAdmin):
    """All stores, for operators of the platform."""

    list_display = ("name", "slug", "currency", "time_zone", "locale")
    search_fields = ("name", "slug")
    ordering = ("name",)
    actions = None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_operator(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request)

    has_change_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_operator(request)


@admin.register(Membership)
class MembershipAdmin(StoreModelAdmin):
    """Who works in the active store, and as what."""

    view_needs = Can.MANAGE_STAFF
    list_display = ("user", "role")
    actions = None

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Membership]":
        return Membership.objects.filter(store=active_store(request)).select_related("user")


@admin.register(ApiKey)
class ApiKeyAdmin(StoreModelAdmin):
    """The active store's API keys."""

    view_needs = Can.MANAGE_API_KEYS
    list_display = ("name", "prefix")
    actions = None
