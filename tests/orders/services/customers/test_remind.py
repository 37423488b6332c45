"""Reminders before value expires: the right lots on the right day, one digest a customer, each lot once (H3)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from loyalty.notices.deliver import deliver_notices
from loyalty.notices.models import Notice, Reminder
from loyalty.store_settings.sections import ReminderSettings, StoreSettings
from loyalty.stores.models import Customer, Store
from orders.services.customers import remind
from orders.services.customers.remind import write_reminders
from tests.database import as_owner
from tests.factories import BEFORE, NOW, grant, make_customer, make_order, make_settings, make_store

TODAY = date(2026, 1, 5)
IN_A_WEEK = TODAY + timedelta(days=7)


def reminding_store(days: int | None = 7, **fields: str) -> Store:
    store = make_store(**fields)
    make_settings(store, StoreSettings(reminders=ReminderSettings(days_before=days)))
    return store


def notices(customer: Customer) -> list[Notice]:
    return list(Notice.objects.for_store(customer.store).filter(customer=customer).order_by("id"))


@pytest.mark.django_db
def test_h3_one_digest_tells_of_everything_that_ends_soon() -> None:
    customer = make_customer(reminding_store(name="Aurora Tea"), name="Ana <Lee>")
    for amount, day in (
        ("10.00", IN_A_WEEK),
        ("5.00", IN_A_WEEK),
        ("7.00", TODAY),
        ("9.00", IN_A_WEEK + timedelta(days=1)),
    ):
        grant("credits", customer, amount, until=day)
    grant("credits", customer, "100.00")
    grant("points", customer, 40, until=IN_A_WEEK)
    assert write_reminders(NOW) == 1
    (notice,) = notices(customer)
    assert notice.subject == "Aurora Tea: store credits and member points expire soon"
    told = [line for line in notice.text.splitlines() if line.startswith("-")]
    assert told == [
        "- 7.00 USD: until January 5, 2026",
        "- 15.00 USD: until January 12, 2026",
        "- 40 points: until January 12, 2026",
    ]
    assert "Ana <Lee>" in notice.text
    assert "Ana &lt;Lee&gt;" in notice.html
    assert ">15.00 USD: until January 12, 2026</li>" in notice.html
    assert Reminder.objects.for_store(customer.store).count() == 4


@pytest.mark.django_db
def test_h3_twice_is_once_and_a_later_lot_gets_a_digest_of_its_own() -> None:
    customer = make_customer(reminding_store())
    grant("credits", customer, "10.00", until=IN_A_WEEK)
    grant("points", customer, 5, until=IN_A_WEEK + timedelta(days=1))
    assert [write_reminders(NOW), write_reminders(NOW), write_reminders(NOW + timedelta(hours=3))] == [1, 0, 0]
    assert write_reminders(NOW + timedelta(days=1)) == 1
    first, second = notices(customer)
    assert "10.00 USD" in first.text
    assert "10.00 USD" not in second.text
    assert "5 points" in second.text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        ("Asia/Taipei", datetime(2026, 10, 17, 16, tzinfo=UTC)),
        # The clocks fall back on 25 October and spring forward on 29 March, between the reminder and the end.
        ("Europe/Berlin", datetime(2026, 10, 17, 22, tzinfo=UTC)),
        ("America/Los_Angeles", datetime(2026, 10, 18, 7, tzinfo=UTC)),
    ],
)
def test_t4_the_day_of_the_reminder_begins_at_the_stores_midnight(zone: str, begins: datetime) -> None:
    customer = make_customer(reminding_store(time_zone=zone))
    grant("credits", customer, "10.00", until=date(2026, 10, 25))
    assert write_reminders(begins - timedelta(microseconds=1)) == 0
    assert write_reminders(begins) == 1
    assert "October 25, 2026" in notices(customer)[0].text


@pytest.mark.django_db
def test_zero_days_means_the_last_day_and_what_has_expired_is_not_told() -> None:
    store = reminding_store(0)
    customer = make_customer(store)
    grant("credits", customer, "10.00", until=TODAY)
    midnight = datetime(2026, 1, 6, tzinfo=ZoneInfo("Asia/Taipei"))
    assert write_reminders(midnight - timedelta(days=1, microseconds=1)) == 0
    assert write_reminders(midnight) == 0
    assert write_reminders(midnight - timedelta(microseconds=1)) == 1


@pytest.mark.django_db
def test_off_spent_without_address_and_other_stores() -> None:
    off = make_customer(reminding_store(None))
    never_saved = make_customer(make_store())
    nameless = make_customer(reminding_store(), email="")
    spender = make_customer(reminding_store())
    for customer in (off, never_saved, nameless, spender):
        grant("credits", customer, "10.00", until=IN_A_WEEK)
    make_order(spender, credits="10.00", now=BEFORE + timedelta(hours=1))
    assert write_reminders(NOW) == 0
    nameless.email = "now@example.org"
    nameless.save_changes()
    assert write_reminders(NOW) == 1


@pytest.mark.django_db
def test_t4_amounts_and_days_are_written_as_the_store_writes_them() -> None:
    customer = make_customer(reminding_store(currency="EUR", locale="de"))
    grant("credits", customer, "1234.50", until=IN_A_WEEK)
    write_reminders(NOW)
    assert "12. Januar 2026" in notices(customer)[0].text
    assert "1.234,50" in notices(customer)[0].text


@pytest.mark.django_db
def test_the_job_writes_and_sends_them_at_once() -> None:
    customer = make_customer(reminding_store())
    grant("credits", customer, "10.00", until=IN_A_WEEK)
    assert deliver_notices(NOW) == {"sent": 1, "postponed": 0, "failed": 0, "reminders": 1}
    assert mail.outbox[0].to == [customer.email]
    assert deliver_notices(NOW) == {"sent": 0, "postponed": 0, "failed": 0, "reminders": 0}


@pytest.mark.django_db
def test_statements_grow_with_batches_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def statements(customers: int) -> int:
        store = reminding_store()
        for _ in range(customers):
            customer = make_customer(store)
            grant("credits", customer, "1.00", until=IN_A_WEEK)
            grant("points", customer, 1, until=IN_A_WEEK)
        with CaptureQueriesContext(connection) as queries:
            assert write_reminders(NOW) == customers
        return len(queries)

    assert statements(1) == statements(7)
    monkeypatch.setattr(remind, "BATCH", 3)
    statements(7)


@pytest.mark.django_db
def test_the_database_keeps_one_reminder_a_lot_and_every_reminder() -> None:
    customer = make_customer(reminding_store())
    lot = grant("credits", customer, "10.00", until=IN_A_WEEK)
    write_reminders(NOW)
    (notice,) = notices(customer)
    again = Reminder(store=customer.store, customer=customer, notice=notice, credit_lot_id=lot.pk, created_at=NOW)
    with pytest.raises(IntegrityError, match="reminder_once_for_credits"), transaction.atomic():
        again.save()
    again.credit_lot_id = None
    with pytest.raises(IntegrityError, match="reminder_is_about_one_lot"), transaction.atomic():
        again.save()
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic(), as_owner():
        Reminder.unscoped.all().delete()


@pytest.mark.django_db(transaction=True)
def test_e8_many_workers_at_once_tell_everybody_once() -> None:
    store = reminding_store()
    customers = [make_customer(store) for _ in range(12)]
    for customer in customers:
        grant("credits", customer, "10.00", until=IN_A_WEEK)
        grant("points", customer, 10, until=IN_A_WEEK)
    with ThreadPoolExecutor(4) as workers:
        runs = [workers.submit(write_on_a_connection_of_its_own) for _ in range(4)]
        assert sum(run.result(timeout=60) for run in runs) + write_reminders(NOW) == 12
    assert [len(notices(customer)) for customer in customers] == [1] * 12


@pytest.mark.django_db(transaction=True)
def test_e8_a_customer_who_is_being_written_to_is_left_to_the_next_run() -> None:
    store = reminding_store()
    busy, free = make_customer(store), make_customer(store)
    for customer in (busy, free):
        grant("credits", customer, "10.00", until=IN_A_WEEK)
    with transaction.atomic():
        Customer.unscoped.select_for_update(no_key=True).get(pk=busy.pk)
        with ThreadPoolExecutor(1) as other:
            assert other.submit(write_on_a_connection_of_its_own).result(timeout=60) == 1
    assert (len(notices(busy)), len(notices(free))) == (0, 1)
    assert write_reminders(NOW) == 1


@pytest.mark.django_db(transaction=True)
def test_e8_a_run_that_dies_before_its_commit_leaves_everything_to_the_next() -> None:
    customer = make_customer(reminding_store())
    grant("credits", customer, "10.00", until=IN_A_WEEK)

    with pytest.raises(Killed):
        write_and_die()
    assert notices(customer) == []
    assert write_reminders(NOW) == 1


class Killed(Exception):
    """What stands for a worker's end."""


@transaction.atomic
def write_and_die() -> None:
    write_reminders(NOW)
    raise Killed


def write_on_a_connection_of_its_own() -> int:
    try:
        return write_reminders(NOW)
    finally:
        connection.close()
