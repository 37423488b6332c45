"""The receipt of a webhook beside a bare view with one INSERT; both behind the same middleware, in one process."""

import io
import time
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from http import HTTPStatus
from json import dumps
from typing import Any, Final

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.urls import include, path
from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty.core.encryption import Secret
from loyalty.platforms.models import PlatformConnection
from loyalty.stores.models import Store

SECRET: Final = "shpss_benchmark"  # noqa: S105 - made up
_BEFORE: Final = datetime(2025, 12, 20, tzinfo=UTC)
# As large as an order of three lines with its addresses.
BODY: Final = dumps(
    {"id": 5941690892493, "name": "#1001", "financial_status": "paid", "note": "x" * 600,
     "line_items": [{"id": number, "title": "Tea", "price": "10.00", "properties": list(range(40))}
                    for number in range(12)],
     "customer": {"id": 77, "email": "ada@example.com"}}
).encode()  # fmt: skip


class BareView(APIView):
    """What anybody would write who only keeps the request."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request: Request) -> Response:
        """Keep the body and answer."""
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO bare_webhook (body, received_at) VALUES (%s, %s)", [request.body, timezone.now()]
            )
        return Response()


urlpatterns = [path("bare/", BareView.as_view()), path("", include("loyalty.urls"))]


def receipt(count: str) -> dict[str, Any]:
    """Requests per second of the receipt and of the bare view, in turns, so that both have the same weather."""
    settings.ROOT_URLCONF = __name__
    store = Store.objects.get(pk=1)
    PlatformConnection.unscoped.create(
        store=store, platform="shopify", webhook_secret=Secret.of(SECRET), created_at=_BEFORE, updated_at=_BEFORE
    )
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare_webhook (id bigserial PRIMARY KEY, body bytea, received_at timestamptz)")
    application = get_wsgi_application()
    paths = {"ours": f"/hooks/shopify/{store.slug}/", "reference": "/bare/"}
    seconds = dict.fromkeys(paths, 0.0)
    rounds = 10
    for turn in range(rounds + 1):
        for who, address in paths.items():
            taken = _send(application, address, int(count) // rounds)
            # The first turn only warms up.
            seconds[who] += taken if turn else 0
    sent = int(count) // rounds * rounds
    return {who: sent / taken for who, taken in seconds.items()}


_numbers = iter(range(10**9))


def _send(application: Any, address: str, count: int) -> float:
    environs = [_environ(address) for _ in range(count)]
    statuses: list[str] = []
    start = time.perf_counter()
    for environ in environs:
        answer = application(environ, lambda status, _headers: statuses.append(status))
        b"".join(answer)
        answer.close()
    taken = time.perf_counter() - start
    if set(statuses) != {f"{HTTPStatus.OK.value} {HTTPStatus.OK.phrase}"}:
        raise SystemExit(f"Not every request was answered with 200: {set(statuses)}")
    return taken


def _environ(address: str) -> dict[str, Any]:
    body = BODY[:-1] + f', "sent": {next(_numbers)}}}'.encode()
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": address,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_SHOPIFY_TOPIC": "orders/updated",
        "HTTP_X_SHOPIFY_WEBHOOK_ID": sha256(body).hexdigest(),
        "HTTP_X_SHOPIFY_HMAC_SHA256": b64encode(digest(SECRET.encode(), body, "sha256")).decode(),
    }
