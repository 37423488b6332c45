"""Stores and API keys."""

from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin, StoreView, store_view
from loyalty.backoffice.form_page import form_page
from loyalty.backoffice.forms import first_time
from loyalty.backoffice.pages.stores.forms import ApiKeyForm, StoreForm
from loyalty.backoffice.site import platform_site
from loyalty.core.clock import read_clock
from loyalty.core.days import end_of_day
from loyalty.core.phrases import enumerated
from loyalty.stores.active_store import active_store, is_operator
from loyalty.stores.compared import NameKey
from loyalty.stores.dates import show_last_day, show_moment
from loyalty.stores.keys import create_api_key, is_in_force, revoke_api_key
from loyalty.stores.models import ApiKey, Store
from loyalty.stores.roles import Can
from loyalty.web.addresses import page_of

# Named as strings: this package knows nothing of the ledgers built on it.
_LOTS = (("credits", "CreditLot"), ("points", "PointLot"))


def has_lots(store: Store) -> bool:
    """Whether the store has ever given out value: from then on its currency and time zone are fixed (T4)."""
    return any(apps.get_model(*name)._default_manager.filter(store=store).exists() for name in _LOTS)


@admin.register(Store, site=platform_site)
class StoreAdmin(BackOfficeAdmin):
    """All stores, for operators of the platform."""

    form = StoreForm
    list_display = ("called", "short", "money", "zone", "written", "work_here")
    search_fields = ("name", "slug")
    search_help_text = gettext_lazy("Name or slug")
    ordering = (NameKey("name"), "pk")
    empty_title = gettext_noop("There is no store yet")
    empty_hint = gettext_noop("Create the first one; its owner can then be added under Staff.")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_operator(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_operator(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Time zone and currency are fixed once the store has lots (T4)."""
        return ("currency", "time_zone") if obj is not None and has_lots(obj) else ()

    def save_model(self, request: HttpRequest, obj: Store, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = read_clock()
        super().save_model(request, obj, form, change)

    @admin.display(description=gettext_lazy("Name"))
    def called(self, store: Store) -> str:
        return store.name

    @admin.display(description=gettext_lazy("Slug"))
    def short(self, store: Store) -> str:
        return store.slug

    @admin.display(description=gettext_lazy("Currency"))
    def money(self, store: Store) -> str:
        return store.currency

    @admin.display(description=gettext_lazy("Time zone"))
    def zone(self, store: Store) -> str:
        return store.time_zone

    @admin.display(description=gettext_lazy("Locale"))
    def written(self, store: Store) -> str:
        return store.locale

    @admin.display(description="")
    def work_here(self, store: Store) -> SafeString:
        """The way into the store."""
        words = gettext("Work in this store")
        return format_html('<a class="plain-button" href="{}">{}</a>', page_of(store, "admin:index"), words)


@store_view(needs=Can.MANAGE_API_KEYS, methods=("POST",))
def revoke_page(self: BackOfficeAdmin, request: HttpRequest, api_key: ApiKey) -> HttpResponse:
    """End a key for good."""
    revoke_api_key(store=active_store(request), api_key_id=api_key.pk, now=read_clock())
    messages.success(request, gettext("The key “%(name)s” is revoked.") % {"name": api_key.name})
    return HttpResponseRedirect(reverse("admin:stores_apikey_changelist"))


@admin.register(ApiKey)
class ApiKeyAdmin(StoreModelAdmin):
    """The active store's API keys: made, shown once, revoked."""

    view_needs = Can.MANAGE_API_KEYS
    add_needs = Can.MANAGE_API_KEYS
    related = ("store",)
    list_display = ("called", "begins", "state", "scopes_shown", "last_used", "until")
    ordering = ("-id",)
    empty_title = gettext_noop("No API keys yet")
    empty_hint = gettext_noop("A key lets the web shop or another program speak to the REST API for this store.")
    store_views: ClassVar[tuple[StoreView, ...]] = (StoreView("<path:object_id>/revoke/", "revoke", revoke_page),)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Make a key; the key itself is shown once, on the answer to this form."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        now, store = read_clock(), active_store(request)
        form = ApiKeyForm(request.POST or None, store=store, now=now)
        more: dict[str, Any] = {"form": form, "submit": gettext("Create key")}
        if request.method == "POST" and form.is_valid():
            secret = _create_once(form, store)
            if secret is None:
                messages.info(
                    request, gettext("This key was created already. If you do not have it, revoke it and make another.")
                )
                return HttpResponseRedirect(reverse("admin:stores_apikey_changelist"))
            more = {
                "secret": secret,
                "secret_title": gettext("The key “%(name)s”") % {"name": form.cleaned_data["name"]},
                "secret_hint": gettext("Copy it now: it is stored as a hash and cannot be shown again."),
            }
        return form_page(self, request, gettext("New API key"), "admin:stores_apikey_changelist", more)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the key may do, and revoking it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        key: ApiKey = self.row_or_404(request, object_id)
        more: dict[str, Any] = {
            "original": key,
            "hint": gettext("Allowed: %(scopes)s. %(state)s.")
            % {"scopes": self.scopes_shown(key), "state": self.state(key)},
        }
        if key.revoked_at is None:
            more["danger"] = {
                "title": gettext("Revoke this key"),
                "words": gettext("Programs that use it are refused from then on. This cannot be undone."),
                "submit": gettext("Revoke key"),
                "action": reverse("admin:stores_apikey_revoke", args=[key.pk]),
            }
        return form_page(self, request, key.name, "admin:stores_apikey_changelist", more)

    @admin.display(description=gettext_lazy("Name"))
    def called(self, key: ApiKey) -> str:
        return key.name

    @admin.display(description=gettext_lazy("Prefix"))
    def begins(self, key: ApiKey) -> str:
        return key.prefix

    @admin.display(description=gettext_lazy("State"))
    def state(self, key: ApiKey) -> str:
        if key.revoked_at:
            return gettext("Revoked %(moment)s") % {"moment": show_moment(key.revoked_at, key.store)}
        return gettext("In force") if is_in_force(key, read_clock()) else gettext("Expired")

    @admin.display(description=gettext_lazy("Allowed"))
    def scopes_shown(self, key: ApiKey) -> str:
        return gettext("everything") if key.scopes == ["*"] else enumerated(key.scopes)

    @admin.display(description=gettext_lazy("Last used"))
    def last_used(self, key: ApiKey) -> str:
        return show_moment(key.last_used_at, key.store) or gettext("never")

    @admin.display(description=gettext_lazy("Valid until"))
    def until(self, key: ApiKey) -> str:
        return show_last_day(key.expires_at, key.store)


@transaction.atomic
def _create_once(form: ApiKeyForm, store: Store) -> str | None:
    data = form.cleaned_data
    if not first_time(data["once"], store=store, now=form.now):
        return None
    last_day = data["expires_on"]
    scopes = ["*"] if "*" in data["scopes"] else data["scopes"]
    expires_at = end_of_day(last_day, store.tz) if last_day else None
    _, secret = create_api_key(store=store, name=data["name"], scopes=scopes, now=form.now, expires_at=expires_at)
    return secret
