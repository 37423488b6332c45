"""What a key may do: every view names the scope of each of its methods."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from loyalty.api.answers.problems import Problem
from loyalty.stores.keys import allows_scope


class HasScope(BasePermission):
    """Lets a request pass when its key has the scope that the view declares in ``required_scopes``."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """True, or Problem ``missing-scope`` naming it."""
        require_scope(request, required_scope(view, request.method or ""))
        return True


def require_scope(request: Request, scope: str) -> None:
    """Raise Problem ``missing-scope`` unless the key that asks has ``scope``."""
    key: Any = request.auth
    if not allows_scope(key, scope):
        raise Problem(
            "missing-scope", _("This API key lacks the scope “%(scope)s”.") % {"scope": scope}, members={"scope": scope}
        )


def required_scope(view: APIView, method: str) -> str:
    """The scope that a method of the view needs. Raises ImproperlyConfigured when it names none."""
    scopes: dict[str, str] = getattr(view, "required_scopes", {})
    try:
        return scopes["GET" if method == "HEAD" else method]
    except KeyError:
        raise ImproperlyConfigured(f"{type(view).__name__} names no scope for {method}.") from None
