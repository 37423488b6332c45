"""Which store a request of the back-office is about."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from loyalty.stores.active import SESSION_KEY, StaffRequest, Workplace, find_workplace


class ActiveStoreMiddleware:
    """Sets ``request.store`` and ``request.role`` for signed-in staff, and the store's time zone for the answer (T4).

    The membership is read for every request, so that one that was taken away is gone with the next click.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, for its store."""
        if not request.path.startswith(reverse("admin:index")):
            return self.get_response(request)
        place = _workplace(request)
        staff = cast(StaffRequest, request)
        staff.store, staff.role, staff.other_stores = place.store, place.role, place.others
        with timezone.override(place.store.tz if place.store else None):
            return self.get_response(request)


def _workplace(request: HttpRequest) -> Workplace:
    if not request.user.is_authenticated:
        return Workplace(None, None)
    return find_workplace(request.user, request.session.get(SESSION_KEY))
