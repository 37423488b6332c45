"""The WSGI application, for a server to load."""

import os
import re
from collections.abc import Iterable
from typing import Any, Final

from django.core.wsgi import get_wsgi_application
from django.urls import resolve

from loyalty.serving.call_room import give_call_room

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loyalty.settings")

_CHARSET: Final = re.compile(r";\s*charset\s*=[^;]*", re.IGNORECASE)
_django: Final = get_wsgi_application()
# Reading all views takes longer than a request should: now, and not when the first one comes.
resolve("/")


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Django, with every text read as UTF-8.

    Django would decode a request's address and form with whatever codec its ``Content-Type`` names, before any code of
    ours runs: some raise, and some decode no text at all, such as ``hex``.
    """
    environ["CONTENT_TYPE"] = _CHARSET.sub("", environ.get("CONTENT_TYPE", ""))
    answer: Iterable[bytes] = _django(environ, start_response)
    return answer


give_call_room(application)
