"""The settings of a store, page by page, and every version they had (H4)."""

from typing import Any, ClassVar, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from loyalty.backoffice.base import StoreModelAdmin, StoreView
from loyalty.backoffice.settings.pages import SettingsPage, restore_view, version_changes, version_says
from loyalty.stores.actors import actor_names
from loyalty.stores.dates import show_moment
from loyalty.stores.models import SettingsVersion
from orders.admin.settings.automation import ORDER_SETTINGS
from orders.admin.settings.earned_points import EARNED
from orders.admin.settings.expiry import EXPIRY
from orders.admin.settings.letters import LETTERS
from orders.admin.settings.limits import LIMITS
from orders.admin.settings.notices import NOTICES
from orders.admin.settings.spent_revert import SPENT_REVERT
from orders.admin.settings.tagging_guide import guide_page
from orders.admin.settings.words_page import WORDS, letter_page, trial_page

# In the order of the menu. Every section of the settings is on one of these pages, and only on one.
PAGES: Final[tuple[SettingsPage, ...]] = (
    ORDER_SETTINGS,
    SPENT_REVERT,
    EXPIRY,
    NOTICES,
    LETTERS,
    *WORDS,
    LIMITS,
    EARNED,
)


@admin.register(SettingsVersion)
class SettingsVersionAdmin(StoreModelAdmin):
    """Saved settings: shown, changed and restored on the pages of their area; each version has a page of its own."""

    ordering = ("-version",)
    store_views: ClassVar[tuple[StoreView, ...]] = (
        *(page.view() for page in PAGES),
        StoreView("tagging/", "tagging", guide_page),
        StoreView("words/<slug:language>/<slug:about>/", "letter", letter_page),
        StoreView("words/<slug:language>/<slug:about>/test/", "trial", trial_page),
        StoreView("<path:object_id>/restore/<slug:page>/", "restore", restore_view(PAGES)),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The history stands on the pages themselves."""
        return HttpResponseRedirect(f"{PAGES[0].address}#history")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One version: who saved it and when, what it changed, and all that governed under it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        version: SettingsVersion = self.row_or_404(request, object_id)
        newer = SettingsVersion.objects.for_store(version.store).filter(version__gt=version.version)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Settings version %(version)s") % {"version": version.version},
            "opts": self.opts,
            "original": version,
            "who": actor_names([version.actor])[version.actor],
            "when": show_moment(version.created_at, version.store),
            "replaced": newer.order_by("version").first(),
            "changed": version_changes(PAGES, version),
            "says": version_says(PAGES, version),
        }
        return TemplateResponse(request, "loyalty/settings/version.html", context)
