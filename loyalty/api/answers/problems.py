"""Errors as RFC 9457 problem details: every refusal of the API is translated here, once."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer

from loyalty.api.answers.codes import PROBLEMS, field_code
from loyalty.core.errors import (
    Busy,
    Conflict,
    DomainError,
    FieldError,
    Invalid,
    NotFound,
    VersionConflict,
    pointer_step,
)
from loyalty.database.busy import TRY_AGAIN_AFTER, is_away, is_busy

logger = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"

_FAMILIES: Final[Sequence[tuple[type[DomainError], int]]] = (
    (VersionConflict, 412),
    (Conflict, 409),
    (NotFound, 404),
    (Invalid, 422),
    (Busy, 503),
)
_LATER: Final = {"Retry-After": str(TRY_AGAIN_AFTER)}
_FRAMEWORK: Final[Mapping[type[Exception], str]] = {
    exceptions.ParseError: "malformed-json",
    exceptions.NotAuthenticated: "not-authenticated",
    exceptions.AuthenticationFailed: "not-authenticated",
    exceptions.PermissionDenied: "missing-scope",
    exceptions.NotFound: "not-found",
    exceptions.UnsupportedMediaType: "unsupported-media-type",
    exceptions.Throttled: "too-many-requests",
}


class Problem(Exception):
    """An answer that is an error. ``members`` are added to the body, ``headers`` to the answer."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        status: int | None = None,
        title: str = "",
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        known_status, known_title = PROBLEMS.get(code, (500, ""))
        super().__init__(detail)
        self.code = code
        self.status = status or known_status
        self.title = _(title or known_title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    @classmethod
    def of(cls, error: DomainError, *, members: Mapping[str, Any] | None = None) -> "Problem":
        """The problem that a refusal of the domain is, with members of its own such as ``plan``."""
        status = next(status for family, status in _FAMILIES if isinstance(error, family))
        errors = error.errors if isinstance(error, Invalid) else ()
        return cls(
            error.code,
            error.detail,
            status=status,
            title=error.title,
            errors=errors,
            headers=_LATER if isinstance(error, Busy) else None,
            members=members,
        )

    def to_json(self) -> dict[str, Any]:
        """The body."""
        body: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.errors:
            body["errors"] = [
                {"pointer": error.pointer, "code": error.code, "detail": error.detail} for error in self.errors
            ]
        return body | self.members

    def to_response(self) -> HttpResponse:
        """The answer."""
        body = JSONRenderer().render(self.to_json())
        return HttpResponse(body, status=self.status, content_type=CONTENT_TYPE, headers=self.headers)


def exception_handler(error: Exception, _context: Mapping[str, Any]) -> HttpResponse:
    """REST framework's hook: any exception of a view becomes a problem."""
    return problem_of(error).to_response()


def problem_of(error: Exception) -> Problem:
    """The problem that an exception is. What nobody expected is logged and answered without details."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, DomainError):
        return Problem.of(error)
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    return _of_django(error) or _of_failure(error)


def _of_django(error: Exception) -> Problem | None:
    if isinstance(error, Http404):
        return Problem("not-found", _("There is nothing at this address."))
    if isinstance(error, RequestDataTooBig):
        return Problem("too-large")
    return Problem("bad-request") if isinstance(error, SuspiciousOperation) else None


def _of_failure(error: Exception) -> Problem:
    if is_busy(error):
        logger.warning("A request was not answered in time: %s.", type(error.__cause__).__name__)
        detail = _("Others are changing the same orders or customers. Nothing was written: repeat it in a moment.")
        return Problem("busy", detail, headers=_LATER)
    if is_away(error):
        logger.error("The database did not answer a request.", exc_info=error)
        detail = _("The database does not answer. Try again in a moment.")
        return Problem("unavailable", detail, headers=_LATER)
    logger.error("A request failed.", exc_info=error)
    return Problem("internal-error", _("Something went wrong here; it has been recorded."))


def _of_framework(error: exceptions.APIException) -> Problem:
    if isinstance(error, exceptions.ValidationError):
        errors = tuple(_field_errors(error.detail, ""))
        return Problem("invalid", " ".join(item.detail for item in errors), errors=errors)
    code = next((code for kind, code in _FRAMEWORK.items() if isinstance(error, kind)), "bad-request")
    return Problem(code, str(error.detail), headers=_headers(error))


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(wait)
    return headers


def _field_errors(detail: Any, pointer: str) -> Iterator[FieldError]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            step = "" if name == "non_field_errors" else f"/{pointer_step(name)}"
            yield from _field_errors(inner, f"{pointer}{step}")
    elif isinstance(detail, list) and detail and not isinstance(detail[0], str):
        for index, inner in enumerate(detail):
            yield from _field_errors(inner, f"{pointer}/{index}")
    elif isinstance(detail, list):
        for inner in detail:
            yield FieldError(pointer, field_code(inner.code), str(inner))
