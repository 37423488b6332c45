"""Each request has an id, brought or new: the answer says it, and every log line, job and call that comes of it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from loyalty.core.causes import HEADER, Cause, accepted_id, because_of, cause
from loyalty.serving.request_facts import REQUEST_ID, ROUTE

# Of what leads nowhere; names of routes are few and hold nothing of the address.
NOWHERE = "none"


class RequestIdMiddleware:
    """Names the request and its route to whatever happens within."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, and say its id."""
        with because_of(Cause(request_id=accepted_id(request.headers.get(HEADER, "")), doing=NOWHERE)) as known:
            # For the server's own line, which is written when the answer has been sent.
            request.META[REQUEST_ID] = known.request_id
            response = self.get_response(request)
            response.headers[HEADER] = known.request_id
            request.META[ROUTE] = known.doing
            return response

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        """Where the request leads is known now, by the name that its address has in the program."""
        match = request.resolver_match
        cause().doing = match.view_name if match else NOWHERE
