"""Shopify's GraphQL Admin API: an answer of status 200 may still be a refusal, or a request to slow down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from loyalty.platforms.http.json_api import LONGEST_PAUSE, PAUSE, JsonApi, dig, documents
from loyalty.platforms.http.protocol import Document, Failed, Refused, Throttled, Unreachable

LABEL: Final = "Shopify"
_USER_ERRORS: Final = ("userErrors", "orderCancelUserErrors")


class UserError(Failed):
    """Shopify understood and said no; ``codes`` are its machine-readable reasons."""

    def __init__(self, reason: str, codes: frozenset[str]) -> None:
        super().__init__(reason)
        self.codes = codes


@dataclass(frozen=True, slots=True)
class GraphQl:
    """The one address that queries and mutations go to."""

    api: JsonApi

    def query(self, text: str, **variables: object) -> Document:
        """The ``data`` of a query. Raises Throttled, Refused, Unreachable or Failed for ``errors`` in the answer."""
        value = self.api.ask("POST", "/graphql.json", body={"query": text, "variables": variables}).value
        if isinstance(value, Mapping) and value.get("errors"):
            raise _error(value)
        data: Document | None = dig(LABEL, value, "data")
        if not isinstance(data, Mapping):
            raise Unreachable(_("%(label)s answered without data.") % {"label": LABEL})
        return data

    def mutate(self, text: str, field: str, **variables: object) -> Document:
        """What the mutation ``field`` answers. Raises UserError when Shopify would not do it."""
        payload = dig(LABEL, self.query(text, **variables), field)
        if not isinstance(payload, Mapping):
            raise Unreachable(_("%(label)s answered without “%(field)s”.") % {"label": LABEL, "field": field})
        errors = [error for name in _USER_ERRORS for error in documents(LABEL, payload.get(name) or [])]
        if errors:
            said = "; ".join(str(error.get("message", "")) for error in errors)
            codes = frozenset(str(error.get("code", "")) for error in errors)
            raise UserError(_("%(label)s did not do it: %(said)s") % {"label": LABEL, "said": said}, codes)
        return payload


def _error(value: Mapping[str, Any]) -> Throttled | Refused | Unreachable | Failed:
    errors = value["errors"]
    if not isinstance(errors, list):
        return Failed(_("%(label)s did not accept this: %(errors)s") % {"label": LABEL, "errors": errors})
    said = "; ".join(str(error.get("message", "")) for error in errors if isinstance(error, Mapping))
    codes = {_code(error) for error in errors}
    if "THROTTLED" in codes:
        return Throttled(_("%(label)s asks us to slow down.") % {"label": LABEL}, after=_pause(value))
    if "ACCESS_DENIED" in codes:
        return Refused(
            _("%(label)s does not allow this with these credentials: %(said)s") % {"label": LABEL, "said": said}
        )
    if "INTERNAL_SERVER_ERROR" in codes:
        return Unreachable(_("%(label)s has a problem of its own at the moment.") % {"label": LABEL})
    return Failed(_("%(label)s did not accept this: %(said)s") % {"label": LABEL, "said": said})


def _code(error: object) -> str:
    extensions = error.get("extensions") if isinstance(error, Mapping) else None
    return str(extensions.get("code", "")) if isinstance(extensions, Mapping) else ""


def _pause(value: Mapping[str, Any]) -> timedelta:
    """How long until the bucket holds what the query costs: (requested - available) / refilled each second."""
    try:
        cost = value["extensions"]["cost"]
        status = cost["throttleStatus"]
        lacking = Decimal(cost["requestedQueryCost"]) - Decimal(status["currentlyAvailable"])
        seconds = lacking / Decimal(status["restoreRate"])
    except (KeyError, TypeError, ArithmeticError):
        return PAUSE
    return max(timedelta(seconds=1), min(timedelta(seconds=float(seconds)), LONGEST_PAUSE))
