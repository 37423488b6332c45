"""The page *Jobs*: how the periodic jobs went, and the orders they could not process (E7)."""

from datetime import timedelta
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.backoffice.badges import DASH
from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin, StoreView, store_view
from loyalty.backoffice.links import order_address
from loyalty.backoffice.lists.paging import page_of
from loyalty.core.clock import read_clock
from loyalty.core.locales import count_text
from loyalty.jobs.periodic import EVERY, JOBS, WORDS
from loyalty.journal.models import JobRun
from loyalty.languages.own_names import own_words
from loyalty.languages.retell import retell
from loyalty.stores.active_store import active_store, is_operator, may, store_or_none
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.admin.desk.waiting_page import again_page, waiting_page
from orders.models import Problem
from orders.services.automation.problems import ORDERS, waiting_orders

PAGE: Final = "admin:orders_problem_changelist"
_UNITS: Final = (
    (timedelta(hours=1), gettext_noop("%(number)s h")),
    (timedelta(minutes=1), gettext_noop("%(number)s min")),
    (timedelta(seconds=1), gettext_noop("%(number)s s")),
)


@store_view(needs=Can.CANCEL_ORDERS, methods=("POST",))
def retry_page(self: BackOfficeAdmin, request: HttpRequest, problem: Problem) -> HttpResponse:
    """Let the job try an order again now instead of at its next turn."""
    ORDERS.try_again(store=active_store(request), key=problem.pk, now=read_clock())
    messages.success(
        request,
        _("Order %(number)s is tried again within a minute. Look here again then.") % {"number": problem.order.number},
    )
    return HttpResponseRedirect(reverse(PAGE))


@admin.register(Problem)
class ProblemAdmin(StoreModelAdmin):
    """Jobs: what the store's staff can do something about, and for operators how every job last went."""

    ordering = ("next_attempt_at", "id")
    store_views: ClassVar[tuple[StoreView, ...]] = (
        StoreView("waiting/", "waiting", waiting_page),
        StoreView("waiting/<slug:kind>/<int:key>/", "again", again_page),
        StoreView("<path:object_id>/retry/", "retry", retry_page),
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Problem]":
        """Orders set aside that still wait."""
        store = store_or_none(request)
        return waiting_orders(store).order_by(*self.ordering) if store else super().get_queryset(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The page."""
        store = active_store(request)
        page = page_of(request, self.get_queryset(request))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Jobs"),
            "content_title": _("Jobs"),
            "page": page,
            "problems": [_problem_row(problem, store) for problem in page],
            "jobs": _job_rows(store) if is_operator(request) else [],
            "may_retry": may(request, Can.CANCEL_ORDERS),
        }
        return TemplateResponse(request, "orders/admin/desk/jobs.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A problem's page is its order's."""
        problem: Problem = self.row_or_404(request, object_id)
        return HttpResponseRedirect(order_address(problem.order_id))


def _problem_row(problem: Problem, store: Store) -> dict[str, Any]:
    return {
        "id": problem.pk,
        "order": problem.order,
        "job": own_words(WORDS.get(problem.job, problem.job)),
        "error": retell(problem.error),
        "attempts": problem.attempts,
        "since": show_moment(problem.created_at, store),
        "next": show_moment(problem.next_attempt_at, store),
    }


def _job_rows(store: Store) -> list[dict[str, Any]]:
    """Every job, whether it has run or not: two short tables, so that a job that never ran is seen too."""
    runs = {run.name: run for run in JobRun.objects.all()}
    return [_job_row(name, runs.get(name), store) for name in JOBS]


def _pause_words(pause: timedelta) -> str:
    unit, words = next((unit, words) for unit, words in _UNITS if pause >= unit)
    return _(words) % {"number": pause // unit}


def _job_row(name: str, run: JobRun | None, store: Store) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": name,
        "words": own_words(WORDS[name]),
        "every": _pause_words(EVERY[name]),
        "run": run,
    }
    if run is None:
        return row
    return row | {
        "when": show_moment(run.started_at, store),
        "seconds": _("%(number)s s") % {"number": f"{run.seconds:.2f}"},
        "counts": ", ".join(f"{what} {count_text(count)}" for what, count in run.counts.items()) or DASH,
        "failed": run.failed_at == run.started_at and bool(run.error),
        "failed_at": show_moment(run.failed_at, store),
    }
