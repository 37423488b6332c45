"""Reading requests: JSON only, numbers exactly as written, no more than the body limit."""

from collections.abc import Mapping
from decimal import Decimal
from json import loads
from typing import Any, Final, NoReturn

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

# A body that is too large is read and dropped up to here, so that the client hears the answer instead of a broken pipe.
_DRAIN: Final = 32 * 1024 * 1024
_CHUNK: Final = 64 * 1024


class ExactJSONParser(BaseParser):
    """JSON whose fractions become Decimals: 10.10 is not 10.0999…, then."""

    media_type = "application/json"

    def parse(self, stream: Any, _media_type: str | None = None, _context: Mapping[str, Any] | None = None) -> Any:
        """The value. Raises ParseError for anything that is not JSON in UTF-8."""
        try:
            return loads(stream.read(), parse_float=Decimal, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise ParseError("The body is not valid JSON in UTF-8.") from error


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


class AlwaysJSON(DefaultContentNegotiation):
    """Answers JSON whatever the client says it accepts: there is nothing else."""

    def select_renderer(
        self, _request: Request, renderers: Any, _format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The only renderer."""
        return renderers[0], renderers[0].media_type


def read_body(request: Request) -> bytes:
    """The raw body, kept for those who read it later. Raises RequestDataTooBig (413) past the limit."""
    django_request: HttpRequest = request._request  # noqa: SLF001 - REST framework has no public door to it
    try:
        return django_request.body
    except RequestDataTooBig:
        left = min(int(request.META.get("CONTENT_LENGTH") or 0), _DRAIN)
        while left > 0 and (chunk := django_request.read(min(left, _CHUNK))):
            left -= len(chunk)
        raise
