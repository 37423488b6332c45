"""One bad thing of one store stops no job for the others (E7): every job, and whatever can go wrong in it.

Most poison is put into the database itself: whatever is written of the bad store to a table is refused there, as a
constraint, a number too large for its column or a NUL would have it. Then the job has to do the good store's work.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import connection

from credits.models import CreditLot
from loyalty.accounts.models import Invitation, Letter, LetterKind
from loyalty.core.encryption import Secret
from loyalty.jobs.periodic import JOBS, run_job
from loyalty.journal.models import CustomerProblem, JobRun, LedgerCheck
from loyalty.ledger.models import AbstractLot
from loyalty.notices.models import Notice
from loyalty.notices.write import Letter as NoticeLetter
from loyalty.notices.write import Message as Words
from loyalty.notices.write import queue
from loyalty.outbox.models import Message, MessageStatus
from loyalty.platforms.connections.check import register_webhooks
from loyalty.platforms.models import InboundDelivery, PlatformConnection
from loyalty.store_settings.sections import (
    AutoCancelSettings,
    ReminderSettings,
    SpentRevertSettings,
    StoreSettings,
    settings_to_json,
)
from loyalty.stores.models import Customer, DayOfAdjusting, Role, SettingsVersion, Store
from orders.models import BalanceImport, BulkItem, BundleState, ImportState, Order, Outcome, Problem, StoreBundle
from orders.services.bulk_cancels.run import choose, confirm
from orders.services.bundles.ask import ask_for_bundle
from orders.services.reverts.apply import Details
from points.models import PointLot
from tests import factories
from tests.balance_imports import HEADER, started
from tests.database import as_owner
from tests.deliveries import connect_store, shopify
from tests.factories import ACTOR, BEFORE, NOW
from tests.loyalty.platforms.samples import order as document
from tests.loyalty.webhooks.receiving import happen, make_endpoint
from tests.platforms_imitated.connecting import connect
from tests.platforms_imitated.imitation import serving
from tests.platforms_imitated.shopify import ImitatedShopify
from tests.platforms_imitated.woocommerce import ImitatedWooCommerce, at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

# Gives a store something to do for the job, and answers how to see that it is done.
Work = Callable[[Store], Callable[[], bool]]
# Breaks the job in a store that has something to do for it.
Poison = Callable[[Store], None]

SETTINGS = StoreSettings(
    auto_cancel=AutoCancelSettings(payment_window_hours=1),
    spent_revert=SpentRevertSettings(enabled=True),
    reminders=ReminderSettings(days_before=7),
)
LATER = NOW + timedelta(days=40)


def refused_in(*tables: str, on: str = "INSERT OR UPDATE") -> Poison:
    """Nothing of the store can be written to these tables."""

    def poison(store: Store) -> None:
        row = "OLD" if on == "DELETE" else "NEW"
        with as_owner(), connection.cursor() as cursor:
            cursor.execute(
                "CREATE OR REPLACE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'poisoned' USING ERRCODE = '23514'; END $$"
            )
            for table in tables:
                cursor.execute(
                    f'CREATE TRIGGER a_poison BEFORE {on} ON "{table}" FOR EACH ROW '
                    f"WHEN ({row}.store_id = {store.pk}) EXECUTE FUNCTION poison()"
                )

    return poison


def saved_by_a_newer_release(store: Store) -> None:
    """Settings with names and values that this release does not know."""
    data: dict[str, Any] = settings_to_json(SETTINGS)
    data["auto_cancel"] |= {"failed": "ask_the_customer", "asks": 3, "payment_window_hours": 10**9}
    data["reminders"]["days_before"] = {"credits": 7}
    data |= {"tiers": {"gold": 1000}}
    SettingsVersion.unscoped.create(store=store, version=2, data=data, actor=ACTOR.ref, created_at=BEFORE)


def unreadable_credentials(store: Store) -> None:
    """What the store's connection and endpoints hold was encrypted under a key that is lost."""
    PlatformConnection.objects.for_store(store).update(access_token=Secret("gAAAAABlost"))


def an_address_that_cannot_be_written_to(store: Store) -> None:
    Notice.objects.for_store(store).update(to_email="anna@[shop")


def overdue(store: Store) -> Callable[[], bool]:
    order = factories.make_order(factories.make_customer(store), status="confirmed", payment_status="pending")
    return lambda: Order.unscoped.get(pk=order.pk).payment_status == "expired"


def failed(store: Store) -> Callable[[], bool]:
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "10")
    order = factories.make_order(customer, credits="10", status="confirmed")
    Order.unscoped.filter(pk=order.pk).update(payment_status="failed", payment_changed_at=BEFORE)
    return lambda: Order.unscoped.get(pk=order.pk).credits_reverted == Decimal(10)


def judged(store: Store) -> Callable[[], bool]:
    customer = factories.make_customer(store)
    factories.grant("points", customer, 10)
    order = factories.make_order(customer, points=10, status="confirmed")
    Order.unscoped.filter(pk=order.pk).update(payment_status="refunded", rules_due_at=BEFORE)
    return lambda: Order.unscoped.get(pk=order.pk).points_reverted == 10


def chosen_in_bulk(store: Store) -> Callable[[], bool]:
    order = factories.make_order(factories.make_customer(store))
    rows = Order.objects.for_store(store).filter(pk=order.pk)
    bulk = choose(store=store, orders=rows, filters="", actor=ACTOR, now=NOW)
    said: dict[str, Any] = {"details": Details(), "leave_paid": False, "leave_completed": False}
    confirm(store=store, bulk_id=bulk.pk, actor=ACTOR, now=NOW, **said)
    return lambda: BulkItem.unscoped.get(bulk=bulk).outcome == Outcome.CANCELLED


def an_import(store: Store) -> Callable[[], bool]:
    held = started(store, f"{HEADER}7,,Ann,credits,5,,,,,\n")
    return lambda: BalanceImport.unscoped.get(pk=held.pk).state == ImportState.DONE


def a_bundle(store: Store) -> Callable[[], bool]:
    bundle = ask_for_bundle(store=store, actor=ACTOR, now=NOW)
    return lambda: StoreBundle.unscoped.get(pk=bundle.pk).state == BundleState.READY


def lapsed(lots: type[AbstractLot]) -> Work:
    def work(store: Store) -> Callable[[], bool]:
        kind: Any = "credits" if lots is CreditLot else "points"
        lot = factories.grant(kind, factories.make_customer(store), 5, until=date(2026, 1, 2))
        return lambda: lots.unscoped.get(pk=lot.pk).remaining == 0

    return work


def a_notice(store: Store) -> Callable[[], bool]:
    customer = factories.make_customer(store)
    (notice,) = queue([NoticeLetter(Words("Back", "Back.", "<p>Back.</p>"), customer, None)], actor=ACTOR, now=NOW)
    return lambda: [notice.to_email] in [sent.to for sent in mail.outbox]


def an_invitation(store: Store) -> Callable[[], bool]:
    address = f"new@{store.slug}.example"
    invitation = Invitation.unscoped.create(
        store=store, email=address, role=Role.VIEWER, invited_by="user:1", created_at=NOW, expires_at=LATER
    )
    Letter.objects.create(
        kind=LetterKind.INVITATION,
        email=address,
        base="https://loyalty.example",
        store=store,
        invitation=invitation,
        created_at=NOW,
        next_attempt_at=NOW,
    )
    return lambda: [address] in [sent.to for sent in mail.outbox]


def a_letter_that_cannot_be_written_down(store: Store) -> None:
    with as_owner():
        Letter.objects.filter(store=store).update(email="anna@[shop")


def expires_soon(store: Store) -> Callable[[], bool]:
    customer = factories.make_customer(store)
    factories.grant("credits", customer, 5, until=date(2026, 1, 8))
    return lambda: [customer.email] in [sent.to for sent in mail.outbox]


def to_be_told(store: Store) -> Callable[[], bool]:
    make_endpoint(store, "https://127.0.0.1:1/nobody")
    happen(store)
    return lambda: Message.objects.for_store(store).get().attempts == 1


def a_delivery(store: Store) -> Callable[[], bool]:
    connect_store(store)
    shopify(document("shopify")).send(store)
    return lambda: Order.objects.for_store(store).exists()


def old_rows(store: Store) -> Callable[[], bool]:
    to_be_told(store)
    with as_owner():
        Message.objects.for_store(store).update(status=MessageStatus.FAILED, next_attempt_at=None, created_at=BEFORE)
    user = factories.make_user((store, Role.SUPPORT))
    DayOfAdjusting.unscoped.create(store=store, user=user, kind="points", day=BEFORE.date())
    return lambda: not Message.objects.for_store(store).exists() and not DayOfAdjusting.unscoped.exists()


def books(store: Store) -> Callable[[], bool]:
    factories.grant("credits", factories.make_customer(store), 5)
    return lambda: LedgerCheck.objects.for_store(store).filter(faults=0).exists()


def books_that_do_not_agree(store: Store) -> None:
    CreditLot.objects.for_store(store).update(remaining=1)


CASES: dict[str, tuple[Work, tuple[Poison, ...]]] = {
    "orders.expire_overdue_payments": (overdue, (refused_in("orders_order"), saved_by_a_newer_release)),
    "orders.auto_cancel": (failed, (refused_in("orders_order"), saved_by_a_newer_release)),
    "orders.evaluate_rules": (judged, (refused_in("orders_order"), saved_by_a_newer_release)),
    "orders.bulk_cancel": (chosen_in_bulk, (refused_in("orders_order"), refused_in("orders_bulkitem"))),
    "orders.import_balances": (
        an_import,
        (refused_in("credits_creditlot"), refused_in("orders_balanceimport"), refused_in("journal_journalentry")),
    ),
    "orders.write_bundles": (
        a_bundle,
        (refused_in("orders_storebundle"), refused_in("orders_storebundlepart")),
    ),
    "credits.expire_lots": (lapsed(CreditLot), (refused_in("credits_creditmovement"),)),
    "points.expire_lots": (lapsed(PointLot), (refused_in("points_pointmovement"),)),
    "loyalty.deliver_notices": (
        a_notice,
        (an_address_that_cannot_be_written_to, refused_in("notices_notice"), saved_by_a_newer_release),
    ),
    "loyalty.deliver_notices: reminders": (expires_soon, (refused_in("notices_notice"), saved_by_a_newer_release)),
    "loyalty.deliver_letters": (
        an_invitation,
        (a_letter_that_cannot_be_written_down, refused_in("accounts_letter"), refused_in("accounts_invitation")),
    ),
    "loyalty.deliver_outbox": (to_be_told, (refused_in("outbox_message"), refused_in("webhooks_webhookattempt"))),
    "orders.process_deliveries": (
        a_delivery,
        (refused_in("orders_order"), refused_in("platforms_inbounddelivery"), refused_in("journal_journalentry")),
    ),
    "loyalty.prune": (old_rows, (refused_in("outbox_message", on="DELETE"),)),
    "loyalty.check_ledger": (books, (books_that_do_not_agree,)),
}
# Jobs that ask platforms, whose answers are the poison: below.
ASKING = {"orders.poll_platforms", "orders.continue_polls", "loyalty.repair_webhooks"}


@pytest.fixture
def stores() -> tuple[Store, Store]:
    """A store with the poison, whose rows come first, and a good one."""
    bad, good = factories.make_store(), factories.make_store()
    for store in (bad, good):
        factories.make_settings(store, SETTINGS)
    return bad, good


def test_e7_every_job_is_poisoned() -> None:
    assert {name.partition(":")[0] for name in CASES} | ASKING == set(JOBS)


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, (_, poisons) in CASES.items() for number in range(len(poisons))]
)
def test_e7_a_poisoned_store_stops_no_other(stores: tuple[Store, Store], name: str, number: int) -> None:
    bad, good = stores
    (work, poisons), job = CASES[name], name.partition(":")[0]
    now = LATER if job == "loyalty.prune" else NOW
    work(bad)
    is_done = work(good)
    poisons[number](bad)

    run_job(job, now)

    assert is_done()
    # And not because the job gave up half-way: it ends well, now and when it runs again.
    run_job(job, now + timedelta(minutes=6))
    run = JobRun.objects.get(name=job)
    assert (run.failed_at, run.started_at) == (None, now + timedelta(minutes=6))


@pytest.mark.parametrize(
    ("name", "problems"), [("orders.auto_cancel", Problem), ("credits.expire_lots", CustomerProblem)]
)
def test_e7_what_is_set_aside_is_shown_and_tried_again_with_growing_pauses(
    stores: tuple[Store, Store], name: str, problems: Any
) -> None:
    bad, _ = stores
    work, poisons = CASES[name]
    work(bad)
    poisons[0](bad)
    turns = []
    now = NOW
    for _ in range(3):
        run_job(name, now)
        problem = problems.objects.for_store(bad).get()
        turns.append(problem.next_attempt_at - now)
        now = problem.next_attempt_at
    assert turns == [timedelta(minutes=5), timedelta(minutes=30), timedelta(minutes=120)]
    assert "poisoned" in problem.error


NUL = {"errors": "there is a \x00 here, and half a pair: \ud83d"}


@pytest.fixture
def asked(stores: tuple[Store, Store]) -> Iterator[tuple[ImitatedShopify, ImitatedWooCommerce]]:
    """The bad store's shop on Shopify, and the good one's on WooCommerce."""
    bad, good = stores
    with serving(ImitatedShopify()) as theirs, serving(ImitatedWooCommerce()) as ours:
        for imitation, store in ((theirs, bad), (ours, good)):
            register_webhooks(
                connect(imitation, store, now=BEFORE), address="https://loyalty.example/hooks/x/", now=BEFORE
            )
        yield theirs, ours


def nul_in_the_answer(shop: ImitatedShopify, _: Store) -> None:
    shop.fail_next(422, NUL, times=9)


def nul_in_every_order(shop: ImitatedShopify, _: Store) -> None:
    named = {"name": "#\x00 1", "tags": "a\x00b, \udc00", "email": "\x00", "updated_at": "2026-01-05T05:00:00Z"}
    shop.put(document("shopify", **named))


def key_that_is_lost(_: ImitatedShopify, store: Store) -> None:
    unreadable_credentials(store)


def no_json(shop: ImitatedShopify, _: Store) -> None:
    shop.fail_next(200, "[" * 100_000, times=9)


@pytest.mark.parametrize("poison", [nul_in_the_answer, nul_in_every_order, key_that_is_lost, no_json])
@pytest.mark.parametrize("job", sorted(ASKING - {"orders.continue_polls"}))
def test_e7_what_one_platform_answers_stops_no_other_stores_work(
    stores: tuple[Store, Store], asked: tuple[ImitatedShopify, ImitatedWooCommerce], job: str, poison: Any
) -> None:
    (bad, good), (theirs, ours) = stores, asked
    ours.put(at(document("woocommerce"), NOW - timedelta(hours=1)))
    poison(theirs, bad)
    requests = len(ours.asked)

    run_job(job, NOW)

    assert len(ours.asked) > requests
    assert Order.objects.for_store(good).exists() == (job == "orders.poll_platforms")
    run_job("orders.continue_polls", NOW + timedelta(minutes=1))
    assert not JobRun.objects.filter(failed_at__isnull=False).exists()


def test_e7_a_mail_server_that_chokes_on_one_address_gets_the_others() -> None:
    store = factories.make_store()
    for address in ("anna@[shop", "bo@example.org", "c\u0131@\u0131.example", "\N{SNOWMAN}@example.org"):
        a_notice(store)
        Notice.objects.for_store(store).order_by("-pk")[:1].get()
        newest = Notice.objects.for_store(store).latest("pk")
        Notice.objects.for_store(store).filter(pk=newest.pk).update(to_email=address)
    run_job("loyalty.deliver_notices", NOW)
    assert ["bo@example.org"] in [sent.to for sent in mail.outbox]
    assert Notice.objects.for_store(store).filter(status="queued", attempts=0).count() == 0


def test_e7_deliveries_that_cannot_even_be_marked_are_met_once_a_run(stores: tuple[Store, Store]) -> None:
    bad, good = stores
    done = [a_delivery(store) for store in (bad, good)]
    refused_in("platforms_inbounddelivery")(bad)
    run_job("orders.process_deliveries", NOW)
    assert [is_done() for is_done in done] == [False, True]
    assert InboundDelivery.objects.for_store(bad).get().attempts == 0
    assert Customer.objects.for_store(bad).count() == 0
