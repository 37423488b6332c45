"""Addresses as a test names them: a page of the back-office is one of the test's store, the first that it made (T5)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from django.urls import NoReverseMatch

from loyalty.stores.models import Store
from loyalty.web.addresses import common_page, page_of

_chosen: ContextVar[Store | None] = ContextVar("chosen", default=None)


def reverse(name: str, args: Sequence[object] = ()) -> str:
    """The address of the test's store's page, else of the page of that name which names no store."""
    store = _chosen.get() or Store.objects.order_by("pk").first()
    try:
        return page_of(store, name, *args) if store else common_page(name, *args)
    except NoReverseMatch:
        return common_page(name, *args)


@contextmanager
def pages_of(store: Store) -> Iterator[None]:
    """Within, :func:`reverse` gives the addresses of another store's pages."""
    before = _chosen.set(store)
    try:
        yield
    finally:
        _chosen.reset(before)
