"""The two admin sites: one for the pages of a store, mounted for each store, and one for what names no store (T5)."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, is_valid_path, re_path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.sites import UnfoldAdminSite

from loyalty.backoffice.base import BackOfficeAdmin
from loyalty.stores.active_store import acting_user, is_operator, last_store, store_or_none, stores_of
from loyalty.web.addresses import BACK_OFFICE, STORE_URLS, page_of

_SIGNING_IN: Final = ("login", "logout", "password_change", "password_change_done")


class BackOfficeSite(UnfoldAdminSite):
    """What both sites have in common."""

    enable_nav_sidebar = True
    # Addresses that do not exist answer 404 to everybody, signed in or not.
    final_catch_all_view = False
    # Names of addresses that Django's admin would bring and this site does not have.
    not_here: tuple[str, ...] = ("view_on_site",)

    def register(self, models: Any, admin_class: Any = None, **options: Any) -> None:
        """Only pages made for the back-office: what other packages bring knows neither stores nor roles (T1)."""
        if admin_class is not None and issubclass(admin_class, BackOfficeAdmin):
            super().register(models, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """What Django and the theme bring, less what this site does not have."""
        return [url for url in super().get_urls() if getattr(url, "name", "") not in self.not_here]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page knows: its store and the others one can go to."""
        context: dict[str, Any] = super().each_context(request)
        return context | {
            "active_store": store_or_none(request),
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

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Nothing: what there is stands in the menu, and to ask every model for its rights would cost each page."""
        return []

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Django's action log is not kept."""
        return super().get_log_entries(request).none()


class StoreSite(BackOfficeSite):
    """The pages of one store. Whoever comes here works in it: the middleware sees to that."""

    index_title = gettext_lazy("Dashboard")
    index_template = "loyalty/index.html"
    not_here = (*BackOfficeSite.not_here, *_SIGNING_IN)


class PlatformSite(BackOfficeSite):
    """Signing in, the operators' pages, and the ways from there into the stores."""

    index_title = gettext_lazy("Stores")
    not_here = (*BackOfficeSite.not_here, "autocomplete")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """What names no store, then the addresses that stores' pages had before the store stood in them."""
        labels = sorted({model._meta.app_label for model in admin.site._registry})  # noqa: SLF001 - as the theme does
        old = re_path(rf"^(?:{'|'.join(labels)})/.*$", self._old_view(), name="old_address")
        return [*super().get_urls(), old]

    def _old_view(self) -> Callable[..., HttpResponse]:
        view: Callable[..., HttpResponse] = self.admin_view(self.old_address)
        return view

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Ways into the person's stores, where the pages of a store have ways to the others."""
        context = super().each_context(request)
        if self.has_permission(request):
            last = last_store(request) if is_operator(request) else None
            context["other_stores"] = (last,) if last else stores_of(acting_user(request))
        return context

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one way in, with its limits and second factors: never Django's own page."""
        return HttpResponseRedirect(reverse("account_login"))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Passwords are changed on the account's own pages."""
        return HttpResponseRedirect(reverse("account_change_password"))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """``/admin/``: on to the store last worked in. Without any store: what to do about that."""
        store = last_store(request)
        if store is not None:
            return HttpResponseRedirect(page_of(store, "admin:index"))
        title = _("There is no store yet") if is_operator(request) else _("No store yet")
        context = self.each_context(request) | {"title": title}
        return render(request, "loyalty/no_store.html", context, status=200 if is_operator(request) else 403)

    def old_address(self, request: HttpRequest) -> HttpResponse:
        """A page of no named store: its page in the store last worked in. What was sent here acts on nothing (T5)."""
        path = request.path.removeprefix(BACK_OFFICE)
        store = last_store(request)
        if store is None or not any(is_valid_path(f"/{path}{end}", STORE_URLS) for end in ("", "/")):
            raise Http404
        address = page_of(store, "admin:index") + request.get_full_path().removeprefix(BACK_OFFICE)
        if request.method in ("GET", "HEAD"):
            return HttpResponseRedirect(address)
        context = self.each_context(request) | {"title": _("Nothing was changed"), "address": address, "store": store}
        answer = render(request, "loyalty/old_address.html", context, status=405)
        answer.headers["Allow"] = "GET, HEAD"
        return answer


platform_site: Final = PlatformSite()
