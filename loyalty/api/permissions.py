"""What a key may do: every view names the scope of each of its methods."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from loyalty.api.problems import Problem
from loyalty.stores.keys import allows_scope


class HasScope(BasePermission):
    """Lets a request pass when its key has the scope that the view declares in ``required_scopes``."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """True, or Problem ``missing-scope`` naming it."""
        scope = required_scope(view, request.method or "")
        key: Any = request.auth
        if scope is not None and not allows_scope(key, scope):
            raise Problem("missing-scope", f"This API key lacks the scope “{scope}”.", members={"scope": scope})
        return True


def required_scope(view: APIView, method: str) -> str | None:
    """The scope that a method needs; None for a method that the view does not have (405 follows).

    Raises ImproperlyConfigured when the view has the method and names no scope for it.
    """
    if not hasattr(view, method.lower()):
        return None
    scopes: dict[str, str] = getattr(view, "required_scopes", {})
    try:
        return scopes["GET" if method == "HEAD" else method]
    except KeyError:
        raise ImproperlyConfigured(f"{type(view).__name__} names no scope for {method}.") from None
