"""Who sees which entry of the menu (what a role may not do is absent)."""

from django.http import HttpRequest

from loyalty.stores.active import is_operator, may
from loyalty.stores.roles import Can


def may_view(request: HttpRequest) -> bool:
    """Everybody who works in the active store."""
    return may(request, Can.VIEW)


def may_change_settings(request: HttpRequest) -> bool:
    """Managers and owners."""
    return may(request, Can.CHANGE_SETTINGS)


def may_manage_api_keys(request: HttpRequest) -> bool:
    """Owners."""
    return may(request, Can.MANAGE_API_KEYS)


def may_manage_webhooks(request: HttpRequest) -> bool:
    """Owners."""
    return may(request, Can.MANAGE_WEBHOOKS)


def may_manage_staff(request: HttpRequest) -> bool:
    """Owners, and operators in every store."""
    return may(request, Can.MANAGE_STAFF)


def may_run_platform(request: HttpRequest) -> bool:
    """Operators."""
    return is_operator(request)
