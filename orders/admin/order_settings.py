"""The page *Order settings*: automatic cancelling, card by card, and who changed what (E1-E4, F1, H4)."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin, StoreView, store_view
from loyalty.errors import VersionConflict
from loyalty.jobs import wake
from loyalty.stores.active import acting, active_store, may
from loyalty.stores.actors import actor_names
from loyalty.stores.models import SettingsVersion, Store
from loyalty.stores.preferences import StoreSettings, current_settings, settings_from_json
from loyalty.stores.roles import Can
from loyalty.stores.saving_settings import change_settings
from loyalty.stores.settings_api import check_settings
from loyalty.stores.showing import show_moment
from orders.admin.order_settings_cards import CARDS, PATHS, CardForm, CardKind, differences, patch_of, value_at
from orders.services.upcoming import COUNTED_TO, Affected

PAGE: Final = "admin:stores_settingsversion_orders"
_VERSIONS_SHOWN: Final = 50
_LONGEST_VERSION: Final = 10


@store_view(needs=Can.VIEW)
def order_settings_page(self: BackOfficeAdmin, request: HttpRequest, _row: None) -> HttpResponse:
    """Show the cards; save one, or count what a choice that is not saved yet would do."""
    if request.method == "POST" and not may(request, Can.CHANGE_SETTINGS):
        raise PermissionDenied
    store, now = active_store(request), timezone.now()
    settings = current_settings(store)
    sent = next((card for card in CARDS if card.key == request.POST.get("card")), None)
    form = sent.form(request.POST, settings=settings) if sent else None
    stale: list[str] = []
    if sent and form and form.is_valid() and "_preview" not in request.POST:
        try:
            _save(request, store, form.patch(), now, version=_version(request))
        except VersionConflict:
            settings = current_settings(store)
            form = sent.form(request.POST, settings=settings)
            stale = _changed_meanwhile(store, _version(request))
        else:
            messages.success(request, f"“{sent.title}” is saved.")
            return HttpResponseRedirect(reverse(PAGE))
    cards = [_card(kind, form if kind is sent else None, store, settings, now) for kind in CARDS]
    context = {
        **self.admin_site.each_context(request),
        "title": "Order settings",
        "content_title": "Order settings",
        "cards": cards,
        "settings": settings,
        "stale": stale,
        # A card that is only looked at, or wrong, keeps the version it was filled in from; a stale one has been warned.
        "sent": sent.key if sent and not stale else "",
        "sent_version": _version(request),
        "may_change": may(request, Can.CHANGE_SETTINGS),
        "history": _history(store),
    }
    return TemplateResponse(request, "orders/admin/order_settings.html", context)


@store_view(needs=Can.CHANGE_SETTINGS, methods=("POST",))
def restore_page(self: BackOfficeAdmin, request: HttpRequest, version: SettingsVersion) -> HttpResponse:
    """Save what an older version had on this page as a new version; other settings stay as they are."""
    store, now = active_store(request), timezone.now()
    old = settings_from_json(version.data, version=version.version)
    patch = patch_of({path: value_at(old, path) for path in PATHS})
    try:
        _save(request, store, patch, now, version=_version(request))
    except VersionConflict:
        messages.error(request, "Nothing was restored: somebody changed the settings in between. Look again first.")
    else:
        messages.success(request, f"The order settings are as they were in version {version.version}.")
    return HttpResponseRedirect(reverse(PAGE))


@admin.register(SettingsVersion)
class SettingsVersionAdmin(StoreModelAdmin):
    """Saved settings: shown, changed and restored on the pages of their area."""

    ordering = ("-version",)
    actions = None
    store_views: ClassVar[tuple[StoreView, ...]] = (
        StoreView("orders/", "orders", order_settings_page),
        StoreView("<path:object_id>/restore/", "restore", restore_page),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The history stands on the page itself."""
        return HttpResponseRedirect(f"{reverse(PAGE)}#history")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A version has no page of its own."""
        self.row_or_404(request, object_id)
        return HttpResponseRedirect(f"{reverse(PAGE)}#history")


@dataclass(frozen=True, slots=True)
class Card:
    """One card as the page shows it."""

    key: str
    title: str
    form: CardForm
    affected: Affected | None
    sentence: str


def affected_words(affected: Affected) -> str:
    """How many orders, and how many of them used something, in one sentence."""
    if not affected.orders:
        return "No order would be cancelled now."
    orders = "order" if affected.orders == 1 else "orders"
    with_value = "none" if not affected.with_value else _bounded(affected.with_value)
    more = "at least " if affected.orders > COUNTED_TO >= affected.with_value > 0 else ""
    valuable = f"{more}{with_value.lower()} with credits or points"
    return f"{_bounded(affected.orders)} {orders} would be cancelled now, {valuable}."


def _bounded(count: int) -> str:
    return f"More than {COUNTED_TO:,}" if count > COUNTED_TO else f"{count:,}"


def _card(kind: CardKind, sent: CardForm | None, store: Store, settings: StoreSettings, now: datetime) -> Card:
    form = sent or kind.form(settings=settings)
    # Counted for what is chosen, saved or not.
    affected = kind.counting(store, form.chosen(), now) if kind.counting else None
    return Card(kind.key, kind.title, form, affected, affected_words(affected) if affected else "")


def _save(request: HttpRequest, store: Store, patch: dict[str, Any], now: datetime, *, version: int) -> None:
    check = partial(check_settings, store=store)
    change_settings(store=store, patch=patch, check=check, actor=acting(request), now=now, version=version)
    # What has become due by this is cancelled now rather than with the next sweep (E5).
    wake("orders.expire_overdue_payments")
    wake("orders.auto_cancel")


def _version(request: HttpRequest) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isdecimal() and len(text) < _LONGEST_VERSION else -1


def _changed_meanwhile(store: Store, read: int) -> list[str]:
    """Who saved last, and what is different from the version that was read."""
    versions = {row.version: row for row in SettingsVersion.objects.for_store(store).order_by("-version")[:1]}
    versions |= {row.version: row for row in SettingsVersion.objects.for_store(store).filter(version=read)}
    newest = versions[max(versions)]
    who = actor_names([newest.actor])[newest.actor]
    before = settings_from_json(versions[read].data, version=read) if read in versions else StoreSettings()
    changes = differences(before, settings_from_json(newest.data, version=newest.version))
    return [f"{who} saved version {newest.version} on {show_moment(newest.created_at, store)}."] + [
        f"{label}: from “{old}” to “{new}”." for label, old, new in changes
    ]


def _history(store: Store) -> list[dict[str, Any]]:
    """Versions that changed something on this page, newest first; two queries and one for names."""
    versions = SettingsVersion.objects.for_store(store).order_by("-version")
    rows = list(versions[: _VERSIONS_SHOWN + 1])
    states = [settings_from_json(row.data, version=row.version) for row in rows]
    before = [*states[1:], *([StoreSettings()] if len(rows) <= _VERSIONS_SHOWN else [])]
    names = actor_names(row.actor for row in rows)
    return [
        {
            "id": row.pk,
            "version": row.version,
            "when": show_moment(row.created_at, store),
            "who": names[row.actor],
            "changes": changes,
        }
        for row, old, new in zip(rows, before, states, strict=False)
        if (changes := differences(old, new))
    ]
