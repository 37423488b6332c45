"""How many requests a key may send: a sliding minute, counted in the cache."""

from contextlib import suppress
from typing import Any, Final

from django.conf import settings
from django.core.cache import caches
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from loyalty.core.clock import read_clock

_MINUTE: Final = 60


class KeyThrottle(BaseThrottle):
    """Refuses what goes past ``API_REQUESTS_PER_MINUTE`` of one key; what is refused does not count.

    Counts whole minutes and weighs the one before by how much of it is within the last sixty seconds. While the cache
    is away nothing is counted, so everybody may go on.
    """

    def __init__(self) -> None:
        self._wait = 0.0

    def allow_request(self, request: Request, _view: APIView) -> bool:
        """Whether this request is within the rate."""
        limit = settings.API_REQUESTS_PER_MINUTE
        minute, second = divmod(read_clock().timestamp(), _MINUTE)
        cache: Any = caches["default"]
        before, this = (f"requests:{request.auth.pk}:{at:.0f}" for at in (minute - 1, minute))
        counted_before, counted = cache.count(this, beside=before, seconds=2 * _MINUTE)
        # What was there before this one.
        if counted_before * (_MINUTE - second) / _MINUTE + counted - 1 >= limit:
            with suppress(ValueError):  # it lapsed meanwhile
                cache.decr(this)
            # By then this minute's count, which is at most the limit, has begun to weigh less.
            self._wait = _MINUTE - second + _MINUTE / limit
            return False
        return True

    def wait(self) -> float:
        """Seconds until a request will be let through."""
        return self._wait
