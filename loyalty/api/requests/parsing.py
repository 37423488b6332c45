"""Reading requests: JSON only, numbers exactly as written, nothing that cannot be kept, no more than the body limit."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from json import loads
from typing import Any, Final, NoReturn

from django.http import HttpRequest
from django.utils.translation import gettext
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from loyalty.core.errors import FieldError, Invalid, pointer_step
from loyalty.core.json_keys import NamedTwice, named_once

# Nothing that is asked for lies deeper than five levels; what does would break whoever writes it down again.
MOST_LEVELS: Final = 32
# PostgreSQL stores neither NUL nor half of a surrogate pair, and JSON can carry both, as escapes only.
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_MAY_BE_UNSTORABLE: Final = re.compile(r"\\u(0000|d[89a-f])", re.ASCII | re.IGNORECASE)


class ExactJSONParser(BaseParser):
    """JSON whose fractions become Decimals: 10.10 is not 10.0999…, then."""

    media_type = "application/json"

    def parse(self, stream: Any, _media_type: str | None = None, _context: Mapping[str, Any] | None = None) -> Any:
        """The value.

        Raises ParseError for anything that is not JSON in UTF-8, for an object that names a key twice, for a number
        that nobody can write down and for more than 32 levels; Invalid at the pointer of a text that cannot be stored.
        """
        try:
            text = stream.read().decode("utf-8-sig")
            value = loads(text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=named_once)
        except NamedTwice as error:
            raise ParseError(str(error)) from error
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise ParseError(gettext("The body is not valid JSON in UTF-8.")) from error
        if _is_deeper_than(MOST_LEVELS, value):
            raise ParseError(
                gettext("The body is nested more than %(most_levels)s levels deep.") % {"most_levels": MOST_LEVELS}
            )
        if _MAY_BE_UNSTORABLE.search(text):
            _refuse_unstorable(value)
        return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _is_deeper_than(most: int, value: Any) -> bool:
    level = [value]
    for _ in range(most):
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return False
    return any(isinstance(item, dict | list) for item in level)


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _refuse_unstorable(value: Any) -> None:
    words = gettext("A text holds neither the character NUL nor half of a surrogate pair.")
    errors = [FieldError(pointer, "invalid", words) for pointer in _unstorable(value, "")]
    if errors:
        raise Invalid(errors=errors)


def _unstorable(value: Any, pointer: str) -> Iterator[str]:
    """Where the texts are that cannot be stored; a key is told by the object that has it."""
    if isinstance(value, str) and _UNSTORABLE.search(value):
        yield pointer
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unstorable(inner, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if _UNSTORABLE.search(key):
                yield pointer
            else:
                yield from _unstorable(inner, f"{pointer}/{pointer_step(key)}")


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
    return django_request.body
