"""Every error code of the REST API, with its status and title: the docs show it, a test holds it against the code."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_noop

# The ``code`` of a whole answer. The domain's own are defined beside what raises them and repeated here for readers.
PROBLEMS: Final[Mapping[str, tuple[int, str]]] = {
    "bad-request": (400, gettext_noop("The request could not be read.")),
    "idempotency-key-required": (400, gettext_noop("This command needs an Idempotency-Key header.")),
    "invalid-parameter": (400, gettext_noop("A query parameter is unknown or has a wrong value.")),
    "malformed-json": (400, gettext_noop("The body is not JSON.")),
    "not-authenticated": (401, gettext_noop("A valid API key is needed.")),
    "missing-scope": (403, gettext_noop("The API key lacks a scope.")),
    "not-found": (404, gettext_noop("Not found in this store.")),
    "method-not-allowed": (405, gettext_noop("Method not allowed here.")),
    "already-reversed": (409, gettext_noop("This redemption has already been reversed.")),
    "code-used": (409, gettext_noop("This code has already been used.")),
    "conflict": (409, gettext_noop("The request does not fit the present state.")),
    "customer-differs": (409, gettext_noop("The order is another customer's.")),
    "customer-erased": (409, gettext_noop("The customer was erased.")),
    "customer-merged": (409, gettext_noop("The customer was merged into another just now.")),
    "endpoint-disabled": (409, gettext_noop("The webhook endpoint is switched off.")),
    "idempotency-key-in-use": (409, gettext_noop("The first request with this Idempotency-Key is still running.")),
    "import-not-ready": (409, gettext_noop("The import is not at the point where this can be done.")),
    "import-was-used": (409, gettext_noop("Something of this import was used since.")),
    "lot-expired": (409, gettext_noop("Some of this value has expired at this very moment.")),
    "not-returnable": (409, gettext_noop("This order is neither cancelled nor refunded.")),
    "nothing-left": (409, gettext_noop("Nothing is left to be returned.")),
    "nothing-to-import": (409, gettext_noop("There is nothing to import.")),
    "order-cancelled": (409, gettext_noop("The order is cancelled.")),
    "part-differs": (409, gettext_noop("This part was sent before with other contents.")),
    "part-out-of-order": (409, gettext_noop("Another part of the file is the next one.")),
    "preview-stale": (409, gettext_noop("Something has changed since this was shown.")),
    "redemption-limit-reached": (409, gettext_noop("This customer has redeemed this reward as often as allowed.")),
    "request-answered": (409, gettext_noop("This request has already been answered.")),
    "reward-inactive": (409, gettext_noop("This reward is not offered at the moment.")),
    "spend-differs": (409, gettext_noop("The order has already used another amount.")),
    "too-many-endpoints": (409, gettext_noop("The store has as many webhook endpoints as it may have.")),
    "totals-differ": (409, gettext_noop("The totals differ, and no reason is given.")),
    "undo-not-possible": (409, gettext_noop("This return cannot be undone.")),
    "precondition-failed": (412, gettext_noop("This has changed since it was read.")),
    "too-large": (413, gettext_noop("The body is larger than 1 MB.")),
    "unsupported-media-type": (415, gettext_noop("The body must be application/json, as it is.")),
    "idempotency-key-reused": (422, gettext_noop("The Idempotency-Key was used for another request.")),
    "insufficient-balance": (422, gettext_noop("The customer's balance is too small.")),
    "invalid": (422, gettext_noop("The request has fields that are wrong.")),
    "not-a-table": (422, gettext_noop("The file cannot be read as a table.")),
    "use-cancel": (422, gettext_noop("An order is cancelled by its own call.")),
    "use-reinstate": (422, gettext_noop("A cancelled order is brought back by its own call.")),
    "too-many-requests": (429, gettext_noop("The API key has sent too many requests.")),
    "internal-error": (500, gettext_noop("Something went wrong here.")),
    "busy": (503, gettext_noop("Somebody else is changing what this request needs.")),
    "unavailable": (503, gettext_noop("The service cannot be reached for a moment.")),
}

# The ``code`` of one entry of ``errors``, beside those above.
FIELDS: Final[Mapping[str, str]] = {
    "address-not-allowed": "The address may not be called: it is not https, or in a private network.",
    "above-total": "More credits than the order's total.",
    "blank": "The text is empty.",
    "cancelled": "A cancelled order takes nothing from the customer.",
    "does-not-fit": "The field does not fit another field.",
    "duplicate": "The list names this twice.",
    "fell-through": "The order is cancelled or refunded.",
    "in-the-past": "The day is before today in the store.",
    "invalid": "The value has the wrong form.",
    "invalid-choice": "The value is none of those that are known.",
    "negative": "The number is below zero.",
    "not-found": "The store has nothing with this id.",
    "not-returned": "The kind that is extended is not returned by the same request.",
    "not-unique": "Another one has this value already.",
    "null": "The value must not be null.",
    "other-customer": "The order is another customer's.",
    "out-of-range": "The number, day or instant is outside what is accepted.",
    "required": "The field is missing.",
    "same": "The customer is the one of the address.",
    "too-far": "The day is too far ahead.",
    "too-fine": "The amount is finer than the currency's unit.",
    "too-large": "The number is too large.",
    "too-long": "The text or list is too long.",
    "too-many-digits": "The number has more than 12 digits.",
    "too-short": "The text or list is too short.",
    "too-small": "The number is too small.",
    "unknown-currency": "There is no such currency.",
    "unknown-field": "There is no field of this name.",
    "zero": "The amount is zero.",
}

# What REST framework calls a wrong field, where it is not simply written with hyphens here.
_FRAMEWORK: Final[Mapping[str, str]] = {
    "does_not_exist": "not-found",
    "empty": "too-short",
    "max_length": "too-long",
    "max_string_length": "too-long",
    "max_value": "too-large",
    "min_length": "too-short",
    "min_value": "too-small",
    "unique": "not-unique",
}


def field_code(framework_code: str) -> str:
    """Our code for a field error of REST framework; what it has no code for is ``invalid``."""
    code = _FRAMEWORK.get(framework_code, framework_code.replace("_", "-"))
    return code if code in FIELDS else "invalid"
