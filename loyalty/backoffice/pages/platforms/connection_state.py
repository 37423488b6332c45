"""How a connection is doing, in words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.backoffice.badges import DASH, count_to
from loyalty.languages.retell import retell
from loyalty.outbox.topics import words_of
from loyalty.platforms.connections.check import being_asked
from loyalty.platforms.models import FAILING_STATES, InboundDelivery, PlatformConnection
from loyalty.platforms.registry import PLATFORMS
from loyalty.stores.dates import show_moment

_COUNTED_TO: Final = 99
_SECRETS: Final = {
    "access_token": gettext_noop("Access token"),
    "consumer_key": gettext_noop("Consumer key"),
    "consumer_secret": gettext_noop("Consumer secret"),
    "webhook_secret": gettext_noop("Webhook secret"),
}


@dataclass(frozen=True, slots=True)
class Summary:
    """One connection in a line: its state, what is wrong, what to do next."""

    id: int
    label: str
    state: str
    colour: str
    words: str
    failing: int
    last_delivery: str


def is_new(connected: PlatformConnection) -> bool:
    """Whether it was ended and holds nothing: connecting begins from the start."""
    return not connected.enabled


def summary_of(connected: PlatformConnection, now: datetime) -> Summary:
    """The line of a connection; two queries."""
    state, colour, words = _state(connected)
    return Summary(
        id=connected.pk,
        label=str(connected),
        state=state,
        colour=colour,
        words=words,
        failing=_failing(connected),
        last_delivery=_last_delivery(connected),
    )


def asking_words(connected: PlatformConnection) -> list[str]:
    """What the platform has been asked and has not answered yet: a sentence each."""
    return [
        (
            _("%(what)s: asked %(moment)s, waiting for the answer. %(error)s")
            % {
                "what": words_of(asked.topic),
                "moment": show_moment(asked.created_at, connected.store),
                "error": retell(asked.last_error),
            }
        ).rstrip()
        for asked in being_asked(connected)
    ]


def facts_of(connected: PlatformConnection, now: datetime) -> list[tuple[str, str]]:
    """What is known about a connection, name and value; credentials only as stored or not."""
    store = connected.store
    facts = [(_("Shop address"), connected.base_url or DASH)]
    kept = (*PLATFORMS[connected.platform].connecting.credentials, "webhook_secret")
    facts += [(_(_SECRETS[name]), _("stored") if getattr(connected, name) else _("not entered")) for name in kept]
    facts.append((_("Webhooks"), connected.get_webhooks_display()))
    until = connected.previous_secret_until
    if until and now < until:
        facts.append((_("Old webhook secret"), _("accepted until %(moment)s") % {"moment": show_moment(until, store)}))
    facts.append((_("Last checked"), show_moment(connected.last_checked_at, store) or _("not yet")))
    facts.append((_("Orders fetched up to"), show_moment(connected.polled_to, store) or _("not yet")))
    return facts


def _state(connected: PlatformConnection) -> tuple[str, str, str]:
    if not connected.enabled:
        return _("Disconnected"), "orange", _("Nothing is received. Connect again to go on.")
    if connected.uninstalled_at:
        return _("Uninstalled"), "red", retell(connected.last_error)
    if connected.last_error:
        return _("Needs attention"), "red", retell(connected.last_error)
    if not connected.may_be_called:
        return _("Webhooks only"), "blue", _("Webhooks are received. Enter an access token to catch what they miss.")
    if connected.last_checked_at is None:
        return _("Not tested yet"), "orange", _("Test the connection, then register the webhooks.")
    return _("Connected"), "green", connected.last_answer


def _failing(connected: PlatformConnection) -> int:
    rows = InboundDelivery.objects.for_store(connected.store).filter(state__in=FAILING_STATES)
    return count_to(_COUNTED_TO, rows.filter(platform=connected.platform))


def _last_delivery(connected: PlatformConnection) -> str:
    """When the platform was last heard, tests included; deliveries are deleted after a while."""
    rows = InboundDelivery.objects.for_store(connected.store).filter(platform=connected.platform).order_by("-id")
    newest = rows.values_list("received_at", flat=True).first() or connected.last_delivery_at
    return show_moment(newest, connected.store) or _("none yet")
