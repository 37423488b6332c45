"""A cache that may be gone: nothing in the product depends on its being there."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


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


class ForgivingRedisCache(RedisCache):
    """Redis as a cache, with the client above."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = ForgivingClient
