"""What machines of the operator ask, answered before anything else: without sessions, cookies, hosts and redirects.

A supervisor asks by an address of its own network, which is no name of ours, and without TLS.
"""

from collections.abc import Callable, Mapping
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from loyalty.core.causes import cause
from loyalty.monitoring.expose import metrics
from loyalty.monitoring.health import healthz, readyz
from loyalty.web.security import HEADER, STRICT

PROBES: Final[Mapping[str, Callable[[HttpRequest], HttpResponse]]] = {
    "/healthz": healthz,
    "/readyz": readyz,
    "/metrics": metrics,
}


_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", HEADER: STRICT}


class ProbesMiddleware:
    """Answers the probes, and hands on what is none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        probe = PROBES.get(request.path_info)
        if probe is None:
            return self.get_response(request)
        cause().doing = request.path_info.removeprefix("/")
        response = probe(request) if request.method in {"GET", "HEAD"} else HttpResponseNotAllowed(["GET", "HEAD"])
        for name, value in _HEADERS.items():
            response.headers[name] = value
        return response
