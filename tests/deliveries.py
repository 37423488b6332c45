"""Webhooks as the platforms send them: signed, with their headers."""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import count
from typing import Any

from django.http import HttpResponse
from django.test import Client

from loyalty.core.encryption import Secret
from loyalty.platforms.models import PlatformConnection
from loyalty.stores.models import Store
from tests.factories import BEFORE, NOW

SECRET = "shpss_5f0c8a7e6d"
_numbers = count(1)


def connect_store(
    store: Store, platform: str = "shopify", *, secret: str = SECRET, **fields: Any
) -> PlatformConnection:
    """A connection whose webhooks are signed with ``secret``."""
    values = {"webhook_secret": Secret.of(secret), "created_at": BEFORE, "updated_at": BEFORE}
    connected: PlatformConnection = PlatformConnection.unscoped.create(
        store=store, platform=platform, **(values | fields)
    )
    return connected


@dataclass(frozen=True)
class Delivery:
    """One webhook, ready to be sent, and sent again."""

    platform: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    content_type: str = "application/json"

    def path(self, store: Store | str) -> str:
        return f"/hooks/{self.platform}/{store if isinstance(store, str) else store.slug}/{self.query}"

    def send(self, store: Store | str) -> HttpResponse:
        """Post it to a store; any client will do, platforms have no cookies."""
        client = Client(headers=dict(self.headers))
        return client.post(self.path(store), self.body, content_type=self.content_type)  # type: ignore[return-value]


def body_of(document: Any) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()


def mac(secret: str, signed: bytes) -> bytes:
    return hmac.digest(secret.encode(), signed, sha256)


def shopify(
    document: Any, topic: str = "orders/updated", *, secret: str = SECRET, webhook_id: str = "", **headers: str
) -> Delivery:
    """A delivery of Shopify with an id of its own, unless one is given."""
    body = body_of(document)
    named = {
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": base64.b64encode(mac(secret, body)).decode(),
        "X-Shopify-Webhook-Id": webhook_id or f"webhook-{next(_numbers)}",
        "User-Agent": "Shopify-Captain-Hook",
    }
    return Delivery("shopify", body, named | {name.replace("_", "-"): value for name, value in headers.items()})


def woocommerce(document: Any, topic: str = "order.updated", *, secret: str = SECRET) -> Delivery:
    """A delivery of WooCommerce; each try has an id of its own."""
    body = body_of(document)
    headers = {
        "X-WC-Webhook-Source": "https://shop.example.com/",
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Signature": base64.b64encode(mac(secret, body)).decode(),
        "X-WC-Webhook-ID": "5",
        "X-WC-Webhook-Delivery-ID": f"{next(_numbers):032x}",
    }
    return Delivery("woocommerce", body, headers)


def shopline(
    resource: Any, topic: str = "order/update", *, secret: str = SECRET, now: datetime = NOW, body: bytes | None = None
) -> Delivery:
    """A delivery of SHOPLINE in Asia, signed at ``now`` over its raw body."""
    envelope = {"event": "Order", "merchant_id": "5dad5d2604515400018dcc90", "resource": resource, "topic": topic}
    body = body_of(envelope) if body is None else body
    timestamp = str(int(now.timestamp()))
    sign = mac(secret, timestamp.encode() + b":" + body).hex()
    return Delivery("shopline", body, {"X-Shopline-Developer-Event-Timestamp": timestamp}, f"?sign={sign}")


def shopline_global(document: Any, topic: str = "orders/updated", *, secret: str = SECRET) -> Delivery:
    """A delivery of SHOPLINE Global, its digest in base64."""
    body = body_of(document)
    headers = {
        "X-Shopline-Topic": topic,
        "X-Shopline-Hmac-Sha256": base64.b64encode(mac(secret, body)).decode(),
        "X-Shopline-Webhook-Id": f"webhook-{next(_numbers)}",
    }
    return Delivery("shopline_global", body, headers)
