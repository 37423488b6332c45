"""WooCommerce's webhooks."""

from collections.abc import Mapping
from typing import Final

from loyalty.platforms import meaning
from loyalty.platforms.documents import kinds
from loyalty.platforms.documents.messages import id_in, order_in
from loyalty.platforms.http.signatures import in_header
from loyalty.platforms.shop_platform import Webhooks

_HEADERS: Final = "x-wc-webhook-"
_TOPICS: Final = {
    "order": kinds.AN_ORDER,
    "order.deleted": kinds.A_DELETED_ORDER,
    "refund": kinds.A_REFUND,
    "coupon": kinds.A_COUPON,
    "customer": kinds.A_CUSTOMER,
    "product": kinds.A_PRODUCT,
}  # fmt: skip


def _meaning_of(topic: str, document: Mapping[str, object]) -> meaning.Meaning:
    about, _, what = topic.partition(".")
    if about != "order":
        return meaning.NOT_USED
    if what == "deleted":
        return meaning.DeletedOrder(id_in(document, "id"))
    return order_in(document, restored=what == "restored")


def _is_greeting(headers: Mapping[str, str], body: bytes) -> bool:
    """When a webhook is made: a form with nothing but ``webhook_id``, unsigned.

    It must be answered with exactly 200, or WooCommerce does not switch the webhook on.
    """
    name, _, number = body.partition(b"=")
    plain = not any(header.startswith(_HEADERS) for header in headers)
    return plain and name == b"webhook_id" and number.isdigit()


WEBHOOKS: Final = Webhooks(
    is_signed=in_header("x-wc-webhook-signature"),
    meaning_of=_meaning_of,
    topics=_TOPICS,
    fetched_topic="order.fetched",
    signs=(
        kinds.sign(kinds.A_REFUND, "refunded_by"),
        kinds.sign(kinds.A_COUPON, "code", "discount_type"),
        kinds.sign(kinds.A_CUSTOMER, "is_paying_customer"),
        kinds.sign(kinds.A_PRODUCT, "stock_status"),
        kinds.sign("a webhook's own greeting", "webhook_id"),
    ),
    headers=(_HEADERS,),
    topic_header="x-wc-webhook-topic",
    # WooCommerce itself never tries again, but every try has an id of its own.
    id_header="x-wc-webhook-delivery-id",
    new_id_each_try=True,
    is_greeting=_is_greeting,
)
