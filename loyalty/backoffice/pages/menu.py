"""What the menu has of the foundation's own pages."""

from typing import Final

from django.http import HttpRequest
from django.utils.translation import gettext_noop

from loyalty.backoffice.menu import Entry, Section
from loyalty.stores.active_store import may, store_or_none
from loyalty.stores.roles import Can
from loyalty.webhooks.endpoints import endpoints_of
from loyalty.webhooks.models import DisabledBecause


def endpoints_badge(request: HttpRequest) -> str:
    """How many endpoints were switched off because they failed, and wait for somebody; empty for none."""
    store = store_or_none(request)
    if store is None or not may(request, Can.MANAGE_WEBHOOKS):
        return ""
    count = endpoints_of(store).filter(disabled_because__in=(DisabledBecause.FAILING, DisabledBecause.GONE)).count()
    return str(count or "")


ENTRIES: Final = (
    Entry(
        Section.SETTINGS,
        70,
        gettext_noop("Platform connection"),
        "hub",
        "admin:platforms_platformconnection_changelist",
        seen_by=Can.CHANGE_SETTINGS,
    ),
    Entry(
        Section.DEVELOPERS,
        10,
        gettext_noop("API keys"),
        "key",
        "admin:stores_apikey_changelist",
        seen_by=Can.MANAGE_API_KEYS,
    ),
    Entry(
        Section.DEVELOPERS,
        20,
        gettext_noop("Webhook endpoints"),
        "webhook",
        "admin:webhooks_webhookendpoint_changelist",
        seen_by=Can.MANAGE_WEBHOOKS,
        badge=endpoints_badge,
    ),
    Entry(
        Section.DEVELOPERS,
        30,
        gettext_noop("Webhooks sent"),
        "outbox",
        "admin:webhooks_webhookdelivery_changelist",
        seen_by=Can.MANAGE_WEBHOOKS,
    ),
    Entry(
        Section.DEVELOPERS,
        40,
        gettext_noop("Webhook deliveries"),
        "webhook",
        "admin:platforms_inbounddelivery_changelist",
    ),
    Entry(
        Section.DEVELOPERS, 50, gettext_noop("API docs"), "menu_book", link="/api/v1/docs/", seen_by=Can.MANAGE_API_KEYS
    ),
    Entry(Section.AUDIT, 20, gettext_noop("Timeline"), "history", "admin:journal_journalentry_changelist"),
    Entry(Section.AUDIT, 30, gettext_noop("Outgoing messages"), "outgoing_mail", "admin:outbox_message_changelist"),
    Entry(
        Section.STORE,
        10,
        gettext_noop("Staff"),
        "badge",
        "admin:stores_membership_changelist",
        seen_by=Can.MANAGE_STAFF,
    ),
)
