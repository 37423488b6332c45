"""How long rows are kept: said of every table, and what is done when their time is over."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import OperationalError
from pytest_django import Settings

from loyalty.accounts.models import Invitation, Tries
from loyalty.database.retention import Kept, all_kept, in_words, kept_of
from loyalty.jobs import prune as pruning
from loyalty.jobs.prune import prune
from loyalty.journal.models import LedgerCheck
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.notices.write import Letter, Message, queue
from loyalty.outbox.models import Message as OutboxMessage
from loyalty.stores.models import SentForm, Store
from orders.models import BulkCancel, BulkItem, Look, Order
from orders.services.bulk_cancels.run import choose
from tests.factories import ACTOR, NOW, make_customer, make_order

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "retention.md"
DAY = timedelta(days=1)


def test_every_table_says_how_long_its_rows_are_kept_and_why() -> None:
    """For the next one: declare ``retention`` on the model, beside its ``rights``."""
    silent = [model._meta.label for model in apps.get_models(include_auto_created=True) if kept_of(model) is None]
    assert silent == []
    assert all(kept.why for _, kept in all_kept())


def test_the_document_says_what_is_declared(capsys: pytest.CaptureFixture[str]) -> None:
    """``manage.py show_retention`` prints the table anew."""
    call_command("show_retention")
    assert capsys.readouterr().out.strip() in DOCUMENT.read_text()


def a_form(store: Store) -> Any:
    return SentForm.unscoped.create(store=store, token="once", created_at=NOW)


def a_check(store: Store) -> Any:
    return LedgerCheck.unscoped.create(store=store, checked_at=NOW)


def an_invitation(store: Store) -> Any:
    return Invitation.unscoped.create(
        store=store, email="a@example.org", role="viewer", invited_by=ACTOR.ref, created_at=NOW, expires_at=NOW
    )


def some_tries(_store: Store) -> Any:
    return Tries.objects.create(kind="password", last_at=NOW)


def a_session(_store: Store) -> Any:
    return Session.objects.create(session_key="0a", session_data="", expire_date=NOW)


def a_look(store: Store) -> Any:
    order = make_order(make_customer(store))
    return Look.unscoped.create(store=store, order=order, actor=ACTOR.ref, created_at=NOW, seen_at=NOW)


def a_finished_bulk_cancel(store: Store) -> Any:
    order = make_order(make_customer(store))
    rows = Order.objects.for_store(store).filter(pk=order.pk)
    bulk = choose(store=store, orders=rows, filters="", actor=ACTOR, now=NOW)
    BulkCancel.unscoped.filter(pk=bulk.pk).update(state="done", confirmed_at=NOW, finished_at=NOW)
    return bulk


@pytest.mark.django_db
@pytest.mark.parametrize(
    "make", [a_form, a_check, an_invitation, some_tries, a_session, a_look, a_finished_bulk_cancel]
)
def test_what_is_kept_for_a_time_goes_when_that_is_over(store: Store, make: Any) -> None:
    row = make(store)
    kept = kept_of(type(row))
    assert kept is not None
    assert kept.days is not None
    over = NOW + kept.days * DAY
    assert prune(over)[row._meta.label_lower] == 0
    assert prune(over + DAY)[row._meta.label_lower] == 1
    assert not type(row)._base_manager.filter(pk=row.pk).exists()
    assert not BulkItem.unscoped.exists()


@pytest.mark.django_db
def test_h3_of_an_old_notice_the_words_go_and_that_it_was_sent_stays(store: Store) -> None:
    waiting, sent = queue(
        [Letter(Message("Back", "5 back.", "<p>5 back.</p>"), make_customer(store), None) for _ in range(2)],
        actor=ACTOR,
        now=NOW,
    )
    Notice.unscoped.filter(pk=sent.pk).update(status=NoticeStatus.SENT, sent_at=NOW, next_attempt_at=None)
    assert prune(NOW + 1095 * DAY)["notices.notice"] == 0
    assert prune(NOW + 1096 * DAY)["notices.notice"] == 1
    assert prune(NOW + 1096 * DAY)["notices.notice"] == 0
    sent.refresh_from_db()
    waiting.refresh_from_db()
    assert (sent.status, sent.to_email, sent.text, sent.html, sent.subject) == ("sent", "", "", "", "Erased")
    assert waiting.text == "5 back."


@pytest.mark.django_db
def test_a_table_that_cannot_be_pruned_holds_up_no_other(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    a_form(store)
    plain = pruning._prune

    def broken(model: Any, kept: Kept, now: Any) -> Any:
        if model is OutboxMessage:
            raise OperationalError("No space left on device")
        if model is Notice:
            raise RuntimeError
        return plain(model, kept, now)

    monkeypatch.setattr(pruning, "_prune", broken)
    with pytest.raises(OperationalError, match="No space left"):
        prune(NOW + 31 * DAY)
    assert not SentForm.unscoped.exists()


@pytest.mark.django_db
def test_an_installation_chooses_the_days(store: Store, settings: Settings) -> None:
    a_form(store)
    settings.RETENTION_DAYS = {"stores.SentForm": "3"}
    assert run_checks() == []
    assert ("stores.SentForm", "3 days") in [row[:2] for row in in_words()]
    assert prune(NOW + 3 * DAY)["stores.sentform"] == 0
    assert prune(NOW + 4 * DAY)["stores.sentform"] == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"journal.JournalEntry": "30"}, "no table whose days can be chosen"),
        ({"nobody.Nothing": "30"}, "no table whose days can be chosen"),
        ({"orders.BalanceImport": "40"}, "no table whose days can be chosen"),
        ({"api.CommandAnswer": "1"}, "7 days at least"),
        ({"notices.Notice": "soon"}, "30 days at least"),
    ],
)
def test_days_that_cannot_be_are_told_at_the_start(settings: Settings, asked: dict[str, str], said: str) -> None:
    settings.RETENTION_DAYS = asked
    (error,) = run_checks()
    assert error.id == "loyalty.E003"
    assert said in error.msg


def test_days_of_a_date_are_counted_too(settings: Settings) -> None:
    model = apps.get_model("stores.DayOfAdjusting")
    kept = kept_of(model)
    assert kept is not None
    rows = kept.over(model, NOW)
    assert rows is not None
    assert str(date(2025, 12, 29)) in str(rows.query)
