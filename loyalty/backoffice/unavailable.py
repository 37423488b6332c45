"""Pages for when the database does not answer in time: said in plain words, with nothing of the database in them."""

import logging
import sys
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

from loyalty.database.busy import TRY_AGAIN_AFTER, is_away, is_busy

logger = logging.getLogger(__name__)


class UnavailableMiddleware:
    """Answers 503 where a view met a database that is away or busy. The REST API answers for itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django's hook for what a view raised."""
        return unavailable(error) if is_busy(error) or is_away(error) else None


def unavailable(error: Exception) -> HttpResponse:
    """The page, with when to try again."""
    busy = is_busy(error)
    if busy:
        logger.warning("A page was not made in time: %s.", type(error.__cause__).__name__)
    else:
        logger.error("The database did not answer a page.", exc_info=error)
    # Without the request: whoever is signed in would be looked up.
    page = render_to_string("loyalty/unavailable.html", {"busy": busy})
    return HttpResponse(page, status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": str(TRY_AGAIN_AFTER)})


def failed(request: HttpRequest) -> HttpResponse:
    """Django's page for what nobody caught: what happens before a view, such as reading the session, ends here."""
    error = sys.exc_info()[1]
    if isinstance(error, Exception) and (is_busy(error) or is_away(error)):
        return unavailable(error)
    return server_error(request)
