"""Right-to-left text inside pages that run from left to right: names, remarks and tags that people typed.

Without isolation an Arabic name and the amount beside it change places, and one control character in a name turns the
rest of its line around. Nobody has to think of it where a page is made: here, where all pages leave, each such run is
put into ``<bdi>``.
"""

import re
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

# Hebrew, Arabic and the scripts beside them, and the characters that turn what follows.
_LETTERS: Final = (
    "[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc"
    "\U00010800-\U00010fff\U0001e800-\U0001efff]+"
)
# Where bytes of UTF-8 could be one of them: nothing that is Latin or Chinese looks like this.
_ANY: Final = re.compile(
    rb"[\xd6-\xdf][\x80-\xbf]|\xe0[\xa0-\xa3]|\xe2(?:\x80[\x8f\xaa-\xae]|\x81)|\xef[\xac-\xbb]|\xf0[\x90\x9e]"
)
# Tags, and elements whose text is not shown or would be taken as typed, stay as they are.
_KEPT: Final = r"<(script|style|textarea|title|option)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>"
# A run may have blanks, digits and dots inside.
_RUN: Final = rf"(?P<run>{_LETTERS}(?:[ .'’0-9-]{{1,12}}{_LETTERS})*)"
_PARTS: Final = re.compile(rf"{_KEPT}|{_RUN}", re.DOTALL)


def isolated(page: str) -> str:
    """The HTML with each run of right-to-left text isolated from what is around it."""
    return _PARTS.sub(lambda part: f"<bdi>{part['run']}</bdi>" if part["run"] else part[0], page)


class IsolationMiddleware:
    """Isolates right-to-left text on every page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        response = self.get_response(request)
        is_page = not response.streaming and response.headers.get("Content-Type", "").startswith("text/html")
        if is_page and _ANY.search(response.content):
            response.content = isolated(response.content.decode())
        return response
