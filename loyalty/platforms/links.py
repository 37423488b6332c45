"""Addresses of pages in a shop platform's own back-office, for staff who go on there."""

import re
from typing import Final
from urllib.parse import urlsplit

from loyalty.platforms.registry import PLATFORMS

# An id is a number, alone or at the end of Shopify's gid://shopify/DiscountCodeNode/1.
_NUMBER: Final = re.compile(r"(?:gid://shopify/\w+/)?([0-9]{1,20})", re.ASCII)


def discount_page(platform: str, *, base_url: str, reference: str) -> str:
    """Where the shop behind ``base_url`` shows the discount ``reference``; "" where no such page is known.

    Whatever is stored, the address is one of that shop's own host, of http or https, and holds nothing but the number.
    """
    known, number = PLATFORMS.get(platform), _NUMBER.fullmatch(reference)
    page, shop = known.discount_page if known else "", _shop(base_url)
    return shop + page.format(number=number[1]) if page and number and shop else ""


def _shop(base_url: str) -> str:
    """Scheme, host and path of a shop's address; "" for anything else."""
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    is_plain = base_url.isprintable() and not set(base_url) & set(" \\\"'<>@")
    if parts.scheme not in ("http", "https") or not host or not is_plain or parts.query or parts.fragment:
        return ""
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
