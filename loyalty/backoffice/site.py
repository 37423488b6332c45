"""The admin site: signing in, the store switcher, the start page."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.views.decorators.http import require_POST
from unfold.sites import UnfoldAdminSite

from loyalty.backoffice.base import BackOfficeAdmin
from loyalty.stores.active import SESSION_KEY, acting_user, is_operator, may_work_in, store_or_none

# Addresses of Django's admin that would show things across stores.
_NOT_HERE = ("view_on_site",)
_NEEDS_NO_STORE = ("admin:logout", "admin:password_change", "admin:password_change_done")


class BackOfficeSite(UnfoldAdminSite):
    """The one admin site. Every page of it is about the active store."""

    index_title = "Dashboard"
    index_template = "loyalty/index.html"
    enable_nav_sidebar = True
    # Addresses that do not exist answer 404 to everybody, signed in or not.
    final_catch_all_view = False

    def register(self, models: Any, admin_class: Any = None, **options: Any) -> None:
        """Only pages made for the back-office: what other packages bring knows neither stores nor roles (T1)."""
        if admin_class is not None and issubclass(admin_class, BackOfficeAdmin):
            super().register(models, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """The store switcher, and what Django and the theme bring."""
        own: list[URLPattern | URLResolver] = [
            path("switch-store/", self.admin_view(require_POST(self.switch_store)), name="switch_store"),
        ]
        return own + [url for url in super().get_urls() if getattr(url, "name", "") not in _NOT_HERE]

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., HttpResponse]:
        """As Django's; somebody who works in no store sees what to do about it instead of any page."""

        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if store_or_none(request) is None and not is_operator(request) and not _needs_no_store(request):
                return self.no_store(request)
            return view(request, *args, **kwargs)

        guarded: Callable[..., HttpResponse] = super().admin_view(inner, cacheable)
        return guarded

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one way in, with its limits and second factors: never Django's own page."""
        return HttpResponseRedirect(reverse("account_login"))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Passwords are changed on the account's own pages."""
        return HttpResponseRedirect(reverse("account_change_password"))

    def no_store(self, request: HttpRequest) -> HttpResponse:
        """What somebody sees who signed in but works in no store."""
        return render(
            request, "loyalty/no_store.html", {**self.each_context(request), "title": "No store yet"}, status=403
        )

    def switch_store(self, request: HttpRequest) -> HttpResponse:
        """Work in another store from now on (T2). A store the person does not work in is a 404, as an unknown one."""
        wanted = request.POST.get("store", "")
        if not wanted.isdecimal() or not may_work_in(acting_user(request), int(wanted)):
            raise Http404
        request.session[SESSION_KEY] = int(wanted)
        return HttpResponseRedirect(reverse("admin:index"))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page knows: the active store and the others one can switch to."""
        context: dict[str, Any] = super().each_context(request)
        store = store_or_none(request)
        return context | {
            "active_store": store,
            "other_stores": getattr(request, "other_stores", ()),
            "is_operator": is_operator(request),
            "my_role": getattr(request, "role", None),
        }

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The theme's search keeps its results for a person, whatever the store: it is switched off."""
        raise Http404

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's list of an app's models is replaced by the menu."""
        return HttpResponseRedirect(reverse("admin:index"))

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Django's action log is not kept."""
        return super().get_log_entries(request).none()


def _needs_no_store(request: HttpRequest) -> bool:
    return request.path in {reverse(name) for name in _NEEDS_NO_STORE} or request.path == reverse("admin:jsi18n")
