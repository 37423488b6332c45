"""The WSGI application, for a server to load."""

import os
import re
from collections.abc import Iterable
from typing import Any, Final

from django.core.wsgi import get_wsgi_application
from django.urls import resolve

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loyalty.settings")

_CHARSET: Final = re.compile(r";\s*charset\s*=[^;]*", re.IGNORECASE)
_django: Final = get_wsgi_application()
# Reading all views takes longer than a request should: now, and not when the first one comes.
resolve("/")
# In words of the machine: a quarter of a megabyte.
_ROOM: Final = 32_000


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Django, with every text read as UTF-8.

    Django would decode a request's address and form with whatever codec its ``Content-Type`` names, before any code of
    ours runs: some raise, and some decode no text at all, such as ``hex``.
    """
    environ["CONTENT_TYPE"] = _CHARSET.sub("", environ.get("CONTENT_TYPE", ""))
    answer: Iterable[bytes] = _django(environ, start_response)
    return answer


# Python keeps what its calls hold in pieces of 16 KB, and takes and gives back a piece from the system each time that
# calls go over the edge of one: within a list of orders 5,000 times, a third of its time. Who asks for this much room
# gets one piece in which all that it calls has place.
application.__code__ = application.__code__.replace(co_stacksize=_ROOM)
