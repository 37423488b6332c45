"""The page *Jobs*: how the periodic jobs went, and the orders they could not process (E7)."""

from datetime import timedelta
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from loyalty.backoffice.badges import DASH
from loyalty.backoffice.base import BackOfficeAdmin, StoreModelAdmin, StoreView, store_view
from loyalty.backoffice.links import order_address
from loyalty.backoffice.lists.paging import page_of
from loyalty.jobs.periodic import EVERY, JOBS, wake
from loyalty.journal.models import JobRun
from loyalty.stores.active_store import active_store, is_operator, may
from loyalty.stores.dates import show_moment
from loyalty.stores.models import Store
from loyalty.stores.roles import Can
from orders.models import OrderStatus, PaymentStatus, Problem
from orders.services.automation.cancel_unpaid import JOB as CANCELLING
from orders.services.rules.schedule import JOB as EVALUATING

PAGE: Final = "admin:orders_problem_changelist"
_UNITS: Final = ((timedelta(hours=1), "h"), (timedelta(minutes=1), "min"), (timedelta(seconds=1), "s"))
_WORDS: Final = {
    "orders.expire_overdue_payments": "Payments whose time has run out become Expired",
    "orders.auto_cancel": "Orders with expired or failed payment are cancelled",
    "orders.poll_platforms": "Changed orders are fetched from the shop platforms",
    "orders.continue_polls": "Long catch-ups are continued",
    "orders.evaluate_rules": "Spent-revert rules look at orders that changed",
    "orders.bulk_cancel": "Orders that staff chose are cancelled together",
    "credits.expire_lots": "Expired credits are booked off",
    "points.expire_lots": "Expired points are booked off",
    "loyalty.deliver_notices": "Messages to customers are sent",
    "loyalty.check_ledger": "The books are checked, once a day",
    "loyalty.deliver_letters": "Staff get their links and invitations by e-mail",
    "loyalty.deliver_outbox": "Shop platforms and webhook endpoints are told",
    "loyalty.repair_webhooks": "Missing webhooks are registered again, once a day",
    "orders.process_deliveries": "Webhooks of shop platforms are worked through",
    "loyalty.prune": "Temporary data past its date is deleted",
}


@store_view(needs=Can.CANCEL_ORDERS, methods=("POST",))
def retry_page(self: BackOfficeAdmin, request: HttpRequest, problem: Problem) -> HttpResponse:
    """Let the job try an order again now instead of at its next turn."""
    now = timezone.now()
    Problem.objects.for_store(active_store(request)).filter(pk=problem.pk).update(next_attempt_at=now)
    wake(problem.job)
    messages.success(request, f"Order {problem.order.number} is tried again within a minute. Look here again then.")
    return HttpResponseRedirect(reverse(PAGE))


@admin.register(Problem)
class ProblemAdmin(StoreModelAdmin):
    """Jobs: what the store's staff can do something about, and for operators how every job last went."""

    ordering = ("next_attempt_at", "id")
    store_views: ClassVar[tuple[StoreView, ...]] = (StoreView("<path:object_id>/retry/", "retry", retry_page),)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Problem]":
        """Orders set aside that still wait: one that was paid or cancelled meanwhile is no problem any more."""
        rows: QuerySet[Problem] = super().get_queryset(request)
        to_cancel = Q(
            job=CANCELLING,
            order__status__in=(OrderStatus.PENDING, OrderStatus.CONFIRMED),
            order__payment_status__in=(PaymentStatus.EXPIRED, PaymentStatus.FAILED),
        )
        return rows.select_related("order").filter(to_cancel | Q(job=EVALUATING, order__rules_due_at__isnull=False))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The page."""
        store = active_store(request)
        page = page_of(request, self.get_queryset(request))
        context = {
            **self.admin_site.each_context(request),
            "title": "Jobs",
            "content_title": "Jobs",
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
        "job": _WORDS.get(problem.job, problem.job),
        "error": problem.error,
        "attempts": problem.attempts,
        "since": show_moment(problem.created_at, store),
        "next": show_moment(problem.next_attempt_at, store),
    }


def _job_rows(store: Store) -> list[dict[str, Any]]:
    """Every job, whether it has run or not: two short tables, so that a job that never ran is seen too."""
    runs = {run.name: run for run in JobRun.objects.all()}
    return [_job_row(name, runs.get(name), store) for name in JOBS]


def _pause_words(pause: timedelta) -> str:
    unit, word = next((unit, word) for unit, word in _UNITS if pause >= unit)
    return f"{pause // unit} {word}"


def _job_row(name: str, run: JobRun | None, store: Store) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": name,
        "words": _WORDS.get(name, name),
        "every": _pause_words(EVERY[name]),
        "run": run,
    }
    if run is None:
        return row
    return row | {
        "when": show_moment(run.started_at, store),
        "seconds": f"{run.seconds:.2f} s",
        "counts": ", ".join(f"{what} {count:,}" for what, count in run.counts.items()) or DASH,
        "failed": run.failed_at == run.started_at and bool(run.error),
        "failed_at": show_moment(run.failed_at, store),
    }
