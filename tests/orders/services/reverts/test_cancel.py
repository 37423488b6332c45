"""Cancelling by hand and in bulk, and what stays decided (M1-M9, B1, N4)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from credits.models import CreditAllocation, CreditLot, CreditMovement
from loyalty.core.days import end_of_day
from loyalty.core.errors import Invalid, NotFound
from loyalty.journal.models import JournalEntry
from loyalty.notices.models import Notice
from loyalty.store_settings.sections import ExtendSettings, StoreSettings
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Remark, Store
from orders.models import Order, OrderStatus, PersonsDecision, Revert, RevertStatus
from orders.services.intake.change import change_order
from orders.services.reverts.apply import CancelResult, Details
from orders.services.reverts.cancel import NotReturnable, PreviewStale, cancel_many, cancel_order, return_value
from orders.services.reverts.choices import CancelChoice, Extension
from orders.services.reverts.plans import Preview, preview
from points.models import PointLot
from tests import factories
from tests.books import find_faults
from tests.database import as_owner
from tests.factories import ACTOR, NOW

pytestmark = pytest.mark.django_db

BOTH = CancelChoice(returns={"credits": True, "points": True})
NEITHER = CancelChoice(returns={"credits": False, "points": False})
EXTEND = CancelChoice(returns={"credits": True}, extend={"credits": Extension(days=30)})
TAIPEI = ZoneInfo("Asia/Taipei")


def until(*day: int) -> datetime:
    return end_of_day(date(*day), TAIPEI)


@pytest.fixture
def customer(store: Store) -> Customer:
    return factories.make_customer(store)


@pytest.fixture
def x1(customer: Customer) -> Order:
    """10.00 of a lot that has expired by now, and 5.00 of one that is valid."""
    factories.grant("credits", customer, "10", until=date(2026, 1, 1))
    factories.grant("credits", customer, "5", until=date(2026, 3, 20))
    return factories.make_order(customer, credits="15")


def cancel(order: Order, choice: CancelChoice = BOTH, *, now: datetime = NOW, **values: Any) -> CancelResult:
    facts = {"details": Details(), "token": None, "act": Act(ACTOR, Trigger.ADMIN, now)} | values
    return cancel_order(store=order.store, order_id=order.pk, choice=choice, **facts)


def give_back(
    order: Order, choice: CancelChoice = BOTH, *, now: datetime = NOW, token: str | None = None
) -> CancelResult:
    return factories.return_choosing(order, choice, now=now, token=token)


def shown(order: Order, choice: CancelChoice = BOTH, *, now: datetime = NOW) -> Preview:
    return preview(fresh(order), choice, store=order.store, settings=StoreSettings(), now=now)


def fresh(order: Order) -> Order:
    found: Order = Order.objects.for_store(order.store).select_related("customer").get(pk=order.pk)
    return found


def reinstate(order: Order) -> None:
    Order.unscoped.filter(pk=order.pk).update(status=OrderStatus.CONFIRMED, cancelled_at=None)


def sound(order: Order) -> None:
    assert find_faults(order.store) == []


def test_x1_m3_the_valid_lot_gets_its_value_back(x1: Order, customer: Customer) -> None:
    order = cancel(x1).order
    lots = {lot.granted: lot for lot in CreditLot.objects.for_store(x1.store)}
    assert lots[Decimal(5)].remaining == 5
    assert lots[Decimal(5)].expires_at == until(2026, 3, 20)
    assert (order.status, order.credit_revert_status) == (OrderStatus.CANCELLED, RevertStatus.REVERTED)
    assert (order.credits_applied, order.credits_reverted, order.completeness) == (15, 5, "partial")
    assert order.credits_decision == PersonsDecision.EXPIRED_LEFT
    assert not order.needs_revert
    assert factories.balance("credits", customer, now=NOW) == 5
    sound(order)


def test_x2_m4_extended_value_comes_back_as_a_new_lot(x1: Order, customer: Customer) -> None:
    result = cancel(x1, EXTEND)
    old, _, new = CreditLot.objects.for_store(x1.store).order_by("id")
    assert (new.granted, new.remaining, new.origin, new.extended_from_id) == (10, 10, "extension", old.pk)
    assert new.expires_at == until(2026, 2, 4)
    assert old.remaining == 0
    assert result.order.completeness == "full"
    assert result.reverts[0].new_lots == {CreditAllocation.unscoped.earliest("id").pk: new.pk}
    assert factories.balance("credits", customer, now=NOW) == 15
    sound(x1)


def test_x3_m8_nothing_returns_and_what_is_left_can_be_completed_later(customer: Customer) -> None:
    factories.grant("credits", customer, "10", until=date(2026, 1, 1))
    factories.grant("credits", customer, "5", until=date(2026, 1, 4))
    order = factories.make_order(customer, credits="15")
    result = cancel(order)
    assert [skip.code for skip in result.skipped] == ["expired", "not_applied"]
    assert result.order.credit_revert_status == RevertStatus.NOT_REVERTED
    assert not Revert.unscoped.exists()
    later = cancel(order, EXTEND)
    assert not later.cancelled_now
    assert later.order.credits_reverted == 15
    assert later.order.credits_decision == PersonsDecision.NONE
    assert later.order.cancelled_at == NOW
    sound(order)


def test_x6_all_returns_on_the_last_evening(customer: Customer) -> None:
    factories.grant("credits", customer, "50", until=date(2026, 9, 15))
    factories.grant("credits", customer, "50")
    order = factories.make_order(customer, credits="100")
    last = datetime(2026, 9, 15, 23, 59, tzinfo=TAIPEI)
    assert shown(order, now=last + timedelta(minutes=1)).plan.kinds["credits"].returns == 50
    assert cancel(order, now=last).order.credits_reverted == 100


def test_x10_m9_a_second_cancel_after_a_reinstatement_returns_nothing_again(x1: Order, customer: Customer) -> None:
    cancel(x1, EXTEND)
    reinstate(x1)
    assert factories.balance("credits", customer, now=NOW) == 15
    result = cancel(x1, EXTEND)
    assert result.cancelled_now
    assert [skip.code for skip in result.skipped] == ["already_reverted", "not_applied"]
    assert factories.balance("credits", customer, now=NOW) == 15
    sound(x1)


def test_x13_m4_what_lapsed_unspent_is_not_revived(customer: Customer) -> None:
    lot = factories.grant("credits", customer, "100", until=date(2026, 1, 1))
    order = factories.make_order(customer, credits="60")
    cancel(order, EXTEND)
    assert factories.balance("credits", customer, now=NOW) == 60
    assert CreditLot.unscoped.get(pk=lot.pk).remaining == 0
    rows = CreditMovement.unscoped.order_by("id").values_list("type", "amount", "balance_after")
    assert list(rows) == [("grant", 100, 100), ("spend", -60, 40), ("expire", -40, 0), ("revert", 60, 60)]
    sound(order)


@pytest.mark.parametrize(
    ("choice", "decision", "needs"),
    [
        (NEITHER, PersonsDecision.DECLINED, False),
        (CancelChoice(), PersonsDecision.DEFERRED, True),
        (BOTH, PersonsDecision.EXPIRED_LEFT, False),
        (EXTEND, PersonsDecision.NONE, False),
    ],
)
def test_n4_b2_what_a_person_decided_is_kept(
    x1: Order, choice: CancelChoice, decision: PersonsDecision, *, needs: bool
) -> None:
    order = cancel(x1, choice).order
    assert (order.credits_decision, order.needs_revert) == (decision, needs)


def test_n4_leaving_out_later_does_not_take_back_a_decision(x1: Order) -> None:
    cancel(x1, NEITHER)
    assert cancel(x1, CancelChoice()).order.credits_decision == PersonsDecision.DECLINED


def test_m2_one_kind_returns_and_the_other_stays(customer: Customer) -> None:
    factories.grant("credits", customer, "10")
    factories.grant("points", customer, 10)
    order = factories.make_order(customer, credits="4", points=6)
    done = cancel(order, CancelChoice(returns={"credits": False, "points": True})).order
    assert (done.credit_revert_status, done.points_revert_status) == (RevertStatus.NOT_REVERTED, RevertStatus.REVERTED)
    assert (done.credits_decision, done.points_decision) == (PersonsDecision.DECLINED, PersonsDecision.NONE)
    assert PointLot.unscoped.get().remaining == 10
    sound(order)


def test_m3_extend_one_allocation_by_its_own_date(customer: Customer) -> None:
    factories.grant("credits", customer, "1", until=date(2026, 1, 1))
    factories.grant("credits", customer, "2", until=date(2026, 1, 2))
    order = factories.make_order(customer, credits="3")
    second = CreditAllocation.unscoped.latest("id")
    choice = CancelChoice({"credits": True}, {}, {f"c{second.pk}": Extension(expires_on=date(2026, 1, 5))})
    assert cancel(order, choice).order.credits_reverted == 2
    assert CreditLot.unscoped.get(origin="extension").expires_at == until(2026, 1, 5)


@pytest.mark.parametrize(
    ("extension", "code"),
    [
        (Extension(days=0), "out-of-range"),
        (Extension(days=366), "out-of-range"),
        (Extension(expires_on=date(2026, 1, 4)), "in-the-past"),
        (Extension(expires_on=date(2027, 1, 6)), "out-of-range"),
    ],
)
def test_m3_extensions_are_limited(x1: Order, extension: Extension, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        cancel(x1, replace(EXTEND, extend={"credits": extension}))
    assert [(error.pointer.rsplit("/", 1)[0], error.code) for error in refused.value.errors] == [
        ("/extend/credits", code)
    ]
    assert fresh(x1).status == OrderStatus.PENDING


def test_m3_the_stores_own_limit_counts(x1: Order) -> None:
    factories.make_settings(x1.store, StoreSettings(extend=ExtendSettings(7, 7)))
    with pytest.raises(Invalid, match="1 to 7 days"):
        cancel(x1, EXTEND)


def test_m3_an_allocation_of_another_order_is_unknown(x1: Order, customer: Customer) -> None:
    factories.grant("credits", customer, "1")
    factories.make_order(customer, credits="1")
    foreign = CreditAllocation.unscoped.latest("id")
    choice = CancelChoice({"credits": True}, {}, {f"c{foreign.pk}": Extension(days=3)})
    with pytest.raises(Invalid) as refused:
        cancel(x1, choice)
    assert refused.value.errors[0].code == "not-found"


def test_m5_reason_and_note_are_kept_apart_and_the_customer_is_told_once(x1: Order, customer: Customer) -> None:
    result = cancel(x1, details=Details("customer", "She rang.", notify_customer=True))
    remark = Remark.unscoped.get(reason="customer")
    assert remark.note == "She rang."
    assert result.order.cancel_reason == "customer"
    assert set(CreditMovement.unscoped.filter(type="revert").values_list("remark", flat=True)) == {remark.pk}
    notice = Notice.unscoped.get()
    assert result.notice == notice
    assert notice.to_email == customer.email
    for text in (notice.text, notice.html):
        assert "5.00 USD" in text
        assert "March 20, 2026" in text
        assert "expired on January 1, 2026" in text
    cancel(x1, details=Details(notify_customer=True))
    assert Notice.unscoped.count() == 1


def test_m5_nobody_is_told_unticked_or_without_an_address(store: Store, x1: Order) -> None:
    cancel(x1)
    guest = factories.make_order(None, store=store)
    silent = factories.make_order(factories.make_customer(store, email=""))
    for order in (guest, silent):
        assert cancel(order, details=Details(notify_customer=True)).notice is None
    assert not Notice.unscoped.exists()


def test_m6_what_was_shown_is_applied(x1: Order) -> None:
    view = shown(x1, EXTEND)
    assert (view.balance_before["credits"], view.balance_after["credits"]) == (0, 15)
    # A number of days became a date: confirmed after midnight, it is still the date that was shown.
    cancel(x1, EXTEND, token=view.token, now=NOW + timedelta(hours=12))
    assert CreditLot.unscoped.get(origin="extension").expires_at == until(2026, 2, 4)


def test_m6_a_token_alone_is_the_choice_that_was_shown(x1: Order) -> None:
    assert cancel(x1, CancelChoice(), token=shown(x1, EXTEND).token).order.credits_reverted == 15


def test_m6_nothing_happens_when_a_lot_expired_in_between(x1: Order) -> None:
    token = shown(x1).token
    later = until(2026, 3, 20)
    with pytest.raises(PreviewStale) as stale:
        cancel(x1, token=token, now=later)
    assert stale.value.preview.plan.kinds["credits"].returns == 0
    assert fresh(x1).status == OrderStatus.PENDING
    assert not Revert.unscoped.exists()
    cancel(x1, token=stale.value.preview.token, now=later)


def test_m6_the_rest_of_the_balance_is_no_fact(x1: Order, customer: Customer) -> None:
    token = shown(x1).token
    factories.grant("credits", customer, "99", now=NOW)
    assert cancel(x1, token=token).cancelled_now


@pytest.mark.parametrize("token", ["", "nonsense", "a:b:c"])
def test_m6_a_token_that_is_not_ours_shows_the_form_again(x1: Order, token: str) -> None:
    with pytest.raises(PreviewStale):
        cancel(x1, token=token)


def test_m6_another_choice_or_another_order_than_shown_is_stale(x1: Order, customer: Customer) -> None:
    with pytest.raises(PreviewStale):
        cancel(x1, NEITHER, token=shown(x1).token)
    with pytest.raises(PreviewStale):
        cancel(factories.make_order(customer), BOTH, token=shown(x1).token)


def test_m6_an_extension_that_is_over_by_now_is_stale(x1: Order) -> None:
    choice = replace(EXTEND, extend={"credits": Extension(expires_on=date(2026, 1, 5))})
    with pytest.raises(Invalid):
        cancel(x1, choice, token=shown(x1, choice).token, now=NOW + timedelta(days=1))


def test_m7_a_re_sent_form_returns_nothing_twice(x1: Order, customer: Customer) -> None:
    token = shown(x1, EXTEND).token
    cancel(x1, EXTEND, token=token)
    with pytest.raises(PreviewStale):
        cancel(x1, EXTEND, token=token)
    before = JournalEntry.unscoped.count()
    again = cancel(x1, EXTEND)
    assert (again.cancelled_now, list(again.reverts)) == (False, [])
    assert JournalEntry.unscoped.count() == before
    assert factories.balance("credits", customer, now=NOW) == 15


def test_m7_when_the_write_fails_nothing_is_half_done(x1: Order) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "ALTER TABLE journal_journalentry ADD CONSTRAINT full_disk CHECK (event <> %s) NOT VALID",
            ["order.cancelled"],
        )
    with pytest.raises(IntegrityError):
        cancel(x1, EXTEND)
    assert fresh(x1).status == OrderStatus.PENDING
    assert not Revert.unscoped.exists()
    assert not CreditMovement.unscoped.filter(type="revert").exists()
    sound(x1)


def test_m8_on_a_refunded_order_the_status_stays(x1: Order) -> None:
    with pytest.raises(NotReturnable):
        give_back(x1)
    change_order(store=x1.store, order_id=x1.pk, values={"payment_status": "refunded"}, actor=ACTOR, now=NOW)
    order = give_back(x1, EXTEND, token=shown(x1, EXTEND).token).order
    assert (order.status, order.credits_reverted) == (OrderStatus.PENDING, 15)
    assert order.cancelled_at is None
    sound(x1)


def test_t1_an_order_of_another_store_is_unknown(x1: Order) -> None:
    other = factories.make_store()
    for call in (cancel_order, return_value):
        with pytest.raises(NotFound):
            call(
                store=other,
                order_id=x1.pk,
                choice=BOTH,
                details=Details(),
                token=None,
                act=Act(ACTOR, Trigger.API, NOW),
            )
    assert cancel_many(store=other, order_ids=[x1.pk], details=Details(), actor=ACTOR, now=NOW) == {x1.pk: None}
    assert fresh(x1).status == OrderStatus.PENDING


def test_b1_bulk_cancels_and_returns_nothing(x1: Order, customer: Customer) -> None:
    plain = factories.make_order(customer)
    gone = factories.make_order(customer)
    cancel(gone, now=NOW - timedelta(days=1))
    answers: dict[int, Any] = cancel_many(
        store=x1.store, order_ids=[plain.pk, x1.pk, gone.pk, 0], details=Details("fraud"), actor=ACTOR, now=NOW
    )
    assert list(answers) == [plain.pk, x1.pk, gone.pk, 0]
    assert answers[0] is None
    assert [answers[order.pk].cancelled_now for order in (plain, x1, gone)] == [True, True, False]
    order = fresh(x1)
    assert (order.cancelled_by, order.cancel_reason, order.credits_decision) == ("bulk", "fraud", "deferred")
    assert order.credit_revert_status == RevertStatus.NOT_REVERTED
    assert order.needs_revert
    assert fresh(plain).credits_decision == PersonsDecision.NONE
    assert fresh(gone).cancelled_at == NOW - timedelta(days=1)
    assert not Revert.unscoped.exists()
    sound(order)


def test_h4_a_revert_names_the_settings_that_governed_it_and_its_lots(x1: Order) -> None:
    factories.make_settings(x1.store, StoreSettings())
    cancel(x1)
    revert = Revert.unscoped.get()
    first, second = CreditAllocation.unscoped.order_by("id")
    assert revert.settings_version == 1
    assert (revert.amount, revert.applied, revert.completeness, revert.currency) == (5, 15, "partial", "USD")
    assert revert.lots == [
        {
            "allocation": f"c{first.pk}",
            "lot": str(first.lot_id),
            "amount": "10.00",
            "outcome": "expired",
            "expires_on": "2026-01-01",
        },
        {
            "allocation": f"c{second.pk}",
            "lot": str(second.lot_id),
            "amount": "5.00",
            "outcome": "returned",
            "expires_on": "2026-03-20",
        },
    ]


def test_h2_the_journal_tells_what_happened(x1: Order) -> None:
    cancel(x1)
    events = JournalEntry.unscoped.filter(order=x1.pk).order_by("id").values_list("event", flat=True)
    assert list(events) == ["order.created", "order.spent", "order.cancelled", "order.credit_reverted"]


def test_m4_a_zone_east_or_west_decides_the_day() -> None:
    store = factories.make_store(time_zone="America/Los_Angeles")
    customer = factories.make_customer(store)
    factories.grant("credits", customer, "5", until=date(2026, 1, 4))
    order = factories.make_order(customer, credits="5")
    assert shown(order, now=datetime(2026, 1, 5, 7, 59, 59, tzinfo=UTC)).plan.kinds["credits"].returns == 5
    assert shown(order, now=datetime(2026, 1, 5, 8, tzinfo=UTC)).plan.kinds["credits"].returns == 0


def statements(work: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        work()
    return sum(not query["sql"].startswith(("SAVEPOINT", "RELEASE")) for query in captured)


def test_m7_a_cancel_and_return_takes_at_most_ten_statements(customer: Customer) -> None:
    for kind in ("credits", "points"):
        for _ in range(2):
            factories.grant(kind, customer, 5)
    order = factories.make_order(customer, credits="10", points=10)
    assert order.store.pk  # read before counting
    assert statements(lambda: cancel(order)) <= 10


def test_b1_statements_do_not_grow_with_the_number_of_orders(customer: Customer) -> None:
    factories.grant("credits", customer, "100")
    counts = []
    for number in (1, 10):
        ids = [factories.make_order(customer, credits="1").pk for _ in range(number)]
        counts.append(
            statements(
                lambda ids=ids: cancel_many(
                    store=customer.store, order_ids=ids, details=Details(), actor=ACTOR, now=NOW
                )
            )
        )
    assert counts[0] == counts[1] <= 10
