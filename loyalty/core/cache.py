"""A cache that may be gone: nothing in the product depends on its being there."""

import logging
from collections.abc import Callable
from functools import cache, wraps
from itertools import islice
from typing import Any, Final, ParamSpec, TypeVar
from urllib.parse import urlsplit

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_MOST_KEYS: Final = 1_000


def cache_address(url: str, number: int = 1) -> str:
    """The same Redis, another database: clearing the cache must not clear the queue."""
    if url.startswith("unix://"):
        return f"{url}?db={number}"
    return urlsplit(url)._replace(path=f"/{number}").geturl()


def _or(operation: Callable[P, T], otherwise: Callable[..., T]) -> Callable[P, T]:
    """The operation; while Redis does not answer, what an empty cache would answer."""

    @wraps(operation)
    def attempt(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return operation(*args, **kwargs)
        except RedisError as error:
            logger.warning("The cache does not answer (%s).", type(error).__name__)
            return otherwise(*args, **kwargs)

    return attempt


class ForgivingClient(RedisCacheClient):
    """While Redis is gone, every read is a miss and every write is dropped."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._client: Any
        # One for each pool. Django makes one for each use, which takes longer than what is asked of it.
        self._client = cache(self._client)

    get = _or(RedisCacheClient.get, lambda _self, _key, default: default)
    get_many = _or(RedisCacheClient.get_many, lambda _self, _keys: {})
    has_key = _or(RedisCacheClient.has_key, lambda _self, _key: False)
    add = _or(RedisCacheClient.add, lambda _self, _key, _value, _timeout: True)
    set = _or(RedisCacheClient.set, lambda _self, _key, _value, _timeout: None)
    set_many = _or(RedisCacheClient.set_many, lambda _self, _data, _timeout: None)
    touch = _or(RedisCacheClient.touch, lambda _self, _key, _timeout: False)
    delete = _or(RedisCacheClient.delete, lambda _self, _key: False)
    delete_many = _or(RedisCacheClient.delete_many, lambda _self, _keys: None)
    incr = _or(RedisCacheClient.incr, lambda _self, _key, delta: delta)
    clear = _or(RedisCacheClient.clear, lambda _self: False)

    def _count(self, key: str, beside: str, seconds: int) -> tuple[int, int]:
        with self.get_client(key, write=True).pipeline(transaction=False) as asked:
            asked.get(beside)
            asked.incr(key)
            asked.expire(key, seconds)
            other, count, _ = asked.execute()
        return int(other or 0), count

    count = _or(_count, lambda _self, _key, _beside, _seconds: (0, 0))

    def _keys(self, beginning: str) -> list[str]:
        found = self.get_client(None).scan_iter(match=f"{beginning}*", count=1000)
        return [key.decode() for key in islice(found, _MOST_KEYS)]

    keys = _or(_keys, lambda _self, _beginning: [])


class ForgivingRedisCache(RedisCache):
    """Redis as a cache, with the client above."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = ForgivingClient

    def count(self, key: str, *, beside: str, seconds: int) -> tuple[int, int]:
        """Count one more under a key, for so many seconds; the count beside it, and the new one: one round trip."""
        client: Any = self._cache
        counts: tuple[int, int] = client.count(self.make_key(key), self.make_key(beside), seconds)
        return counts

    def keys(self, beginning: str) -> list[str]:
        """The keys that begin so, a thousand at most: for whoever watches, not for a request."""
        client: Any = self._cache
        prefix = self.make_key("")
        return [key.removeprefix(prefix) for key in client.keys(prefix + beginning)]
