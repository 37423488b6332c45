"""Every mail that the product sends, once through a real mail server; and what the server's answers mean for others."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from loyalty.accounts.letters import deliver_letters, write, write_reset
from loyalty.accounts.models import Letter, LetterKind
from loyalty.jobs.retries import NOTICES, REFUSED_MAIL
from loyalty.journal.models import JournalEntry
from loyalty.notices.deliver import WAITING, deliver_notices
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.notices.write import Letter as NoticeLetter
from loyalty.notices.write import Message, queue
from loyalty.partners.mail import Mail, ServerAway, send
from loyalty.stores.models import Store
from tests.factories import ACTOR, NOW, make_customer, make_store, make_user
from tests.loyalty.accounts.invitations.test_invite import invite, owner_of
from tests.loyalty.partners.mail_server import MailServer, mail_server

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture(scope="module")
def running() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def server(running: MailServer, settings: Settings) -> MailServer:
    """The server, empty and polite, that the product's mail goes to under the documented sender."""
    kept = MailServer(port=running.port)
    vars(running).update(vars(kept))
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
    settings.DEFAULT_FROM_EMAIL = "Your shop <shop@example.com>"
    return running


def a_notice(store: Store, email: str = "anna@example.org") -> Notice:
    customer = make_customer(store, email=email)
    return queue([NoticeLetter(Message("Back", "5 back.", "<p>5 back.</p>"), customer, None)], actor=ACTOR, now=NOW)[0]


def written_notice() -> Callable[[], Any]:
    a_notice(make_store(name="Aurora Tea"))
    return lambda: deliver_notices(NOW)


def written_invitation() -> Callable[[], Any]:
    invite(owner_of(make_store(name="Aurora Tea")))
    return lambda: deliver_letters(NOW)


def written_reset() -> Callable[[], Any]:
    user = make_user()
    write_reset(user.email, base="https://shop.example", now=NOW)
    return lambda: deliver_letters(NOW)


def written_news() -> Callable[[], Any]:
    news = {"email": "anna@example.org", "subject": "Your password was changed", "text": "It was changed.\nBy you?"}
    write(Letter(kind=LetterKind.NEWS, created_at=NOW, next_attempt_at=NOW, **news))
    return lambda: deliver_letters(NOW)


@pytest.mark.parametrize("written", [written_notice, written_invitation, written_reset, written_news])
def test_every_mail_is_taken_by_a_mail_server_under_the_documented_sender(
    server: MailServer, written: Callable[[], Callable[[], Any]]
) -> None:
    assert written()()["sent"] == 1
    (mail,) = server.got
    assert server.senders == ["shop@example.com"]
    name = "Aurora Tea" if written is written_notice else "Your shop"
    assert [(one.display_name, one.addr_spec) for one in mail["From"].addresses] == [(name, "shop@example.com")]
    assert mail["Message-ID"].endswith("@loyalty-back-office>")
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert not mail.defects


@pytest.mark.parametrize(
    "name",
    [
        "Aurora Tea",
        'Bob\'s "Best" <tea>, Ltd. (Taipei); a@b',
        "極光茶行" * 25,
        "Thé & Café \N{HOT BEVERAGE}",
        "Tea\r\nBcc: everybody@example.com",
        "\x00\x1b\u2028Tea\ud800",
        "",
    ],
)
def test_h3_whatever_a_store_is_called_is_a_name_and_nothing_else(server: MailServer, name: str) -> None:
    send(Mail("anna@example.org", "Back", "5 back.", "<p>5 back.</p>", "<1@example.com>", from_name=name))
    (mail,) = server.got
    (sender,) = mail["From"].addresses
    assert sender.addr_spec == "shop@example.com"
    expected = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split()) or "Your shop"
    assert sender.display_name == expected
    assert [header for header in mail.keys() if header == "Bcc"] == []  # noqa: SIM118 - each as often as it is there


@pytest.mark.parametrize(
    "wrong",
    ["", "Your shop", "a@b@c", "shop@", "a@example.com, b@example.com", "x: a@example.com;", "a@example.com\nBcc: b"],
)
def test_a_sender_that_is_none_is_told_at_the_start(settings: Settings, wrong: str) -> None:
    settings.DEFAULT_FROM_EMAIL = wrong
    (said,) = run_checks()
    assert (said.id, "DEFAULT_FROM_EMAIL" in said.msg) == ("loyalty.E002", True)
    settings.DEFAULT_FROM_EMAIL = "Your shop <shop@example.com>"
    assert run_checks() == []


@pytest.mark.parametrize("answer", ["550 nobody here", "451 later"])
def test_h3_one_recipient_who_is_refused_stops_nobody(server: MailServer, answer: str) -> None:
    store = make_store()
    refused, behind = a_notice(store, "gone@example.org"), a_notice(store)
    server.refused_recipients["gone@example.org"] = answer
    assert deliver_notices(NOW) == {"sent": 1, "postponed": 1, "failed": 0, "reminders": 0}
    refused.refresh_from_db()
    behind.refresh_from_db()
    assert (behind.status, refused.status) == (NoticeStatus.SENT, NoticeStatus.QUEUED)
    assert answer in refused.last_error


def test_h3_a_recipient_who_is_refused_for_good_is_given_up_soon(server: MailServer) -> None:
    refused = a_notice(make_store(), "gone@example.org")
    server.refused_recipients["gone@example.org"] = "550 nobody here"
    now = NOW
    for pause in REFUSED_MAIL.steps:
        assert deliver_notices(now)["postponed"] == 1
        now += pause
    assert deliver_notices(now)["failed"] == 1
    refused.refresh_from_db()
    assert refused.status == NoticeStatus.FAILED


def test_h3_a_recipient_who_is_put_off_means_growing_pauses_and_then_giving_up(server: MailServer) -> None:
    notice, now = a_notice(make_store(), "later@example.org"), NOW
    server.refused_recipients["later@example.org"] = "451 later"
    for attempt, pause in enumerate(NOTICES.steps, start=1):
        assert deliver_notices(now)["postponed"] == 1
        notice.refresh_from_db()
        assert (notice.status, notice.attempts, notice.next_attempt_at) == (NoticeStatus.QUEUED, attempt, now + pause)
        now += pause
    assert deliver_notices(now)["failed"] == 1
    notice.refresh_from_db()
    assert (notice.status, notice.next_attempt_at) == (NoticeStatus.FAILED, None)
    events = JournalEntry.objects.for_store(notice.store).filter(customer=notice.customer).order_by("id")
    assert list(events.values_list("event", flat=True)) == ["notice.queued", "notice.failed"]
    assert sorted(NOTICES.steps) == list(NOTICES.steps)


@pytest.mark.parametrize(
    "server_says",
    [{"refused_sender": "550 not from here"}, {"refused_mail": "421 closing"}],
)
def test_h3_a_server_that_takes_nothing_has_all_of_it_wait_and_says_so(
    server: MailServer, server_says: dict[str, str]
) -> None:
    one, other = make_store(), make_store()
    notices = [a_notice(store) for store in (one, one, other)]
    vars(server).update(server_says)
    assert deliver_notices(NOW) == {"sent": 0, "postponed": 1, "failed": 0, "reminders": 0}
    for notice in notices:
        notice.refresh_from_db()
        assert (notice.status, notice.attempts) == (NoticeStatus.QUEUED, 0)
        assert notice.next_attempt_at == NOW + ServerAway.after
        assert "mail server" in notice.last_error
    assert WAITING.rows(other).count() == 1
    vars(server).update(dict.fromkeys(server_says, ""))
    assert deliver_notices(NOW + ServerAway.after)["sent"] == 3


def test_h3_a_mail_that_the_server_cannot_bear_does_not_stay_the_first(server: MailServer) -> None:
    store = make_store()
    poison, behind = a_notice(store), a_notice(store)
    server.ends_at = poison.message_id
    assert deliver_notices(NOW)["postponed"] == 1
    assert deliver_notices(NOW + ServerAway.after)["sent"] == 1
    poison.refresh_from_db()
    behind.refresh_from_db()
    assert (behind.status, poison.status) == (NoticeStatus.SENT, NoticeStatus.QUEUED)
    assert (poison.attempts, poison.next_attempt_at) == (1, NOW + NOTICES.steps[0])


def test_h3_a_mail_that_is_taken_without_an_answer_is_the_same_mail_each_time_and_given_up(server: MailServer) -> None:
    notice, now = a_notice(make_store()), NOW
    server.ends_at = notice.message_id
    for pause in (*NOTICES.steps, ServerAway.after, max(NOTICES.steps)):
        deliver_notices(now)
        now += pause
    notice.refresh_from_db()
    assert notice.status == NoticeStatus.FAILED
    # Mail servers drop what carries a Message-ID that they have seen.
    assert [mail["Message-ID"] for mail in server.got] == [notice.message_id] * (len(NOTICES.steps) + 1)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_password_that_the_mail_server_refuses_has_letters_wait(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "shop", "wrong"
    invite(owner_of(make_store()))
    written_news()
    with mail_server(auth_required=True, auth_require_tls=False) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        assert deliver_letters(NOW) == {"sent": 0, "nobody": 0, "postponed": 1, "dropped": 0}
    waiting = Letter.objects.values_list("attempts", "next_attempt_at", "last_error")
    assert [row[:2] for row in waiting] == [(0, NOW + ServerAway.after)] * 2
    assert {row[2].partition(" 5.")[0] for row in waiting} == {"The mail server cannot be used: 535"}
