"""What a platform says around the body of a delivery: its topic, whether it is a test, and what tells a repeat."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from loyalty.core.json_keys import NamedTwice, named_once
from loyalty.platforms.http.signatures import header_of
from loyalty.platforms.recognise import disagreement
from loyalty.platforms.registry import PLATFORMS
from loyalty.platforms.shop_platform import Webhooks

_LONGEST_TOPIC: Final = 100
# What is kept of a request: enough to see where it came from and to replay it, no cookies and no proxies' addresses.
_KEPT: Final = (
    *(f"HTTP_{name.replace('-', '_').upper()}" for one in PLATFORMS.values() for name in one.webhooks.headers),
    "HTTP_USER_AGENT",
    "CONTENT_TYPE",
)
_NAMES_ITS_SHOP: Final = ("shop_domain", "store_domain", "myshopify_domain")
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


def open_envelope(
    webhooks: Webhooks, headers: Mapping[str, str], body: bytes, document: Mapping[str, object]
) -> Envelope:
    """The envelope of a signed delivery, whose ``body`` is ``document``."""
    topic, identity = _topic(webhooks, headers, document), _identity(webhooks, headers, document)
    key = sha256(b"%b\n%b" % (topic.encode(errors="replace"), identity.encode() if identity else body)).hexdigest()
    # The database takes neither zero characters nor halves of pairs.
    shown = topic.replace("\0", "").encode(errors="replace").decode()[:_LONGEST_TOPIC]
    refused = disagreement(shown, document) if webhooks.topic_header else ""
    if refused:
        # A number of its own: it must not be taken for a repeat of what came first, nor that for a repeat of it.
        key = sha256(b"refused\n%b\n%b" % (shown.encode(), body)).hexdigest()
    is_test = webhooks.test_header and header_of(headers, webhooks.test_header).lower() == "true"
    return Envelope(shown, key, bool(is_test), refused)


def is_addressed_to(
    webhooks: Webhooks, base_url: str, headers: Mapping[str, str], document: Mapping[str, object]
) -> bool:
    """Whether the shop that the delivery names is the connected one; true where that cannot be told.

    The secret of an app is the same for every shop that installed it, so the signature alone does not tell them apart.
    Headers are not signed, so what the body says of its shop counts as well.
    """
    header, domain = webhooks.shop_header, webhooks.shop_domain
    ours = (urlsplit(base_url).hostname or "").lower() if header else ""
    if not header or not ours.endswith(domain):
        return True
    named = [header_of(headers, header), *_shops_in(document)]
    return all(name.strip().lower() == ours for name in named if name.strip().lower().endswith(domain))


def merchant_of(webhooks: Webhooks, document: Mapping[str, object]) -> str:
    """Whose message it is, by the platform's id in its signed body; "" where it does not say so."""
    merchant = document.get(webhooks.merchant_field) if webhooks.merchant_field else ""
    return merchant.strip() if isinstance(merchant, str) and merchant.isprintable() else ""


def _topic(webhooks: Webhooks, headers: Mapping[str, str], document: Mapping[str, object]) -> str:
    topic = header_of(headers, webhooks.topic_header) if webhooks.topic_header else document.get("topic")
    return topic if isinstance(topic, str) else ""


def _identity(webhooks: Webhooks, headers: Mapping[str, str], document: Mapping[str, object]) -> str:
    """What tells this delivery from others; "": its body does.

    Where each try has an id of its own, that tells repeats apart only where the body cannot: of a deleted order only
    the id is sent, and an order can be deleted twice.
    """
    if not webhooks.id_header or (webhooks.new_id_each_try and not document.keys() <= {"id"}):
        return ""
    return header_of(headers, webhooks.id_header)


def _shops_in(document: Mapping[str, object]) -> Iterator[str]:
    """The shops that a body names, as domains: itself, or in the address of the order's own page."""
    for key in _NAMES_ITS_SHOP:
        if isinstance(name := document.get(key), str):
            yield name
    page = document.get("order_status_url")
    with suppress(ValueError):
        yield (urlsplit(page).hostname or "") if isinstance(page, str) else ""


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
