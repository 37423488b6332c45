"""``run_jobs``: one line of counts a job, all of them until nothing is due, and nothing for ever."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from credits.models import CreditMovement
from loyalty.jobs.periodic import EVERY, JOBS
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.notices.write import Letter, Message, queue
from loyalty.store_settings.sections import AutoCancelSettings, StoreSettings
from orders.models import OrderStatus
from tests.factories import ACTOR, BEFORE, NOW, grant, make_customer, make_order, make_settings, make_store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


def run(*names: str) -> list[str]:
    output = StringIO()
    call_command("run_jobs", *names, stdout=output)
    return output.getvalue().splitlines()


def lapsed_lots(number: int) -> None:
    customer = make_customer(make_store())
    for _ in range(number):
        grant("credits", customer, "10.00", until=date(2026, 1, 1))


def test_a_named_job_prints_one_line_of_counts() -> None:
    lapsed_lots(3)
    assert run("credits.expire_lots") == ["credits.expire_lots: lots=3 failed=0"]
    assert run("credits.expire_lots") == ["credits.expire_lots: lots=0 failed=0"]


def test_only_the_named_jobs_run() -> None:
    lapsed_lots(1)
    assert run("points.expire_lots") == ["points.expire_lots: lots=0 failed=0"]
    assert not CreditMovement.unscoped.filter(type="expire").exists()


def test_without_names_each_job_prints_one_line() -> None:
    lapsed_lots(2)
    lines = run()
    assert [line.partition(":")[0] for line in lines] == list(JOBS)
    assert "credits.expire_lots: lots=2 failed=0" in lines


def test_without_names_what_one_job_leaves_to_another_is_done_too() -> None:
    """The payment has to expire before its order is cancelled for it."""
    store = make_store()
    make_settings(store, StoreSettings(auto_cancel=AutoCancelSettings(expired="cancel")))
    order = make_order(make_customer(store), payment_due_at=BEFORE)
    lines = run()
    order.refresh_from_db()
    assert order.status == OrderStatus.CANCELLED
    assert {
        "orders.expire_overdue_payments: expired=1 declined=0 failed=0",
        "orders.auto_cancel: cancelled=1 failed=0",
    } <= set(lines)


def test_postponed_notices_do_not_keep_it_running(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    queue([Letter(Message("s", "t", "h"), make_customer(make_store()), None)], actor=ACTOR, now=NOW)
    assert "loyalty.deliver_notices: sent=0 postponed=1 failed=0 reminders=0" in run()
    assert Notice.unscoped.get().status == NoticeStatus.QUEUED


def test_the_instant_is_pythons_clock() -> None:
    lapsed_lots(1)
    run("credits.expire_lots")
    assert CreditMovement.unscoped.get(type="expire").created_at == NOW


def test_an_unknown_name_is_one_line_that_names_the_known_ones() -> None:
    with pytest.raises(CommandError) as refused:
        run("credits.expire_lots", "orders.nonsense")
    assert "orders.nonsense" in str(refused.value)
    assert all(name in str(refused.value) for name in JOBS)
    assert "\n" not in str(refused.value)


def test_every_job_has_a_pause() -> None:
    assert set(EVERY) == set(JOBS)
