"""The addresses of the back-office: a page of a store has the store in it (T5).

A store is a mount point: ``/admin/blue-lantern/`` is for its pages what ``SCRIPT_NAME`` is for a program. While a
request is answered there, every ``reverse()``, every ``{% url %}`` and every relative link gives an address of the same
store; elsewhere the names of a store's pages do not resolve at all. So no link can forget its store.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.urls import get_script_prefix, get_urlconf, reverse, set_script_prefix, set_urlconf

if TYPE_CHECKING:
    from loyalty.stores.models import Store

BACK_OFFICE: Final = "/admin/"
STORE_URLS: Final = "loyalty.backoffice.store_urls"
_OF_A_STORE: Final = re.compile(rf"{BACK_OFFICE}([-\w]+)(/.*)?", re.ASCII | re.DOTALL)


def split_address(path: str) -> tuple[str, str] | None:
    """The first word behind ``/admin/`` and the rest with its slash, which may be empty; None for other addresses."""
    found = _OF_A_STORE.fullmatch(path)
    return (found[1], found[2] or "") if found else None


@contextmanager
def mounted(slug: str) -> Iterator[None]:
    """Within, addresses are built and read as those of one store's pages; afterwards as before."""
    with _standing_at(f"{BACK_OFFICE}{slug}/", STORE_URLS):
        yield


def page_of(store: "Store", name: str, *args: object) -> str:
    """The address of a page of ``store``, wherever one is: ``page_of(store, "admin:orders_order_change", 7)``.

    Within the store's own pages ``reverse()`` says the same. Raises NoReverseMatch for pages that name no store.
    """
    if not args:
        return f"{BACK_OFFICE}{store.slug}/{_behind_any_store(name)}"
    with mounted(store.slug):
        return reverse(name, args=args)


def page_here(name: str) -> str:
    """As ``reverse()`` on a store's pages, for names that take no argument: each page's menu asks for forty of them."""
    return get_script_prefix() + _behind_any_store(name)


def common_page(name: str, *args: object) -> str:
    """The address of what names no store, wherever one is: signing in, operators' pages, the API, webhooks."""
    with _standing_at("/", settings.ROOT_URLCONF):
        return reverse(name, args=args)


@cache
def _behind_any_store(name: str) -> str:
    with _standing_at("/", STORE_URLS):
        return reverse(name).removeprefix("/")


@contextmanager
def _standing_at(prefix: str, urlconf: str) -> Iterator[None]:
    before = get_script_prefix(), get_urlconf()
    set_script_prefix(prefix)
    set_urlconf(urlconf)
    try:
        yield
    finally:
        set_script_prefix(before[0])
        set_urlconf(before[1])
