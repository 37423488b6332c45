"""A cache that may be gone: nothing in the product depends on its being there."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

T = TypeVar("T")


class ForgivingClient(RedisCacheClient):
    """While Redis is gone, every read is a miss and every write is dropped."""

    def get(self, key: str, default: object) -> object:
        """The value, or the default."""
        return _attempt(lambda: super(ForgivingClient, self).get(key, default), otherwise=default)

    def get_many(self, keys: Iterable[str]) -> Mapping[str, object]:
        """The values that are there."""
        return _attempt(lambda: super(ForgivingClient, self).get_many(keys), otherwise={})

    def has_key(self, key: str) -> bool:
        """Whether the key is there."""
        return _attempt(lambda: super(ForgivingClient, self).has_key(key), otherwise=False)

    def add(self, key: str, value: object, timeout: float | None) -> bool:
        """Whether the key was new, as it would be in an empty cache."""
        return _attempt(lambda: super(ForgivingClient, self).add(key, value, timeout), otherwise=True)

    def set(self, key: str, value: object, timeout: float | None) -> None:
        """Keep a value."""
        _attempt(lambda: super(ForgivingClient, self).set(key, value, timeout), otherwise=None)

    def set_many(self, data: Mapping[str, object], timeout: float | None) -> None:
        """Keep several values."""
        _attempt(lambda: super(ForgivingClient, self).set_many(data, timeout), otherwise=None)

    def touch(self, key: str, timeout: float | None) -> bool:
        """Whether there was a value whose time could be prolonged."""
        return _attempt(lambda: super(ForgivingClient, self).touch(key, timeout), otherwise=False)

    def delete(self, key: str) -> bool:
        """Whether there was a value to drop."""
        return _attempt(lambda: super(ForgivingClient, self).delete(key), otherwise=False)

    def delete_many(self, keys: Iterable[str]) -> None:
        """Drop several values."""
        _attempt(lambda: super(ForgivingClient, self).delete_many(keys), otherwise=None)

    def incr(self, key: str, delta: int) -> int:
        """The new count; what is added, as if the count had been 0."""
        return _attempt(lambda: super(ForgivingClient, self).incr(key, delta), otherwise=delta)


class ForgivingRedisCache(RedisCache):
    """Redis as a cache, with the client above."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = ForgivingClient


def _attempt(operation: Callable[[], T], *, otherwise: T) -> T:
    try:
        return operation()
    except RedisError as error:
        logger.warning("The cache does not answer (%s).", type(error).__name__)
        return otherwise
