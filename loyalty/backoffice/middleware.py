"""Which store a request of the back-office is about."""

from collections.abc import Callable
from typing import cast

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.utils import timezone

from loyalty.database.named_stores import every_store, in_store, no_store
from loyalty.languages.own_names import in_own_names
from loyalty.store_settings.names import names_of
from loyalty.stores.active_store import SESSION_KEY, StaffRequest, acting_user, find_workplace
from loyalty.stores.slugs import is_reserved
from loyalty.web.addresses import BACK_OFFICE, STORE_URLS, common_page, mounted, split_address


class NoStoreMiddleware:
    """A request begins without a store and its names, whatever was named around it, and leaves none behind (T1)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        with no_store(), in_own_names(None):
            return self.get_response(request)


class ActiveStoreMiddleware:
    """Answers requests to ``/admin/<slug>/…`` with the pages of that store, for those who work in it (T1, T5).

    The address alone decides: it sets ``request.store``, ``request.role`` and the time zone (T4), and what was chosen
    elsewhere counts for nothing. The membership is read for every request, so that one that was taken away is gone with
    the next click. Addresses of the back-office that name no store have None for store and role.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request. Raises Http404 for a store the person does not work in, as for one there is not."""
        if not request.path_info.startswith(BACK_OFFICE):
            return self.get_response(request)
        staff = cast(StaffRequest, request)
        staff.store, staff.role, staff.other_stores = None, None, ()
        found = split_address(request.path_info)
        if found is None or is_reserved(found[0]):
            # Signing in, choosing a store, and the operators' pages.
            with every_store():
                return self.get_response(request)
        slug, rest = found
        if not admin.site.has_permission(request):
            return redirect_to_login(request.get_full_path(), common_page("admin:login"))
        if not rest:
            return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
        return self._in_store(staff, slug, rest)

    def _in_store(self, request: StaffRequest, slug: str, rest: str) -> HttpResponse:
        user = acting_user(request)
        place = find_workplace(user, slug)
        if place is None:
            raise Http404
        request.store, request.role, request.other_stores = place.store, place.role, place.others
        if (place.others or user.is_superuser) and request.session.get(SESSION_KEY) != place.store.pk:
            request.session[SESSION_KEY] = place.store.pk
        request.path_info, request.urlconf = rest, STORE_URLS
        names = names_of(place.store)
        with in_store(place.store.pk), in_own_names(names), mounted(slug), timezone.override(place.store.tz):
            return self.get_response(request)
