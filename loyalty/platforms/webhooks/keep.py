"""Keeping what a platform answered and could not be recorded, beside its webhooks: staff see it and may try again."""

import json
from datetime import datetime
from hashlib import sha256

from django.core.serializers.json import DjangoJSONEncoder

from loyalty.core.storable_text import storable
from loyalty.platforms.http.protocol import Document
from loyalty.platforms.models import DeliveryState, InboundDelivery, PlatformConnection
from loyalty.platforms.registry import PLATFORMS


def keep_unread(connection: PlatformConnection, document: Document, *, error: str, now: datetime) -> None:
    """Keep an order that was fetched and could not be recorded, with why, as a failed delivery; the same one once."""
    # What was fetched reads as a message about an order would.
    webhooks = PLATFORMS[connection.platform].webhooks
    whole = document if webhooks.topic_header else {"topic": webhooks.fetched_topic, "resource": document}
    body = json.dumps(whole, cls=DjangoJSONEncoder).encode()
    InboundDelivery.objects.for_store(connection.store).get_or_create(
        store=connection.store,
        platform=connection.platform,
        key=sha256(b"fetched\n" + body).hexdigest(),
        defaults={
            "topic": webhooks.fetched_topic,
            "body": body,
            "received_at": now,
            "state": DeliveryState.FAILED,
            "attempts": 1,
            "last_error": storable(error),
        },
    )
