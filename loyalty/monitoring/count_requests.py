"""Counting requests: by the route's name, never by the address, and nothing where nobody reads it."""

from collections.abc import Callable
from time import perf_counter
from typing import Final

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Histogram

from loyalty.core.causes import cause
from loyalty.monitoring.metrics import BUCKETS, REQUEST_SECONDS, REQUESTS

# Of this process; of all that gunicorn started, what serves metrics adds them up.
REGISTRY: Final = CollectorRegistry()
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_requests: Final = Counter(REQUESTS.name, REQUESTS.says, REQUESTS.labels, registry=REGISTRY)
_seconds: Final = Histogram(
    REQUEST_SECONDS.name, REQUEST_SECONDS.says, REQUEST_SECONDS.labels, buckets=BUCKETS, registry=REGISTRY
)


class CountRequests:
    """Middleware; not in use where no METRICS_TOKEN is set."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.METRICS_TOKEN:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, and count it."""
        began = perf_counter()
        response = self.get_response(request)
        # Made-up methods, and a page of each store, would be one label each.
        method, route = request.method if request.method in _METHODS else "other", cause().doing
        _requests.labels(route, method, f"{response.status_code // 100}xx").inc()
        _seconds.labels(route).observe(perf_counter() - began)
        return response
