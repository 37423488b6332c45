"""In which language an answer is: what whoever asks reads."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import override

from loyalty.core.locales import language_for, language_wanted
from loyalty.languages.spoken import CODES, SOURCE
from loyalty.stores.models import Store
from loyalty.web.addresses import BACK_OFFICE

# Pages that people read signed in; everything else is asked by programs, or before anybody is known.
_OF_STAFF: Final = (BACK_OFFICE, "/accounts/")


class LanguageMiddleware:
    """Answers in a language, and says in which (T4).

    Programs get the one that their ``Accept-Language`` asks for, else English. Staff get the one they chose, else their
    browser's, else that of the store they are in, else English.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        language = _language(request)
        with override(language):
            response = self.get_response(request)
        # An answer that was kept may say another one.
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language",))
        return response


def _language(request: HttpRequest) -> str:
    wanted = language_wanted(request.headers.get("Accept-Language", ""))
    if not request.path.startswith(_OF_STAFF):
        return wanted or SOURCE
    chosen: str = getattr(request.user, "language", "")
    if chosen in CODES:
        return chosen
    store: Store | None = getattr(request, "store", None)
    return wanted or language_for(store.locale if store else "")
