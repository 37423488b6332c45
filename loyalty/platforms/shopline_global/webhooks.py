"""The webhooks of SHOPLINE Global: what is peculiar to them beside those of Shopify's style."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from loyalty.platforms.documents import kinds
from loyalty.platforms.documents.messages import order_named
from loyalty.platforms.http.signatures import Signed, digest, in_base64, is_any
from loyalty.platforms.meaning import Meaning
from loyalty.platforms.shop_platform import Webhooks
from loyalty.platforms.shopify_style import webhooks as alike


def _is_signed(request: Signed, secrets: Sequence[bytes], now: datetime) -> bool:
    # Their own library compares hexadecimal digits, their documentation makes base64.
    given = request.headers.get("x-shopline-hmac-sha256", "")
    macs = [digest(secret, request.body) for secret in secrets]
    return is_any(given.lower(), (mac.hex() for mac in macs)) | is_any(given, map(in_base64, macs))


def _meaning_of(topic: str, document: Mapping[str, object]) -> Meaning:
    if topic.startswith("order_transactions/"):
        return order_named(document, "order_id")
    return alike.meaning_of(topic, document)


WEBHOOKS: Final = Webhooks(
    is_signed=_is_signed,
    meaning_of=_meaning_of,
    topics=alike.TOPICS,
    fetched_topic=alike.FETCHED,
    signs=(*alike.SIGNS, kinds.sign(kinds.A_TRANSACTION, "pay_seq"), kinds.sign(kinds.OF_THE_APP, "appkey", "operate")),
    headers=("x-shopline-",),
    topic_header="x-shopline-topic",
    id_header="x-shopline-webhook-id",
    shop_header="x-shopline-shop-domain",
    shop_domain=".myshopline.com",
)
