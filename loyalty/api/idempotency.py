"""Commands that happen once: a repeat under the same Idempotency-Key gets the first answer again."""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from django.db import connection, transaction
from django.http import HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty.api.answers.problems import Problem, problem_of
from loyalty.api.models import CommandAnswer
from loyalty.api.openapi.schema import IF_MATCH, KEY_PATTERN, LONGEST_KEY
from loyalty.api.requests.parsing import read_body
from loyalty.api.values import Body
from loyalty.api.views import ApiView
from loyalty.core.encryption import Secret, Unreadable
from loyalty.languages.spoken import SOURCE
from loyalty.stores.models import Store

KEEP: Final = timedelta(days=7)
_KEPT_HEADERS: Final = ("Content-Type", "Content-Language", "Location", "ETag")
_JSON: Final = {"Content-Type": "application/json"}

View = TypeVar("View", bound=ApiView)
P = ParamSpec("P")
Handler = Callable[Concatenate[View, Request, P], Response]
Command = Callable[Concatenate[View, Request, P], HttpResponse]


def command(
    *, body: type[Body] | None, answer: Any, if_match: bool = False
) -> "Callable[[Handler[View, P]], Command[View, P]]":
    """Make a view's method a command (● in the contract): it needs an Idempotency-Key and runs in one transaction.

    The answer is stored with what the command wrote, or neither is. Refusals are stored too, 409 excepted, with
    everything rolled back that was written before the refusal. The schema has the ``body``, the ``answer`` (a document,
    or several by their status) and whether the version may be named that the command was made from.
    """

    def decorate(handler: "Handler[View, P]") -> "Command[View, P]":
        @wraps(handler)
        def run(view: View, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            return _once(view, request, lambda: handler(view, request, *args, **kwargs))

        run.is_command = True  # type: ignore[attr-defined]
        described = extend_schema(parameters=[IF_MATCH] if if_match else None, request=body, responses=answer)
        return described(run)

    return decorate


@transaction.atomic
def _once(view: ApiView, request: Request, run: Callable[[], Response]) -> HttpResponse:
    key, fingerprint = _key(request), _fingerprint(request)
    _claim(view.store, key)
    stored = CommandAnswer.objects.for_store(view.store).filter(key=key).first()
    if stored is not None and view.now < stored.created_at + KEEP:
        return _replay(view, stored, fingerprint)
    answer = _answer(run)
    answer.headers["Content-Language"] = get_language()
    kept = {
        "fingerprint": fingerprint,
        "status": answer.status_code,
        "headers": {name: answer[name] for name in _KEPT_HEADERS if name in answer},
        "body": _sealed(view, answer.content),
        "created_at": view.now,
    }
    # One statement. An answer that is past its time but not pruned yet gives way.
    CommandAnswer.unscoped.bulk_create(
        [CommandAnswer(store=view.store, key=key, **kept)],
        update_conflicts=True,
        unique_fields=["store", "key"],
        update_fields=list(kept),
    )
    return answer


def _key(request: Request) -> str:
    key: str = request.META.get("HTTP_IDEMPOTENCY_KEY", "").strip()
    if not key:
        raise Problem("idempotency-key-required", _("Send an Idempotency-Key header: any text of your own."))
    if len(key) > LONGEST_KEY or not re.fullmatch(KEY_PATTERN, key):
        words = _("An Idempotency-Key has at most %(longest_key)s printable characters of ASCII.") % {
            "longest_key": LONGEST_KEY
        }
        raise Problem("idempotency-key-required", words)
    return key


def _fingerprint(request: Request) -> str:
    said = f"{request.method} {request.get_full_path()}\n".encode() + read_body(request)
    return hashlib.sha256(said).hexdigest()


def _claim(store: Store, key: str) -> None:
    # Held until this transaction ends, so a second request under the key either meets the lock or finds the answer.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, %s))", [f"command:{key}", store.pk])
        (free,) = cursor.fetchone()
    if not free:
        raise Problem("idempotency-key-in-use", _("The first request with this Idempotency-Key is still running."))


def _sealed(view: ApiView, body: bytes) -> bytes:
    """What is stored of an answer."""
    return Secret.of(body.decode()).token.encode() if view.answers_secrets else body


def _opened(view: ApiView, stored: bytes) -> bytes:
    """The answer that was stored; the same view stored it, because its address is part of the fingerprint."""
    try:
        return Secret(stored.decode()).reveal().encode() if view.answers_secrets else stored
    except Unreadable as error:
        detail = _("This Idempotency-Key was used, and the answer to it cannot be read any more. Use another one.")
        raise Problem("idempotency-key-reused", detail) from error


def _replay(view: ApiView, stored: CommandAnswer, fingerprint: str) -> HttpResponse:
    if stored.fingerprint != fingerprint:
        raise Problem("idempotency-key-reused", _("This Idempotency-Key was used for another request."))
    # Before answers kept their language, there was one.
    headers = {"Content-Language": SOURCE, **stored.headers, "Idempotent-Replayed": "true"}
    return HttpResponse(_opened(view, bytes(stored.body)), status=stored.status, headers=headers)


def _answer(run: Callable[[], Response]) -> HttpResponse:
    try:
        with transaction.atomic():
            response = run()
            body = JSONRenderer().render(response.data)
            return HttpResponse(body, status=response.status_code, headers={**response.headers, **_JSON})
    except Exception as error:
        problem = problem_of(error)
        # 409 and failures may be different the next time: everything is rolled back and nothing stored.
        if problem.status == HTTPStatus.CONFLICT or problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise problem from error
        return problem.to_response()
