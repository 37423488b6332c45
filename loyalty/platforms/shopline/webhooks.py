"""The webhooks of SHOPLINE in Asia, whose topic is in the signed body.

What it signs is JSON that it writes anew: keys sorted at every level, no blanks, and sometimes with ``<``, ``>`` and
``&`` escaped. The raw body is tried first, then these forms; numbers keep the text they came with.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from loyalty.platforms import meaning
from loyalty.platforms.documents import kinds
from loyalty.platforms.documents.messages import id_in, is_whole, order_in, order_named
from loyalty.platforms.documents.read import Fields
from loyalty.platforms.http.signatures import Signed, digest, is_any
from loyalty.platforms.shop_platform import Webhooks
from loyalty.platforms.shopline.mapping import PAYMENT_WORDS

# The header with the second in which it signed.
_SIGNED_AT: Final = "x-shopline-developer-event-timestamp"
# A delivery is refused when it was signed longer ago, or farther ahead: it may be a replay.
REPLAY_WINDOW: Final = timedelta(minutes=15)
_LONGEST_TIMESTAMP: Final = 12
_TOPICS: Final = {
    "order": kinds.AN_ORDER,
    "order_payment": kinds.AN_ORDER,
    "order_delivery": kinds.AN_ORDER,
    "return_order": kinds.A_RETURN,
    "pos_return_order": kinds.A_RETURN,
    "promotion": "a promotion",
    "customer": kinds.A_CUSTOMER,
    "user": kinds.A_CUSTOMER,
    "user_credit": "a change of credits",
    "member_point": "a change of points",
    "product": kinds.A_PRODUCT,
    "merchant": kinds.OF_THE_SHOP,
    "application": kinds.OF_THE_APP,
}  # fmt: skip
# What a payment's own message is believed; of anything else the order is asked.
_BELIEVED: Final = frozenset({"failed", "expired", "paid"})


def _meaning_of(topic: str, document: Mapping[str, object]) -> meaning.Meaning:
    about, _, what = topic.partition("/")
    resource = Fields(document).child("resource").values
    if topic == "application/uninstall":
        return meaning.Uninstalled()
    if about == "order":
        return meaning.DeletedOrder(id_in(resource, "_id", "id")) if what == "remove" else order_in(resource)
    if about == "order_payment":
        return _payment(resource)
    if about in ("order_delivery", "return_order"):
        return meaning.WholeOrder(resource) if is_whole(resource) else order_named(resource, "order_id")
    return meaning.NOT_USED


def _payment(resource: Mapping[str, object]) -> meaning.Meaning:
    if is_whole(resource):
        return meaning.WholeOrder(resource)
    payment = Fields(resource, "resource")
    status = PAYMENT_WORDS.get(payment.text("status").lower(), "")
    external_id = payment.identifier("order_id")
    if not external_id:
        return meaning.NAMELESS
    if status not in _BELIEVED:
        return meaning.NamedOrder(external_id)
    return meaning.PaymentNews(external_id, status, payment.instant("updated_at", without_offset_is_utc=True))


def _is_signed(request: Signed, secrets: Sequence[bytes], now: datetime) -> bool:
    timestamp = request.headers.get(_SIGNED_AT, "")
    if not _is_recent(timestamp, now):
        return False
    for form in _forms(request.body):
        signed = b"%b:%b" % (timestamp.encode(), form)
        if is_any(request.sign.lower(), (digest(secret, signed).hex() for secret in secrets)):
            return True
    return False


def _is_recent(timestamp: str, now: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _LONGEST_TIMESTAMP):
        return False
    signed_at = timedelta(seconds=int(timestamp))
    return abs(now - datetime(1970, 1, 1, tzinfo=UTC) - signed_at) <= REPLAY_WINDOW


def _forms(body: bytes) -> Iterator[bytes]:
    """The texts that SHOPLINE may have signed, the raw body first."""
    yield body
    try:
        plain = _sorted(json.loads(body, parse_float=_Number, parse_int=_Number, parse_constant=_Number))
    except (ValueError, RecursionError):
        return
    yield plain.encode(errors="surrogatepass")
    escaped = plain
    for character in "<>&\u2028\u2029":
        escaped = escaped.replace(character, f"\\u{ord(character):04x}")
    yield escaped.encode(errors="surrogatepass")


class _Number(str):
    """A number as it was written: 1.10 stays 1.10."""

    __slots__ = ()


def _sorted(value: object) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return f"{{{','.join(f'{_sorted(key)}:{_sorted(value[key])}' for key in sorted(value))}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_sorted, value))}]"
    return json.dumps(value, ensure_ascii=False)


WEBHOOKS: Final = Webhooks(
    is_signed=_is_signed,
    meaning_of=_meaning_of,
    topics=_TOPICS,
    fetched_topic="order/fetched",
    signs=(kinds.sign(kinds.A_RETURN, "return_order_number"), kinds.sign(kinds.A_CUSTOMER, "credit_balance")),
    headers=("x-shopline-",),
    merchant_field="merchant_id",
    signed_at_header=_SIGNED_AT,
)
