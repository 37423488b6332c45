"""Errors to Sentry, where SENTRY_DSN is set; imported by nobody otherwise.

What is logged as an error is sent, as :mod:`loyalty.core.logs` would write it: where it happened, and nothing that was
entered. No other integration is on, and personal data is off, as it is unless somebody switches it on: nothing else of
a request, a statement or a person is looked at.
"""

import logging
from typing import Any, Final

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.types import Event, Hint

import loyalty
from loyalty.core.causes import cause
from loyalty.core.logs import what_failed, without_rows, without_secrets

# What is left of an event; all else could name somebody.
_KEPT: Final = (
    *("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "sdk", "contexts"),
    *("exception", "logentry", "tags"),
)


def start(dsn: str, **options: Any) -> None:
    """Send errors to this address from now on; ``options`` are the library's."""
    sentry_sdk.init(
        dsn=dsn,
        release=loyalty.__version__,
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[LoggingIntegration(level=None, event_level=logging.ERROR), AtexitIntegration()],
        before_send=discreet,
        **options,
    )


def discreet(event: Event, hint: Hint) -> Event:
    """The event without whatever may say who somebody is, and with the ids of its request and run."""
    kept: Any = {name: value for name, value in event.items() if name in _KEPT}
    errors = kept.get("exception", {}).get("values", [])
    for error in errors:
        error["value"] = ""
    if errors and hint.get("exc_info"):
        # The last one is the one that was raised; those before it led to it.
        errors[-1]["value"] = without_secrets(what_failed(hint["exc_info"][1]))
    if said := kept.get("logentry"):
        line = said.get("formatted") or said.get("message") or ""
        kept["logentry"] = {"message": without_secrets(without_rows(line))}
    known = cause()
    kept["tags"] = {"request_id": known.request_id, "job_id": known.job_id, "doing": known.doing}
    only: Event = kept
    return only
