"""*Is everything well?*: what metrics say of all stores together, in words, and where to go from there."""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from loyalty import __version__
from loyalty.backoffice.base import OperatorsPage
from loyalty.backoffice.site import platform_site
from loyalty.core.clock import read_clock
from loyalty.journal.models import JobRun
from loyalty.monitoring.findings import Finding, Light, Page, findings, worst
from loyalty.monitoring.health import OK, broker
from loyalty.monitoring.state import read_state
from loyalty.partners.breaker import resting_partners
from loyalty.stores.active_store import last_store
from loyalty.stores.models import Store
from loyalty.web.addresses import common_page, page_of

# Pages of a store are shown in the one last worked in; each of them leads to the others.
_OF_STORES: Final = {
    Page.JOBS: "admin:orders_problem_changelist",
    Page.WAITING: "admin:orders_problem_waiting",
    Page.OUTBOX: "admin:outbox_message_changelist",
}


@admin.register(JobRun, site=platform_site)
class WellAdmin(OperatorsPage):
    """The page, at the address of what it looks at first."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found, store = _found(), last_store(request)
        context = self.admin_site.each_context(request) | {
            "title": _("Is everything well?"),
            "content_title": _("Is everything well?"),
            "opts": self.opts,
            "whole": worst(found),
            "rows": [_row(finding, store) for finding in found],
            "store": store,
            "version": __version__,
        }
        return TemplateResponse(request, "loyalty/monitoring/well.html", context)


def _found() -> Sequence[Finding]:
    try:
        state = read_state(read_clock())
    except DatabaseError:
        said = _("The database did not say in time how things are.")
        do = _("See whether PostgreSQL has too much to do, or one statement holds up others; then open this again.")
        return [Finding(_("Database"), Light.RED, said, do)]
    broker_answers = broker() == {"broker": OK}
    return [*findings(state, broker_answers=broker_answers, resting=resting_partners())]


def _row(finding: Finding, store: Store | None) -> dict[str, Any]:
    return {"finding": finding, "link": _address(finding.page, store)}


def _address(page: Page | None, store: Store | None) -> str:
    """Where a page is; empty where there is none, or no store to show it in."""
    if page is Page.BOOKS:
        return common_page("admin:journal_ledgercheck_changelist")
    return page_of(store, _OF_STORES[page]) if page and store else ""
