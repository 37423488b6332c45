"""Who asks: an API key of one store, as a Bearer token (T3)."""

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from loyalty.core.clock import read_clock
from loyalty.database.named_stores import every_store, go_on_in
from loyalty.languages.own_names import go_on_in_own_names
from loyalty.store_settings.names import names_of
from loyalty.stores.keys import find_api_key, note_use
from loyalty.stores.models import ApiKey


class ApiKeyAuthentication(BaseAuthentication):
    """Finds the key of a request. ``request.auth`` is the ApiKey with its store; nobody is signed in."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey]:
        """The key. Raises NotAuthenticated without one and AuthenticationFailed for a bad one: both are 401."""
        scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise NotAuthenticated(gettext("Send an API key: “Authorization: Bearer <key>”."))
        now = read_clock()
        with every_store():
            api_key = find_api_key(text.strip(), now=now)
        if api_key is None:
            raise AuthenticationFailed(gettext("This API key is unknown, revoked or expired."))
        go_on_in(api_key.store_id)
        go_on_in_own_names(names_of(api_key.store))
        note_use(api_key, now=now)
        return AnonymousUser(), api_key

    def authenticate_header(self, _request: Request) -> str:
        """What a 401 asks for."""
        return "Bearer"


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # registers itself
    """How the schema describes the key."""

    target_class = ApiKeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, _auto_schema: AutoSchema) -> dict[str, str]:
        """Bearer authentication."""
        return {"type": "http", "scheme": "bearer", "description": "An API key of one store, made by a store owner."}
