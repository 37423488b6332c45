"""How many requests a key may send: a sliding minute, counted in the cache."""

from contextlib import suppress
from typing import Final

from django.conf import settings
from django.core.cache import cache
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
        before, this = (f"requests:{request.auth.pk}:{at:.0f}" for at in (minute - 1, minute))
        counts = cache.get_many([before, this])
        within_last_minute = counts.get(before, 0) * (_MINUTE - second) / _MINUTE + counts.get(this, 0)
        if within_last_minute >= limit:
            # By then this minute's count, which is at most the limit, has begun to weigh less.
            self._wait = _MINUTE - second + _MINUTE / limit
            return False
        _count(this, known=this in counts)
        return True

    def wait(self) -> float:
        """Seconds until a request will be let through."""
        return self._wait


def _count(key: str, *, known: bool) -> None:
    if not known and cache.add(key, 1, timeout=2 * _MINUTE):
        return
    with suppress(ValueError):  # it lapsed, or was never there because the cache is away
        cache.incr(key)
