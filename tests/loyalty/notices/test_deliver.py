"""Sending notices: once, with growing pauses, given up in the end (H3)."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection, transaction
from pytest_django import Settings

from loyalty.jobs.retries import NOTICES
from loyalty.journal.models import JournalEntry
from loyalty.notices import deliver
from loyalty.notices.deliver import deliver_notices
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.notices.write import Letter, Message, queue
from loyalty.partners.mail import parse_address
from loyalty.store_settings.letterhead import LetterheadSettings
from loyalty.store_settings.logo import keep_logo, read_picture
from loyalty.store_settings.sections import StoreSettings
from loyalty.stores.models import Customer
from tests.factories import ACTOR, NOW, make_customer, make_order, make_settings, make_store
from tests.pictures import picture


def queued(customer: Customer | None = None) -> Notice:
    customer = customer or make_customer(make_store(name="Aurora Tea"))
    message = Message("Your order was cancelled", "5.00 USD are back.", "<p>5.00 USD are back.</p>")
    return queue([Letter(message, customer, None)], actor=ACTOR, now=NOW)[0]


def events(notice: Notice) -> list[str]:
    entries = JournalEntry.objects.for_store(notice.store).filter(customer=notice.customer).order_by("id")
    return list(entries.values_list("event", flat=True))


@pytest.fixture
def mail_server_away(settings: Settings) -> Iterator[None]:
    """A mail server's address at which nobody answers: the port is held, and nothing listens there."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = held.getsockname()
        yield


@pytest.mark.django_db
def test_h3_a_notice_goes_out_as_text_and_html_in_the_stores_name() -> None:
    notice = queued()
    assert deliver_notices(NOW) == {"sent": 1, "postponed": 0, "failed": 0, "reminders": 0}
    sent = mail.outbox[0]
    assert isinstance(sent, mail.EmailMultiAlternatives)
    assert sent.to == [notice.to_email]
    assert sent.message()["From"].startswith("Aurora Tea <")
    assert sent.body == "5.00 USD are back."
    assert [tuple(part) for part in sent.alternatives] == [("<p>5.00 USD are back.</p>", "text/html")]
    assert sent.message()["Message-ID"] == notice.message_id


@pytest.mark.django_db
def test_h3_a_store_names_its_sender_and_where_answers_go() -> None:
    notice = queued()
    letterhead = LetterheadSettings(sender="Aurora, Tea & Co", reply_to="hello@aurora.example")
    make_settings(notice.store, StoreSettings(letterhead=letterhead))
    deliver_notices(NOW)
    sent = mail.outbox[0].message()
    assert sent["From"].startswith('"Aurora, Tea & Co" <')
    assert sent["Reply-To"] == "hello@aurora.example"
    assert mail.outbox[0].from_email == parse_address(settings.DEFAULT_FROM_EMAIL).addr_spec


@pytest.mark.django_db
def test_h3_a_letter_s_logo_travels_with_it_and_nothing_is_fetched() -> None:
    customer = make_customer(make_store(name="Aurora Tea"))
    logo = read_picture(picture("JPEG"), "")
    keep_logo(customer.store, logo)
    html = f'<img src="cid:{logo.name}@logo">'
    queue([Letter(Message("Back", "5.00 USD are back.", html), customer, None)], actor=ACTOR, now=NOW)
    deliver_notices(NOW)
    sent = message_from_bytes(mail.outbox[0].message().as_bytes(), policy=policy.default)
    assert sent.get_content_type() == "multipart/related"
    words, enclosed = sent.iter_parts()
    assert [part.get_content_type() for part in words.iter_parts()] == ["text/plain", "text/html"]
    assert enclosed["Content-ID"] == f"<{logo.name}@logo>"
    assert enclosed.get_content_disposition() == "inline"
    assert (enclosed.get_content_type(), enclosed.get_content()) == ("image/jpeg", logo.content)


@pytest.mark.django_db
def test_h3_a_sent_notice_is_marked_noted_and_not_sent_again() -> None:
    notice = queued()
    deliver_notices(NOW)
    assert deliver_notices(NOW + timedelta(days=1)) == {"sent": 0, "postponed": 0, "failed": 0, "reminders": 0}
    notice.refresh_from_db()
    assert (notice.status, notice.sent_at, notice.attempts) == (NoticeStatus.SENT, NOW, 1)
    assert events(notice) == ["notice.queued", "notice.sent"]
    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_h3_two_notices_have_message_ids_of_their_own() -> None:
    customer = make_customer(make_store())
    assert queued(customer).message_id != queued(customer).message_id


@pytest.mark.django_db
def test_h3_messages_about_one_order_answer_the_first_and_say_their_language() -> None:
    customer = make_customer(make_store(), locale="de-AT")
    order = make_order(customer)
    for language, about in (("de", order.pk), ("de", order.pk), ("en", None)):
        queue([Letter(Message("s", "t", "h", language), customer, about)], actor=ACTOR, now=NOW)
        deliver_notices(NOW)
    first, second, other = (sent.message() for sent in mail.outbox)
    assert (second["In-Reply-To"], second["References"]) == (first["Message-ID"], first["Message-ID"])
    assert [one["In-Reply-To"] for one in (first, other)] == [None, None]
    assert [one["Content-Language"] for one in (first, second, other)] == ["de", "de", "en"]


@pytest.mark.django_db
def test_h3_a_customer_without_an_address_gets_none() -> None:
    customer = make_customer(make_store(), email="")
    assert queue([Letter(Message("s", "t", "h"), customer, None)], actor=ACTOR, now=NOW) == []


@pytest.mark.django_db
def test_h3_while_the_mail_server_is_away_notices_wait_and_none_is_given_up(mail_server_away: None) -> None:
    notice, now = queued(), NOW
    for _ in range(2 * len(NOTICES.steps)):
        assert deliver_notices(now) == {"sent": 0, "postponed": 1, "failed": 0, "reminders": 0}
        assert deliver_notices(now)["postponed"] == 0
        notice.refresh_from_db()
        assert (notice.status, notice.attempts) == (NoticeStatus.QUEUED, 0)
        assert notice.last_error.startswith("The mail server cannot be used: ")
        assert notice.next_attempt_at is not None
        assert notice.next_attempt_at > now
        now = notice.next_attempt_at


@pytest.mark.django_db
def test_h3_a_repeat_carries_the_same_message_id(mail_server_away: None, settings: Settings) -> None:
    notice = queued()
    deliver_notices(NOW)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert deliver_notices(NOW + NOTICES.steps[0])["sent"] == 1
    assert mail.outbox[0].message()["Message-ID"] == notice.message_id
    notice.refresh_from_db()
    assert (notice.attempts, notice.last_error) == (1, "")


@pytest.mark.django_db(transaction=True)
def test_h3_a_notice_that_is_being_sent_is_passed_over_by_a_second_delivery() -> None:
    first, second = queued(), queued()
    with transaction.atomic():
        Notice.unscoped.select_for_update().get(pk=first.pk)
        with ThreadPoolExecutor(1) as other_worker:
            assert other_worker.submit(deliver_on_a_connection_of_its_own).result(timeout=20) == 1
    assert [message.to for message in mail.outbox] == [[second.to_email]]
    assert deliver_notices(NOW)["sent"] == 1


@pytest.mark.django_db(transaction=True)
def test_h3_many_deliveries_at_once_send_each_notice_once() -> None:
    customer = make_customer(make_store())
    expected = {queued(customer).message_id for _ in range(12)}
    with ThreadPoolExecutor(4) as workers:
        deliveries = [workers.submit(deliver_on_a_connection_of_its_own) for _ in range(4)]
        assert sum(delivery.result(timeout=30) for delivery in deliveries) == 12
    sent = [message.message()["Message-ID"] for message in mail.outbox]
    assert len(sent) == 12
    assert set(sent) == expected


def deliver_on_a_connection_of_its_own() -> int:
    try:
        return deliver_notices(NOW)["sent"]
    finally:
        connection.close()


@pytest.mark.django_db
@pytest.mark.parametrize("broken", [{"subject": "two\nlines"}, {"to_email": "two\nlines@example.org"}])
def test_h3_one_that_cannot_be_written_down_does_not_hold_up_the_next(broken: dict[str, str]) -> None:
    notice, behind = queued(), queued()
    Notice.unscoped.filter(pk=notice.pk).update(**broken)
    counts = deliver_notices(NOW)
    assert counts == {"sent": 1, "postponed": 1, "failed": 0, "reminders": 0}
    behind.refresh_from_db()
    assert behind.status == NoticeStatus.SENT


@pytest.mark.django_db
def test_h3_a_writer_that_fails_holds_up_no_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    notice = queued()
    monkeypatch.setattr(deliver, "WRITERS", ("math.sqrt",))
    with pytest.raises(TypeError):
        deliver_notices(NOW)
    notice.refresh_from_db()
    assert notice.status == NoticeStatus.SENT


@pytest.mark.django_db
def test_h3_a_subject_is_one_line_and_fits() -> None:
    letter = Letter(Message("Order 1\n\n2 " + "9" * 300, "t", "h"), make_customer(make_store()), None)
    (notice,) = queue([letter], actor=ACTOR, now=NOW)
    assert notice.subject.startswith("Order 1 2 999")
    assert deliver_notices(NOW)["sent"] == 1
