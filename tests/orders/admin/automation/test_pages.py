"""The list of what will be cancelled, holding from the pages, payment by staff, and the jobs page."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from loyalty.backoffice.lists import paging
from loyalty.journal.models import JobRun
from loyalty.store_settings.sections import AutoCancelSettings, StoreSettings
from loyalty.stores.models import Role, Store
from orders.models import Order, Problem
from orders.services.automation.cancel_unpaid import JOB
from tests import factories
from tests.addresses import pages_of, reverse
from tests.factories import NOW
from tests.orders.admin.reverts.cases import staff, store_and_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]
UPCOMING = "admin:orders_order_upcoming"
JOBS = "admin:orders_problem_changelist"
ON = StoreSettings(auto_cancel=AutoCancelSettings(payment_window_hours=48, expired="cancel_and_revert"))


@pytest.fixture
def shop() -> tuple[Store, Client]:
    store, client = store_and_staff(Role.SUPPORT)
    factories.make_settings(store, ON)
    return store, client


def place(store: Store, number: str, **fields: Any) -> Order:
    return factories.make_order(factories.make_customer(store), number=number, now=NOW, **fields)


def shown(client: Client, **query: str) -> list[str]:
    return [row["order"].number for row in client.get(reverse(UPCOMING), query).context["rows"]]


def problem(order: Order) -> Problem:
    made: Problem = Problem.unscoped.create(
        store=order.store,
        order=order,
        job=JOB,
        error="ValueError: bad data",
        attempts=3,
        next_attempt_at=NOW + timedelta(hours=2),
        created_at=NOW,
    )
    return made


def test_the_next_24_hours_and_holding_from_the_list(shop: tuple[Store, Client]) -> None:
    store, client = shop
    late, soon = (
        place(store, "late", payment_due_at=NOW + timedelta(hours=23)),
        place(store, "soon", payment_due_at=NOW),
    )
    place(store, "tomorrow", payment_due_at=NOW + timedelta(hours=24))
    place(factories.make_store(), "foreign", payment_due_at=NOW)
    assert shown(client) == ["soon", "late"]
    assert "with the next run" in client.get(reverse(UPCOMING)).content.decode()
    answer = client.post(reverse("admin:orders_order_hold", args=[soon.pk]), {"back": "upcoming"}, follow=True)
    assert "Order soon is held" in answer.content.decode()
    assert (shown(client), shown(client, show="held")) == (["late"], ["soon"])
    page = client.get(reverse(UPCOMING), {"show": "held"})
    assert "person-" in page.context["rows"][0]["held"]
    call_command("run_jobs", stdout=StringIO())
    soon.refresh_from_db()
    assert (soon.status, soon.payment_status) == ("pending", "expired")
    answer = client.post(reverse("admin:orders_order_release", args=[soon.pk]), {"back": "held"})
    assert answer["Location"] == f"{reverse(UPCOMING)}?show=held"
    call_command("run_jobs", stdout=StringIO())
    soon.refresh_from_db()
    late.refresh_from_db()
    assert (soon.status, late.status) == ("cancelled", "pending")


def test_the_list_is_paged_and_costs_the_same(shop: tuple[Store, Client], monkeypatch: pytest.MonkeyPatch) -> None:
    store, client = shop
    monkeypatch.setattr(paging, "PER_PAGE", 2)
    place(store, "0", payment_due_at=NOW)
    client.get(reverse(UPCOMING))
    with CaptureQueriesContext(connection) as one:
        client.get(reverse(UPCOMING))
    for number in "1234":
        place(store, number, payment_due_at=NOW + timedelta(hours=int(number)))
    with CaptureQueriesContext(connection) as several:
        assert shown(client) == ["0", "1"]
    assert len(one) == len(several)
    assert (shown(client, page="2"), shown(client, page="3"), shown(client, page="4")) == (["2", "3"], ["4"], [])
    assert client.get(reverse(UPCOMING), {"page": "x"}).status_code == 404


def test_the_order_page_says_what_comes_and_holds(shop: tuple[Store, Client]) -> None:
    store, client = shop
    order = place(store, "1", payment_due_at=NOW + timedelta(days=3))
    address = reverse("admin:orders_order_change", args=[order.pk])
    assert "Unless it is paid by then" in client.get(address).content.decode()
    hold = reverse("admin:orders_order_hold", args=[order.pk])
    assert client.post(hold)["Location"] == address
    page = client.get(address).content.decode()
    assert "No job cancels this order. Held by person-" in page
    assert reverse("admin:orders_order_release", args=[order.pk]) in page
    timeline = client.get(address, {"tab": "timeline"}).content.decode()
    assert "Held: not cancelled automatically" in timeline
    factories.cancel(order)
    assert "No job cancels this order" not in client.get(address).content.decode()
    assert client.get(hold).status_code == 405


@pytest.mark.parametrize(("payment", "words"), [("expired", "the next run of the job"), ("failed", "the job cancels")])
def test_the_order_page_says_what_becomes_of_a_fallen_payment(
    shop: tuple[Store, Client], payment: str, words: str
) -> None:
    order = place(shop[0], "1", payment_status=payment)
    address = reverse("admin:orders_order_change", args=[order.pk])
    assert words in shop[1].get(address).content.decode()
    Order.objects.for_store(shop[0]).filter(pk=order.pk).update(reinstated_at=NOW)
    assert words not in shop[1].get(address).content.decode()
    assert shown(shop[1]) == []


@pytest.mark.parametrize(("payment", "cancelled"), [("expired", True), ("failed", True), ("paid", False)])
def test_e5_staff_say_what_became_of_the_payment(shop: tuple[Store, Client], payment: str, cancelled: bool) -> None:
    store, client = shop
    order = place(store, "1")
    address = reverse("admin:orders_order_change", args=[order.pk])
    assert client.post(address, {"payment_status": payment}).status_code == 302
    order.refresh_from_db()
    assert (order.payment_status, order.payment_changed_at) == (payment, NOW)
    call_command("run_jobs", "orders.auto_cancel", stdout=StringIO())
    order.refresh_from_db()
    assert (order.status == "cancelled") is cancelled


def test_an_unknown_payment_status_changes_nothing(shop: tuple[Store, Client]) -> None:
    order = place(shop[0], "1")
    address = reverse("admin:orders_order_change", args=[order.pk])
    assert "Choose one of the payment" in shop[1].post(address, {"payment_status": "x"}, follow=True).content.decode()
    order.refresh_from_db()
    assert order.version == 1


def test_t2_a_viewer_looks_only(shop: tuple[Store, Client]) -> None:
    order = place(shop[0], "1", payment_due_at=NOW)
    waiting = problem(place(shop[0], "2", payment_status="failed"))
    viewer, _ = staff(shop[0], Role.VIEWER)
    assert shown(viewer) == ["1", "2"] or shown(viewer) == ["2", "1"]
    for name, row in (("order_hold", order), ("order_release", order), ("problem_retry", waiting)):
        address = reverse(f"admin:orders_{name}", args=[row.pk])
        assert viewer.post(address).status_code == 403
        for page in (UPCOMING, JOBS):
            assert address not in viewer.get(reverse(page)).content.decode()
    assert (
        viewer.post(reverse("admin:orders_order_change", args=[order.pk]), {"payment_status": "paid"}).status_code
        == 403
    )


def test_t1_an_outsider_holds_and_retries_nothing(shop: tuple[Store, Client]) -> None:
    order = place(shop[0], "1", payment_status="failed")
    waiting = problem(order)
    other, outsider = store_and_staff(Role.OWNER)
    with pages_of(other):
        for name, row in (("order_hold", order), ("order_release", order), ("problem_retry", waiting)):
            assert outsider.post(reverse(f"admin:orders_{name}", args=[row.pk])).status_code == 404
        assert outsider.get(reverse("admin:orders_problem_change", args=[waiting.pk])).status_code == 404
        assert outsider.get(reverse(JOBS)).context["problems"] == []
        assert shown(outsider) == shown(outsider, show="held") == []
    order.refresh_from_db()
    waiting.refresh_from_db()
    assert (order.held_at, waiting.next_attempt_at) == (None, NOW + timedelta(hours=2))


def test_e7_set_aside_orders_are_shown_and_tried_again(shop: tuple[Store, Client]) -> None:
    store, client = shop
    order = place(store, "1", payment_status="failed")
    waiting = problem(order)
    problem(place(store, "paid since", payment_status="paid"))
    (row,) = client.get(reverse(JOBS)).context["problems"]
    assert (row["order"].number, row["attempts"], row["error"]) == ("1", 3, "ValueError: bad data")
    call_command("run_jobs", "orders.auto_cancel", stdout=StringIO())
    order.refresh_from_db()
    assert order.status == "pending"
    client.post(reverse("admin:orders_problem_retry", args=[waiting.pk]))
    call_command("run_jobs", "orders.auto_cancel", stdout=StringIO())
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert client.get(reverse(JOBS)).context["problems"] == []
    assert client.get(reverse("admin:orders_problem_change", args=[waiting.pk])).status_code == 404


def test_only_operators_see_how_the_jobs_of_the_platform_went(shop: tuple[Store, Client]) -> None:
    call_command("run_jobs", stdout=StringIO())
    JobRun.objects.filter(name="credits.expire_lots").update(error="OSError: full", failed_at=NOW)
    assert shop[1].get(reverse(JOBS)).context["jobs"] == []
    assert "OSError" not in shop[1].get(reverse(JOBS)).content.decode()
    operator = Client()
    user = factories.make_user(is_superuser=True)
    operator.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    page = operator.get(reverse(JOBS))
    failed = {row["name"]: row.get("failed") for row in page.context["jobs"]}
    assert failed["credits.expire_lots"] is True
    assert failed["points.expire_lots"] is False
    assert "OSError: full" in page.content.decode()
