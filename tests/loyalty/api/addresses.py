"""Every address of the API with its methods, out of the resolver: a new one is there by itself."""

import re
from collections.abc import Iterator
from typing import Any, Final

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

METHODS: Final = ("GET", "POST", "PATCH", "DELETE")
_PART: Final = re.compile(r"<(?:\w+:)?(\w+)>")


def _views(patterns: Any = None, prefix: str = "/") -> Iterator[tuple[str, type[APIView]]]:
    for pattern in get_resolver("loyalty.api.urls").url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns, f"{prefix}{pattern.pattern}")
        elif isinstance(pattern, URLPattern) and pattern.name:
            view: Any = pattern.callback
            yield f"{prefix}{pattern.pattern}", view.view_class


ADDRESSES: Final = dict(_views())
OPERATIONS: Final = [
    (method, address) for address, view in ADDRESSES.items() for method in METHODS if hasattr(view, method.lower())
]


def filled(address: str, **parts: object) -> str:
    """The address with these parts, such as ``order_id``. Raises KeyError for a part that nobody has thought of."""
    return _PART.sub(lambda part: str(parts[part[1]]), address)


def filled_with(address: str, text: str) -> str:
    """The address with this text in every part."""
    return _PART.sub(lambda _: text, address)
