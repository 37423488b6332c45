"""Answers of the web beside bare views over the same rows, in one process; pages that no bare view would show."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from io import BytesIO
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty.stores.keys import create_api_key
from loyalty.stores.models import Store, User
from orders.api.orders.orders import OrderListView
from orders.models import Order

_ALL: Final = "/api/v1/orders/"
_NOT_REVERTED: Final = "credit_revert_status=not_reverted"
_PAGE: Final = 50
_DEEP: Final = 1000
# What the answers of REST show of an order.
_SHOWN: Final = OrderListView.plain_rows.columns


def bare_list(_request: HttpRequest) -> JsonResponse:
    """The same rows as they stand."""
    rows = Order.unscoped.filter(store=1, credit_revert_status="not_reverted").order_by("-placed_at", "-id")
    return JsonResponse({"data": list(rows.values(*_SHOWN)[:_PAGE])})


class BareOrder(APIView):
    """One order as it stands, with one query."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, _request: Request, order_id: int) -> Response:
        """Read it and answer."""
        return Response(Order.unscoped.values(*_SHOWN).get(pk=order_id, store=1))


urlpatterns = [
    path("bare/orders/", bare_list),
    path("bare/orders/<int:order_id>/", BareOrder.as_view()),
    path("", include("loyalty.urls")),
]


def answers(count: str) -> dict[str, dict[str, float]]:
    """Requests per second of ours and of the reference: the list of 50, page 1,000 beside page 1, one order."""
    settings.ROOT_URLCONF, settings.API_REQUESTS_PER_MINUTE = __name__, 10**9
    store = Store.objects.get(pk=1)
    now = timezone.now()
    _, key = create_api_key(store=store, name="Benchmark", scopes=["*"], now=now, expires_at=now + timedelta(days=1))
    application = get_wsgi_application()

    def read(address: str) -> Callable[[], bytes]:
        return lambda: _answered(application, address, key)

    order = Order.objects.for_store(store).filter(credits_applied__gt=0).latest("id").pk
    pairs = {
        "list": (read(f"{_ALL}?{_NOT_REVERTED}"), read("/bare/orders/")),
        "detail": (read(f"{_ALL}{order}/"), read(f"/bare/orders/{order}/")),
        "deep": (read(_deep(application, key)), read(_ALL)),
    }
    return {what: _in_turns({"ours": ours, "reference": bare}, int(count)) for what, (ours, bare) in pairs.items()}


def _in_turns(readers: Mapping[str, Callable[[], bytes]], count: int) -> dict[str, float]:
    """How often a second each can be done; in turns, so that all have the same weather."""
    seconds = dict.fromkeys(readers, 0.0)
    for read in readers.values():
        read()
    for _ in range(count):
        for who, read in readers.items():
            start = time.perf_counter()
            read()
            seconds[who] += time.perf_counter() - start
    return {who: count / taken for who, taken in seconds.items()}


def _answered(application: Any, address: str, key: str) -> bytes:
    where, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": where,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"Bearer {key}",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": BytesIO(),
    }
    statuses: list[str] = []
    answer = application(environ, lambda status, _headers: statuses.append(status))
    body = b"".join(answer)
    answer.close()
    if statuses != [f"{HTTPStatus.OK.value} {HTTPStatus.OK.phrase}"]:
        raise SystemExit(f"{address} was answered with {statuses}")
    return body


def _deep(application: Any, key: str) -> str:
    """The address of page 1,000 of 50, which 250 of 200 lead to; that of the last where there are fewer."""
    address = f"{_ALL}?limit={4 * _PAGE}"
    for _ in range(_DEEP // 4):
        following = json.loads(_answered(application, address, key))["next"]
        if following is None:
            break
        address = following.partition("localhost")[2].lstrip(":0123456789") if "//" in following else following
    return address.replace(f"limit={4 * _PAGE}", f"limit={_PAGE}")


def pages(count: str) -> dict[str, dict[str, float]]:
    """Statements and milliseconds of pages that staff open: the first page of *Not Reverted*, and the dashboard."""
    store = Store.objects.get(pk=1)
    operator = User.objects.create_superuser("bench@example.com", "benchmark")
    client = Client(HTTP_HOST="localhost")
    client.force_login(operator)
    addresses = {
        "orders": f"/admin/{store.slug}/orders/order/?{_NOT_REVERTED}",
        "dashboard": f"/admin/{store.slug}/",
    }
    return {what: _page(client, address, int(count)) for what, address in addresses.items()}


def _page(client: Client, address: str, count: int) -> dict[str, float]:
    times: list[float] = []
    statements = 0
    for _ in range(count):
        # Figures are counted anew, as by the first who looks.
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            start = time.perf_counter()
            answer = client.get(address)
            times.append(time.perf_counter() - start)
        if answer.status_code != HTTPStatus.OK:
            raise SystemExit(f"{address} was answered with {answer.status_code}")
        statements = len(queries)
    return {"statements": statements, "ms": sorted(times)[count // 2] * 1000}
