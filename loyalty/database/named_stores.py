"""Which stores' rows this piece of work may see and write: said here, held by PostgreSQL (T1).

What runs outside of these contexts sees no row of any store. A request runs in the store of its address or its API
key, a job step in the stores of the rows it took up. The few places that look across stores say so by
:func:`every_store`, a name that can be searched for.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

T = TypeVar("T")
# What the policies read (loyalty.database.policies): an array of ids, or this word.
SETTING: Final = "loyalty.stores"
EVERY: Final = "every"
NOBODY: Final = "{}"

_named: ContextVar[str] = ContextVar("stores_named", default=NOBODY)


def named() -> str:
    """The stores that are named now, as the setting holds them."""
    return _named.get()


@contextmanager
def in_stores(store_ids: Iterable[int]) -> Iterator[None]:
    """Within, the rows of these stores are there, and no others."""
    with _naming("{" + ",".join(map(str, sorted(set(store_ids)))) + "}"):
        yield


@contextmanager
def in_store(store_id: int | None) -> Iterator[None]:
    """Within, the rows of this store are there, and no others; for None, those of no store."""
    with _naming(NOBODY if store_id is None else f"{{{store_id}}}"):
        yield


@contextmanager
def every_store() -> Iterator[None]:
    """Within, the rows of all stores are there: to find out whose work is next, or who asks."""
    with _naming(EVERY):
        yield


@contextmanager
def no_store() -> Iterator[None]:
    """Within, no row of any store is there until one is named, by a context or by :func:`go_on_in`."""
    with _naming(NOBODY):
        yield


def in_store_throughout(store_id: int, parts: Iterator[T]) -> Iterator[T]:
    """The parts, each made in this store: an answer that is sent piece by piece goes on after its request."""
    while True:
        with in_store(store_id):
            part = next(parts, None)
        if part is None:
            return
        yield part


def go_on_in(store_id: int) -> None:
    """Name the store until the context around this ends: for hooks that are called and cannot wrap what follows."""
    _named.set(f"{{{store_id}}}")


@contextmanager
def _naming(stores: str) -> Iterator[None]:
    before = _named.set(stores)
    try:
        yield
    finally:
        _named.reset(before)
