"""What a platform says around the body of a delivery: its topic, whether it is a test, and what tells a repeat."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from loyalty.core.unique_keys import NamedTwice, named_once
from loyalty.platforms.documents.recognise import disagreement

_LONGEST_TOPIC: Final = 100
# What is kept of a request: enough to see where it came from and to replay it, no cookies and no proxies' addresses.
_KEPT: Final = (
    "HTTP_X_SHOPIFY_", "HTTP_SHOPIFY_", "HTTP_X_WC_WEBHOOK_", "HTTP_X_SHOPLINE_", "HTTP_USER_AGENT", "CONTENT_TYPE",
)  # fmt: skip
_LONGEST_HEADER: Final = 500


@dataclass(frozen=True, slots=True)
class Envelope:
    """``key`` is the same for a repeat of a delivery and no other. ``refused``: why it is not to be believed."""

    topic: str
    key: str
    is_test: bool = False
    refused: str = ""


class NotAnObject(ValueError):
    """The body is no JSON object."""


def headers_of(meta: Mapping[str, Any]) -> dict[str, str]:
    """The headers of a WSGI environment that are read here and stored with a delivery, their names in small letters."""
    return {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value[:_LONGEST_HEADER]
        for name, value in meta.items()
        if name.startswith(_KEPT) and isinstance(value, str)
    }


def open_envelope(platform: str, headers: Mapping[str, str], body: bytes, document: Mapping[str, object]) -> Envelope:
    """The envelope of a signed delivery, whose ``body`` is ``document``."""
    topic, identity, is_test = _READERS[platform](headers, document)
    said = identity.encode() if identity else body
    key = sha256(b"%b\n%b" % (topic.encode(errors="replace"), said)).hexdigest()
    # The database takes neither zero characters nor halves of pairs.
    shown = topic.replace("\0", "").encode(errors="replace").decode()[:_LONGEST_TOPIC]
    refused = disagreement(shown, document) if platform in TOPIC_UNSIGNED else ""
    if refused:
        # A number of its own: it must not be taken for a repeat of what came first, nor that for a repeat of it.
        key = sha256(b"refused\n%b\n%b" % (shown.encode(), body)).hexdigest()
    return Envelope(shown, key, is_test, refused)


def is_ping(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether this is WooCommerce's greeting when a webhook is made: a form with nothing but ``webhook_id``, unsigned.

    It must be answered with exactly 200, or WooCommerce does not switch the webhook on.
    """
    name, _, number = body.partition(b"=")
    plain = not any(header.startswith("x-wc-webhook-") for header in headers)
    return plain and name == b"webhook_id" and number.isdigit()


def is_addressed_to(platform: str, base_url: str, headers: Mapping[str, str], document: Mapping[str, object]) -> bool:
    """Whether the shop that the delivery names is the connected one; true where that cannot be told.

    The secret of an app is the same for every shop that installed it, so the signature alone does not tell them apart.
    Headers are not signed, so what the body says of its shop counts as well.
    """
    header, domain = _SHOPS.get(platform, ("", ""))
    ours = (urlsplit(base_url).hostname or "").lower() if header else ""
    if not header or not ours.endswith(domain):
        return True
    named = [headers.get(header) or headers.get(header.removeprefix("x-"), ""), *_shops_in(document)]
    return all(name.strip().lower() == ours for name in named if name.strip().lower().endswith(domain))


def merchant_of(platform: str, document: Mapping[str, object]) -> str:
    """Whose message it is, by the platform's id in its signed body; "" where it does not say so."""
    merchant = document.get("merchant_id") if platform in NAMES_ITS_MERCHANT else ""
    return merchant.strip() if isinstance(merchant, str) and merchant.isprintable() else ""


def _shops_in(document: Mapping[str, object]) -> Iterator[str]:
    """The shops that a body names, as domains: itself, or in the address of the order's own page."""
    for key in _NAMES_ITS_SHOP:
        if isinstance(name := document.get(key), str):
            yield name
    page = document.get("order_status_url")
    with suppress(ValueError):
        yield (urlsplit(page).hostname or "") if isinstance(page, str) else ""


# Where a delivery names its shop, and what the names of all shops there end in.
_SHOPS: Final = {
    "shopify": ("x-shopify-shop-domain", ".myshopify.com"),
    "shopline_global": ("x-shopline-shop-domain", ".myshopline.com"),
}

# Where the signed body says whose message it is, and nothing else does.
NAMES_ITS_MERCHANT: Final = frozenset({"shopline"})
_NAMES_ITS_SHOP: Final = ("shop_domain", "store_domain", "myshopify_domain")

# Where the topic stands in a header, which no signature covers; SHOPLINE in Asia has it in the signed body.
TOPIC_UNSIGNED: Final = frozenset({"shopify", "woocommerce", "shopline_global"})

# Topic, what tells this delivery from others ("": its body does), whether it is a test.
_Read = tuple[str, str, bool]


def _shopify(headers: Mapping[str, str], document: Mapping[str, object]) -> _Read:
    def header(name: str) -> str:
        return headers.get(f"x-shopify-{name}") or headers.get(f"shopify-{name}", "")

    return header("topic"), header("webhook-id"), header("test").lower() == "true"


def _woocommerce(headers: Mapping[str, str], document: Mapping[str, object]) -> _Read:
    # Each try has an id of its own, so it tells repeats apart only where the body cannot: of a deleted order only the
    # id is sent, and an order can be deleted twice. WooCommerce itself never tries again.
    only_an_id = document.keys() <= {"id"}
    return headers.get("x-wc-webhook-topic", ""), headers.get("x-wc-webhook-delivery-id", "") * only_an_id, False


def _shopline(headers: Mapping[str, str], document: Mapping[str, object]) -> _Read:
    topic = document.get("topic")
    return topic if isinstance(topic, str) else "", "", False


def _shopline_global(headers: Mapping[str, str], document: Mapping[str, object]) -> _Read:
    return headers.get("x-shopline-topic", ""), headers.get("x-shopline-webhook-id", ""), False


_READERS: Final[Mapping[str, Callable[[Mapping[str, str], Mapping[str, object]], _Read]]] = {
    "shopify": _shopify,
    "woocommerce": _woocommerce,
    "shopline": _shopline,
    "shopline_global": _shopline_global,
}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


# Python refuses numbers of thousands of digits by itself; those between them are not looked at here.
_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=named_once)


def document_of(body: bytes) -> Mapping[str, object]:
    """The JSON object that a body is, its numbers not looked at. Raises NotAnObject."""
    try:
        document = _DECODER.decode(body.decode())
    except NamedTwice as error:
        raise NotAnObject(str(error)) from None
    except (ValueError, RecursionError):
        raise NotAnObject from None
    if not isinstance(document, dict):
        raise NotAnObject
    return document
