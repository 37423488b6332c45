"""Setting up endpoints: made, changed, given a new secret, switched off and on, removed, tested."""

import secrets
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.core.encryption import Secret
from loyalty.core.errors import Conflict, Invalid, NotFound
from loyalty.core.phrases import enumerated
from loyalty.journal.record import Event, Happening, record
from loyalty.outbox.send import Later, send_later
from loyalty.partners.http import NotAllowed, check_url
from loyalty.stores.actors import Actor
from loyalty.stores.models import Store
from loyalty.webhooks.events import TEST, WebhookEvent
from loyalty.webhooks.fan_out import TOPIC
from loyalty.webhooks.models import DisabledBecause, WebhookEndpoint

# Every entry of the journal is compared with all of a store's endpoints.
MOST_ENDPOINTS: Final = 20
# How long deliveries are signed with the secret before as well, unless the caller says otherwise.
OVERLAP: Final = timedelta(hours=24)
LONGEST_OVERLAP: Final = timedelta(days=7)
_SECRET_BYTES: Final = 32


class TooManyEndpoints(Conflict):
    """A store has a limited number of endpoints."""

    code = "too-many-endpoints"
    title = gettext_noop("The store has as many webhook endpoints as it may have.")


class EndpointDisabled(Conflict):
    """A disabled endpoint is told nothing; enable it first."""

    code = "endpoint-disabled"
    title = gettext_noop("The webhook endpoint is switched off.")


@dataclass(frozen=True, slots=True)
class EndpointValues:
    """What is said about an endpoint; None leaves a value as it is."""

    url: str | None = None
    description: str | None = None
    events: Sequence[str] | None = None
    enabled: bool | None = None


def endpoints_of(store: Store) -> "QuerySet[WebhookEndpoint]":
    """The endpoints of ``store`` that were not removed."""
    return WebhookEndpoint.objects.for_store(store).filter(deleted_at__isnull=True)


@transaction.atomic
def create_endpoint(
    *, store: Store, values: EndpointValues, actor: Actor, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint, and its secret, which is told only now.

    Raises Invalid for an address that may not be called and for events that are none, TooManyEndpoints.
    """
    url, events = _checked_url(values.url or ""), _checked_events(values.events or ())
    # Two at once are one behind the other here, so that both count.
    Store.objects.select_for_update(no_key=True).get(pk=store.pk)
    if endpoints_of(store).count() >= MOST_ENDPOINTS:
        raise TooManyEndpoints(
            _("This store has %(most_endpoints)s webhook endpoints; remove one first.")
            % {"most_endpoints": MOST_ENDPOINTS}
        )
    secret = _new_secret()
    endpoint: WebhookEndpoint = WebhookEndpoint.objects.create(
        store=store,
        url=url,
        description=values.description or "",
        events=events,
        secret=Secret.of(secret),
        disabled_at=now if values.enabled is False else None,
        disabled_because=DisabledBecause.PERSON if values.enabled is False else "",
        created_at=now,
        updated_at=now,
    )
    note_change(endpoint, "created", actor=actor, now=now)
    return endpoint, secret


@transaction.atomic
def change_endpoint(
    *, store: Store, endpoint_id: int, values: EndpointValues, actor: Actor, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """Change what is given; answers the endpoint and, when its address changed, its new secret, told only now.

    What one address could verify says nothing to another: nothing is signed there with the secret of before (T8).
    Enabling forgets failures. Raises Invalid as :func:`create_endpoint`, NotFound (T1).
    """
    endpoint, secret = _locked(store, endpoint_id), ""
    before = _state(endpoint)
    if values.url is not None and values.url != endpoint.url:
        endpoint.url, secret = _checked_url(values.url), _new_secret()
        endpoint.secret, endpoint.previous_secret, endpoint.previous_secret_until = Secret.of(secret), Secret(), None
    if values.description is not None:
        endpoint.description = values.description
    if values.events is not None:
        endpoint.events = _checked_events(values.events)
    if values.enabled is not None and values.enabled != endpoint.enabled:
        switch(endpoint, None if values.enabled else DisabledBecause.PERSON, now=now)
    if _state(endpoint) != before:
        endpoint.updated_at = now
        endpoint.save_changes()
        note_change(endpoint, _change_of(values, before), actor=actor, now=now)
    return endpoint, secret


@transaction.atomic
def rotate_secret(
    *, store: Store, endpoint_id: int, overlap: timedelta = OVERLAP, actor: Actor, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """Give an endpoint a new secret, told only now; for ``overlap`` deliveries carry a signature of each.

    Raises Invalid for an overlap beyond seven days, NotFound (T1).
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid.at("/overlap_hours", _("The old secret may live for 0 to 168 hours."), code="out-of-range")
    endpoint, secret = _locked(store, endpoint_id), _new_secret()
    endpoint.previous_secret = endpoint.secret if overlap else Secret()
    endpoint.previous_secret_until = now + overlap if overlap else None
    endpoint.secret, endpoint.updated_at = Secret.of(secret), now
    endpoint.save_changes()
    note_change(endpoint, "rotated", actor=actor, now=now)
    return endpoint, secret


@transaction.atomic
def remove_endpoint(*, store: Store, endpoint_id: int, actor: Actor, now: datetime) -> None:
    """Remove an endpoint and its secrets; what was delivered stays on record. Raises NotFound (T1)."""
    endpoint = _locked(store, endpoint_id)
    if endpoint.enabled:
        switch(endpoint, DisabledBecause.PERSON, now=now)
    endpoint.secret = endpoint.previous_secret = Secret()
    endpoint.previous_secret_until, endpoint.deleted_at, endpoint.updated_at = None, now, now
    endpoint.save_changes()
    note_change(endpoint, "removed", actor=actor, now=now)


@transaction.atomic
def send_test(*, store: Store, endpoint_id: int, now: datetime) -> None:
    """Send an endpoint an event of type ``webhook.test``. Raises EndpointDisabled, NotFound (T1)."""
    endpoint = _locked(store, endpoint_id)
    if not endpoint.enabled:
        raise EndpointDisabled(_("Switch the endpoint on first; until then it is told nothing."))
    body = {"endpoint": endpoint.pk, "type": TEST}
    send_later([Later(store.pk, TOPIC, f"webhook-test:{uuid4().hex}", body, lane=endpoint.lane)], now=now)


def switch(endpoint: WebhookEndpoint, because: DisabledBecause | None, *, now: datetime) -> None:
    """Disable for a reason or, without one, enable with a clean slate; the caller holds the lock and saves."""
    endpoint.disabled_at, endpoint.disabled_because = (now, because) if because else (None, "")
    if because is None:
        endpoint.failures, endpoint.failing_since, endpoint.paused_until = 0, None, None


def note_change(endpoint: WebhookEndpoint, change: str, *, actor: Actor, now: datetime) -> None:
    """Record who changed an endpoint; the address itself stays out of the journal, it may carry a password."""
    data = {"endpoint": str(endpoint.pk), "change": change, "because": endpoint.disabled_because}
    record([Happening(endpoint.store_id, Event.WEBHOOK_CHANGED, data=data)], actor=actor, now=now)


def _locked(store: Store, endpoint_id: int) -> WebhookEndpoint:
    endpoint = endpoints_of(store).select_for_update(no_key=True).filter(pk=endpoint_id).first()
    if endpoint is None:
        raise NotFound(_("This store has no webhook endpoint with the id %(id)s.") % {"id": endpoint_id})
    return endpoint


def _state(endpoint: WebhookEndpoint) -> tuple[Any, ...]:
    return endpoint.url, endpoint.description, tuple(endpoint.events), endpoint.disabled_at


def _change_of(values: EndpointValues, before: tuple[Any, ...]) -> str:
    was_enabled = before[-1] is None
    if values.enabled is None or values.enabled == was_enabled:
        return "changed"
    return "enabled" if values.enabled else "disabled"


def _checked_url(url: str) -> str:
    try:
        check_url(url)
    except NotAllowed as error:
        raise Invalid.at("/url", str(error), code="address-not-allowed") from error
    return url


def _checked_events(events: Sequence[str]) -> list[str]:
    if not events:
        raise Invalid.at("/events", _("Choose at least one event."), code="too-short")
    for index, event in enumerate(events):
        if event not in set(WebhookEvent):
            known = enumerated(WebhookEvent)
            raise Invalid.at(
                f"/events/{index}",
                _("“%(event)s” is not an event. These are known: %(known)s.") % {"event": event, "known": known},
                code="invalid-choice",
            )
    return [event.value for event in WebhookEvent if event in events]


def _new_secret() -> str:
    """A secret as Standard Webhooks write it; the prefix lets scanners find one that leaked."""
    return f"whsec_{b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"
