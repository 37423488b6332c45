"""Merging customers: everything is the kept one's, and every sum is as it was (O7)."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core.errors import Invalid, NotFound
from loyalty.customers.identify import CustomerFacts, identify, platform_ids
from loyalty.customers.merged import CustomerMerged, one_person
from loyalty.customers.search import find_customers
from loyalty.journal.models import JournalEntry
from loyalty.ledger.balances import balances_at
from loyalty.ledger.history import balance_of, history
from loyalty.ledger.ledger import Kind
from loyalty.ledger.posting import lock_customers
from loyalty.notices.models import Notice, NoticeStatus
from loyalty.notices.unsubscribe import BY_LINK, want_reminders
from loyalty.notices.write import Letter, Message, queue
from loyalty.privacy.erase import erase_customers
from loyalty.store_settings.sections import EarnedPointsSettings, EarningSettings, StoreSettings
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Store
from orders.kinds import LEDGERS
from orders.models import Order, Revert
from orders.services.customers.merge import merge_customers
from orders.services.customers.merge_plans import NobodyLeft
from orders.services.intake.change import change_order
from orders.services.reverts.choices import CancelChoice, Extension
from orders.services.reverts.undo import undo_revert
from points.ledger import POINTS
from points.models import PointLot, PointMovement
from tests import factories
from tests.books import find_faults
from tests.factories import ACTOR, BEFORE, NOW, merge

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)


@pytest.fixture
def ana(store: Store) -> Customer:
    return factories.make_customer(store, name="Ana", email="ana@example.com", external_id="crm-1")


@pytest.fixture
def kept(store: Store) -> Customer:
    return factories.make_customer(store, name="Ana Lee", email="ana.lee@example.com")


@pytest.fixture(autouse=True)
def books_agree(store: Store) -> Any:
    yield
    assert find_faults(store) == []


def available(kind: Kind, *customers: Customer, now: Any = NOW) -> list[Any]:
    found = LEDGERS[kind].available([customer.pk for customer in customers], now=now)
    return [sum((amount for (pk, _), amount in found.items() if pk == customer.pk), start=0) for customer in customers]


def chain(kind: Kind, customer: Customer) -> list[tuple[str, Any, Any]]:
    rows = history(LEDGERS[kind], customer).order_by("id")
    return [(row.type, row.amount, balance_of(row)) for row in rows]


def test_o7_what_there_is_moves_lot_by_lot_with_its_expiry_and_order(ana: Customer, kept: Customer) -> None:
    soon = factories.grant("points", ana, 100, until=date(2026, 2, 1))
    never = factories.grant("points", ana, 50)
    own = factories.grant("points", kept, 200, until=date(2026, 3, 1))
    factories.grant("credits", ana, "12.50")
    factories.grant("credits", ana, "7.00", currency="EUR")

    assert merge(ana, kept).done

    assert available("points", ana, kept) == [0, 350]
    assert available("credits", ana, kept) == [0, Decimal("19.50")]
    lots = PointLot.unscoped.filter(customer=kept).order_by("pk").values_list("pk", "expires_at", "granted_at")
    assert list(lots) == [(lot.pk, lot.expires_at, BEFORE) for lot in (soon, never, own)]
    factories.make_order(kept, points=320, now=NOW)
    left = PointLot.unscoped.filter(customer=kept, remaining__gt=0).values_list("pk", "remaining")
    assert list(left) == [(never.pk, 30)]


def test_o7_what_returns_afterwards_reaches_the_kept_one(ana: Customer, kept: Customer) -> None:
    factories.grant("points", ana, 60)
    gone = factories.grant("credits", ana, "10", until=date(2026, 1, 1))
    order = factories.make_order(ana, points=60, credits="10")
    redemption = redeemed(ana)

    merge(ana, kept)
    order.refresh_from_db()
    redemption.refresh_from_db()

    assert (order.customer, redemption.customer) == (kept, kept)
    extend = CancelChoice(returns={"credits": True, "points": True}, extend={"credits": Extension(days=30)})
    cancelled = factories.cancel_choosing(order, extend)
    assert cancelled.order.points_reverted == 60
    assert available("points", ana, kept) == [0, 60]
    assert available("credits", ana, kept) == [0, 10]
    gone.refresh_from_db()
    assert gone.customer_id == kept.pk
    factories.reverse(redemption)
    assert available("points", ana, kept) == [0, 90]


@pytest.mark.parametrize("who", ["merged", "kept"])
def test_h3_whoever_of_the_two_wanted_no_reminders_gets_none(ana: Customer, kept: Customer, who: str) -> None:
    other = {"merged": ana, "kept": kept}[who]
    assert want_reminders(other, wanted=False, actor=BY_LINK, now=BEFORE)
    for customer in (ana, kept):
        message = Message("Soon", "100 points expire soon.", "<p>100 points expire soon.</p>", about="expiring")
        queue([Letter(message, customer, None)], actor=BY_LINK, now=BEFORE)

    merge(ana, kept)

    kept.refresh_from_db()
    assert kept.no_reminders_since == BEFORE
    waiting = Notice.objects.for_store(kept.store).filter(customer=kept).values_list("status", flat=True)
    assert [*waiting] == [NoticeStatus.WITHDRAWN] * 2


def redeemed(customer: Customer) -> Any:
    factories.grant("points", customer, 30)
    return factories.make_redemption(customer, factories.make_reward(customer.store, points=30))


def test_o7_a_return_from_before_is_undone_from_the_kept_one(ana: Customer, kept: Customer) -> None:
    factories.grant("points", ana, 60)
    order = factories.cancel(factories.make_order(ana, points=60))
    merge(ana, kept)
    revert = Revert.objects.for_store(kept.store).get(order=order)
    undo_revert(store=kept.store, revert_id=revert.pk, act=Act(ACTOR, Trigger.ADMIN, NOW))
    assert available("points", ana, kept) == [0, 0]
    assert factories.cancel(order).points_reverted == 60
    assert available("points", ana, kept) == [0, 60]


def test_o7_both_histories_are_the_kept_ones_and_run_through(ana: Customer, kept: Customer) -> None:
    factories.grant("points", ana, 100, now=BEFORE)
    factories.grant("points", kept, 200, now=BEFORE + timedelta(minutes=1))
    factories.make_order(ana, points=40, now=BEFORE + timedelta(minutes=2))
    merge(ana, kept)
    factories.grant("points", kept, 5, now=LATER)

    assert chain("points", kept) == [("grant", 100, 100), ("grant", 200, 300), ("spend", -40, 260), ("grant", 5, 265)]
    ana.refresh_from_db()
    assert chain("points", ana) == [("grant", 100, 100), ("spend", -40, 60), ("merge", -60, 0)]
    then = balances_at(POINTS, kept, instant=BEFORE + timedelta(minutes=1))
    assert then[""].available == 300
    assert balances_at(POINTS, kept, instant=NOW)[""].available == 260


def test_o7_credits_of_two_currencies_run_through_each_by_itself(ana: Customer, kept: Customer) -> None:
    factories.grant("credits", ana, "10", currency="EUR")
    factories.grant("credits", kept, "3")
    factories.grant("credits", ana, "4")
    merge(ana, kept)
    assert chain("credits", kept) == [("grant", 10, 10), ("grant", 3, 3), ("grant", 4, 7)]


def test_o7_what_lapsed_stays_in_the_history_of_whoever_let_it_lapse(ana: Customer, kept: Customer) -> None:
    factories.grant("points", ana, 100, until=date(2026, 1, 1))
    merge(ana, kept)
    assert chain("points", kept) == [("grant", 100, 100), ("expire", -100, 0)]
    assert PointMovement.unscoped.filter(customer=kept).count() == 0


def test_c1_a_debt_moves_too(store: Store, ana: Customer, kept: Customer) -> None:
    factories.make_settings(
        store,
        StoreSettings(
            earning=EarningSettings(points_per_unit=Decimal(1), on_status="paid"),
            earned_points=EarnedPointsSettings(claw_back=True, allow_negative=True),
        ),
    )
    order = factories.make_order(ana, total=Decimal(100), payment_status="paid")
    factories.make_order(ana, points=100)
    change_order(store=store, order_id=order.pk, values={"payment_status": "refunded"}, actor=ACTOR, now=NOW)
    assert available("points", ana) == [-100]
    factories.grant("points", kept, 30)
    merge(ana, kept)
    assert available("points", ana, kept) == [0, -70]
    factories.grant("points", kept, 80, now=NOW)
    assert available("points", ana, kept) == [0, 10]


def test_c2_points_earned_before_are_taken_back_from_the_kept_one(store: Store, ana: Customer, kept: Customer) -> None:
    factories.make_settings(
        store,
        StoreSettings(
            earning=EarningSettings(points_per_unit=Decimal(1), on_status="paid"),
            earned_points=EarnedPointsSettings(claw_back=True),
        ),
    )
    order = factories.make_order(ana, total=Decimal(100), payment_status="paid")
    # The platform gave the order to somebody else meanwhile; the points were Ana's all the same.
    other = factories.make_customer(store)
    Order.unscoped.filter(pk=order.pk).update(customer=other)
    merge(ana, kept)
    assert available("points", ana, kept) == [0, 100]
    change_order(store=store, order_id=order.pk, values={"payment_status": "refunded"}, actor=ACTOR, now=NOW)
    assert available("points", ana, kept, other) == [0, 0, 0]


def test_o7_ids_and_emails_lead_to_the_kept_one(store: Store, ana: Customer, kept: Customer) -> None:
    def who(facts: CustomerFacts) -> Customer | None:
        return identify(store, facts, now=NOW)

    there = CustomerFacts("7001", "ana@example.com", "", platform="shopify")
    assert who(there) == ana
    assert who(CustomerFacts("7002", "ana.lee@example.com", "", platform="shopify")) == kept
    assert who(CustomerFacts("26", "ana@example.com", "", platform="woocommerce")) == ana

    merge(ana, kept)

    for facts in (
        there,
        CustomerFacts("7001", "", "", platform="shopify"),
        CustomerFacts("26", "", "", platform="woocommerce"),
        CustomerFacts(None, "ANA@example.com", ""),
        CustomerFacts("crm-1", "", ""),
        CustomerFacts("7009", "ana@example.com", "", platform="shopline"),
    ):
        assert who(facts) == kept
    assert platform_ids([kept.pk])[kept.pk] == {"shopify": "7002", "woocommerce": "26", "shopline": "7009"}
    kept.refresh_from_db()
    assert (kept.external_id, kept.name, kept.email) == ("crm-1", "Ana Lee", "ana.lee@example.com")
    assert list(find_customers(store, "ana@example.com")) == list(find_customers(store, "7001")) == [kept]
    order = factories.make_order(ana)
    assert order.customer == kept


def test_o7_an_own_id_that_the_kept_one_has_stays_and_the_other_leads_there(store: Store, ana: Customer) -> None:
    kept = factories.make_customer(store, external_id="crm-2", email="", name="")
    merge(ana, kept)
    kept.refresh_from_db()
    assert (kept.external_id, kept.email, kept.name) == ("crm-2", "ana@example.com", "Ana")
    assert identify(store, CustomerFacts("crm-1", "ana@example.com", ""), now=NOW) == kept


def test_o7_merging_goes_on_in_one_step(store: Store, ana: Customer, kept: Customer) -> None:
    third = factories.make_customer(store)
    factories.grant("points", ana, 10)
    factories.grant("points", kept, 20)
    merge(ana, kept)
    merge(kept, third)
    assert one_person(ana.pk) == [third.pk, *sorted((ana.pk, kept.pk), reverse=True)]
    assert available("points", ana, kept, third) == [0, 0, 30]
    assert chain("points", third) == [("grant", 10, 10), ("grant", 20, 30)]
    # Who went before leads there: merging him again is merging nobody.
    assert not merge(ana, third).done
    assert not merge(third, ana).done


def test_o7_merging_twice_changes_nothing(ana: Customer, kept: Customer) -> None:
    factories.grant("points", ana, 10)
    assert merge(ana, kept).done
    written = PointMovement.unscoped.count(), JournalEntry.unscoped.count()
    again = merge(ana, kept)
    assert (again.kept, again.done) == (kept, False)
    assert (PointMovement.unscoped.count(), JournalEntry.unscoped.count()) == written


def test_o7_what_cannot_be_merged(store: Store, ana: Customer, kept: Customer) -> None:
    foreign = factories.make_customer(factories.make_store())
    with pytest.raises(Invalid) as refused:
        merge(kept, kept)
    assert (refused.value.errors[0].pointer, refused.value.errors[0].code) == ("/customer", "same")
    with pytest.raises(Invalid) as refused:
        merge(foreign, kept)
    assert refused.value.errors[0].code == "not-found"
    with pytest.raises(NotFound):
        merge_customers(store=store, kept_id=foreign.pk, merged_id=kept.pk, act=Act(ACTOR, Trigger.ADMIN, NOW))
    with transaction.atomic():
        erase_customers(store=store, customer_ids=[ana.pk], actor=ACTOR, now=NOW)
    for pair in ((ana, kept), (kept, ana)):
        with pytest.raises(NobodyLeft):
            merge(*pair)


def test_o7_nothing_is_written_to_a_ledger_that_has_moved(ana: Customer, kept: Customer) -> None:
    merge(ana, kept)
    with pytest.raises(CustomerMerged), transaction.atomic():
        lock_customers([ana.pk, kept.pk])
    lot = factories.grant("points", ana, 10)
    assert lot.customer_id == kept.pk


def test_o7_the_database_lets_a_lot_change_hands_by_merging_only(ana: Customer, kept: Customer) -> None:
    lot = factories.grant("points", ana, 10)
    with pytest.raises(IntegrityError, match="cannot change hands"), transaction.atomic():
        PointLot.unscoped.filter(pk=lot.pk).update(customer=kept)


def test_o7_messages_that_wait_go_to_the_kept_one(ana: Customer, kept: Customer) -> None:
    factories.grant("points", ana, 10)
    order = factories.make_order(ana, points=10)
    factories.cancel_choosing(order, CancelChoice(returns={"points": True}), notify_customer=True)
    merge(ana, kept)
    notice = Notice.objects.for_store(ana.store).get()
    assert (notice.customer, notice.to_email) == (kept, "ana.lee@example.com")


def test_o7_erasing_the_kept_one_erases_whoever_he_was(store: Store, ana: Customer, kept: Customer) -> None:
    factories.grant("points", ana, 10)
    merge(ana, kept, reason="Ana called in")
    with transaction.atomic():
        assert erase_customers(store=store, customer_ids=[ana.pk], actor=ACTOR, now=NOW) == 2
    ana.refresh_from_db()
    kept.refresh_from_db()
    assert {(who.name, who.email, who.external_id) for who in (ana, kept)} == {("", "", None)}
    assert not JournalEntry.objects.for_store(store).exclude(remark__isnull=True).exclude(remark__reason="").exists()
    assert available("points", kept) == [10]


def test_o7_a_merge_costs_the_same_number_of_statements_however_much_there_is(
    store: Store, django_assert_max_num_queries: Any
) -> None:
    for size in (1, 6):
        one, other = (factories.make_customer(store) for _ in range(2))
        for _ in range(size):
            factories.grant("points", one, 10)
            factories.grant("credits", one, "1")
            factories.make_order(one, points=1)
        with django_assert_max_num_queries(36):
            merge(one, other)


def test_h2_the_journal_says_what_was_merged(store: Store, ana: Customer, kept: Customer) -> None:
    factories.grant("points", ana, 10)
    factories.grant("credits", ana, "2.50")
    factories.make_order(ana)
    merge(ana, kept)
    entries = JournalEntry.objects.for_store(store).filter(event__startswith="customer.merged").order_by("pk")
    assert [(entry.event, entry.customer_id, entry.data) for entry in entries] == [
        (
            "customer.merged",
            kept.pk,
            {"customer": str(ana.pk), "orders": 1, "points": 10, "credits": {"USD": "2.50"}},
        ),
        ("customer.merged_away", ana.pk, {"customer": str(kept.pk)}),
    ]


STEP = st.tuples(st.sampled_from(["grant", "spend", "cancel", "merge"]), st.integers(0, 4), st.integers(0, 4))


@settings(max_examples=15)
@given(steps=st.lists(STEP, min_size=4, max_size=12))
def test_o7_nothing_is_lost_or_made_in_any_sequence_of_merges(steps: list[tuple[str, int, int]]) -> None:
    store = factories.make_store()
    people = [factories.make_customer(store) for _ in range(5)]
    orders: list[Order] = []
    expected, leads = [0] * 5, list(range(5))
    spent: dict[int, tuple[int, int]] = {}
    for step, one, other in steps:
        if step == "grant":
            factories.grant("points", people[one], 10)
            expected[leads[one]] += 10
        elif step == "spend" and expected[leads[one]] >= 7:
            orders.append(factories.make_order(people[one], points=7))
            expected[leads[one]] -= 7
            spent[orders[-1].pk] = one, 7
        elif step == "cancel" and orders:
            who, points = spent[factories.cancel(orders.pop()).pk]
            expected[leads[who]] += points
        elif step == "merge" and one != other:
            merge(people[one], people[other])
            gone, stays = leads[one], leads[other]
            if gone != stays:
                expected[stays] += expected[gone]
                expected[gone] = 0
                leads = [stays if lead == gone else lead for lead in leads]
        assert available("points", *people) == expected
    for number, customer in enumerate(people):
        customer.refresh_from_db()
        if leads[number] == number:
            rows = chain("points", customer)
            assert sum(amount for _, amount, _ in rows) == expected[number]
            assert [after for _, _, after in rows] == [sum(row[1] for row in rows[: i + 1]) for i in range(len(rows))]
    assert find_faults(store) == []
