"""Reminders that a customer does not want: by the link in each, by his mail program, by staff (H3, RFC 8058)."""

from datetime import date
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.test import Client

from loyalty.journal.models import JournalEntry
from loyalty.notices.deliver import deliver_notices
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.notices.unsubscribe import link_of
from loyalty.store_settings.sections import ReminderSettings, StoreSettings
from loyalty.stores.models import Customer, Role
from tests.addresses import reverse
from tests.factories import NOW, grant, make_customer, make_settings, make_store, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

SOON = date(2026, 1, 10)


@pytest.fixture
def customer() -> Customer:
    store = make_store(name="Aurora Tea")
    make_settings(store, StoreSettings(reminders=ReminderSettings(days_before=7)))
    customer = make_customer(store, locale="de")
    grant("points", customer, 100, until=SOON)
    return customer


def way_out(customer: Customer) -> str:
    return urlsplit(link_of(customer)).path


def wishes(customer: Customer) -> bool:
    customer.refresh_from_db()
    return customer.no_reminders_since is None


def test_h3_a_reminder_says_how_to_stop_them_and_other_letters_do_not(customer: Customer) -> None:
    deliver_notices(NOW)
    (sent,) = mail.outbox
    assert sent.message()["List-Unsubscribe"] == f"<{link_of(customer)}>"
    assert sent.message()["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link_of(customer) in sent.body


def test_h3_looking_at_the_link_changes_nothing_and_a_mail_programs_click_stops_them(customer: Customer) -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.get(way_out(customer))
    assert (page.status_code, page.headers["Content-Language"]) == (200, "de")
    assert wishes(customer)

    for _ in range(2):
        assert client.post(way_out(customer), {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not wishes(customer)
    assert deliver_notices(NOW)["reminders"] == 0
    told = JournalEntry.objects.for_store(customer.store).filter(customer=customer)
    assert told.filter(event="customer.reminders_stopped").count() == 1

    client.post(way_out(customer), {"again": "1"})
    assert wishes(customer)
    assert deliver_notices(NOW)["reminders"] == 1


def test_h3_what_waits_is_not_sent_any_more(customer: Customer) -> None:
    make_notice = Notice(
        store=customer.store, customer=customer, to_email=customer.email, subject="s", text="t", html="h",
        message_id="<1@x>", about="expiring", next_attempt_at=NOW, created_at=NOW,
    )  # fmt: skip
    make_notice.save(force_insert=True)
    Client().post(way_out(customer))
    make_notice.refresh_from_db()
    assert make_notice.status == NoticeStatus.WITHDRAWN


def test_t1_a_link_is_good_for_one_customer_and_nothing_else(customer: Customer) -> None:
    other = make_customer(make_store())
    assert Client().post(way_out(customer)[:-1] + "x").status_code == 404
    assert Client().get(reverse("reminders", ["nonsense"])).status_code == 404
    Client().post(way_out(other))
    assert wishes(customer)
    assert not wishes(other)


def test_h3_staff_have_reminders_sent_again(customer: Customer) -> None:
    Client().post(way_out(customer))
    client = Client()
    client.force_login(make_user((customer.store, Role.SUPPORT)), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("admin:stores_customer_change", [customer.pk]) + "?tab=notices").content.decode()
    assert "This customer wants no reminders" in page
    client.post(reverse("admin:stores_customer_reminders", [customer.pk]), {"again": "1"})
    assert wishes(customer)
