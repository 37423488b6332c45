"""Recording orders and what they spend (O2, O5, L3, L4)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from credits.models import CreditAllocation, CreditMovement
from loyalty.core.errors import Invalid
from loyalty.customers.identify import CustomerFacts
from loyalty.journal.models import JournalEntry
from loyalty.ledger.planner import InsufficientBalance
from loyalty.store_settings.sections import EarningSettings, StoreSettings
from loyalty.stores.actors import Act, Trigger
from loyalty.stores.models import Customer, Store
from orders.models import Order, OrderStatus
from orders.services.intake.place import NewOrder, place_order
from orders.services.intake.spend import CustomerDiffers, SpendDiffers
from orders.services.locks import OrderCancelled
from tests import factories
from tests.books import find_faults
from tests.factories import ACTOR, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(store: Store) -> Customer:
    return factories.make_customer(store)


def place(store: Store, **values: Any) -> tuple[Order, bool]:
    facts: dict[str, Any] = {
        "number": "1001",
        "total": Decimal(100),
        "currency": "USD",
        "placed_at": NOW,
        "customer": None,
    }
    return place_order(store=store, new=NewOrder(**(facts | values)), act=Act(ACTOR, Trigger.API, NOW))


def test_l3_an_order_takes_from_the_lot_that_expires_first(store: Store, customer: Customer) -> None:
    never = factories.grant("credits", customer, "10")
    late = factories.grant("credits", customer, "10", until=date(2026, 3, 1))
    soon = factories.grant("credits", customer, "10", until=date(2026, 2, 1))
    factories.grant("credits", customer, "10", until=date(2026, 1, 4))
    order, created = place(store, customer=customer.pk, apply_credits=Decimal(25))
    assert created
    assert order.credits_applied == 25
    drawn = CreditAllocation.unscoped.filter(order=order).order_by("id").values_list("lot", "amount")
    assert list(drawn) == [(soon.pk, 10), (late.pk, 10), (never.pk, 5)]
    assert find_faults(store) == []


def test_l3_too_little_balance_writes_nothing(store: Store, customer: Customer) -> None:
    factories.grant("credits", customer, "10")
    factories.grant("points", customer, 5)
    for values, pointer in (
        ({"apply_credits": Decimal("10.01")}, "/apply_credits"),
        ({"apply_credits": Decimal(1), "apply_points": 6}, "/apply_points"),
    ):
        with pytest.raises(InsufficientBalance) as refused:
            place(store, customer=customer.pk, **values)
        assert [error.pointer for error in refused.value.errors] == [pointer]
    assert not Order.unscoped.exists()
    assert CreditMovement.unscoped.count() == 1


def test_l4_credits_of_one_currency_pay_only_orders_of_it(store: Store, customer: Customer) -> None:
    factories.grant("credits", customer, "10", currency="EUR")
    with pytest.raises(InsufficientBalance):
        place(store, customer=customer.pk, apply_credits=Decimal(1))
    order, _ = place(store, customer=customer.pk, apply_credits=Decimal(1), currency="EUR")
    assert order.credits_applied == 1


def test_l2_an_expired_lot_pays_nothing_whether_or_not_a_job_has_run(store: Store, customer: Customer) -> None:
    factories.grant("credits", customer, "10", until=date(2026, 1, 4))
    with pytest.raises(InsufficientBalance, match="the balance is 0"):
        place(store, customer=customer.pk, apply_credits=Decimal(1))


def test_o2_the_same_order_again_changes_nothing(store: Store, customer: Customer) -> None:
    factories.grant("credits", customer, "10")
    first, _ = place(store, customer=customer.pk, apply_credits=Decimal(4), external_id="x")
    again, created = place(store, customer=customer.pk, apply_credits=Decimal(4), external_id="x", number="other")
    assert (again.pk, created, again.number, again.version) == (first.pk, False, "1001", first.version)
    assert factories.balance("credits", customer, now=NOW) == 6


def test_o2_orders_are_told_apart_by_store_platform_and_number(store: Store) -> None:
    keys: list[dict[str, Any]] = [{}, {"platform": "shopify"}, {"number": "1002"}, {"external_id": "1001"}]
    orders = {place(store, **values)[0].pk for values in keys}
    orders.add(place(factories.make_store())[0].pk)
    assert len(orders) == 5


def test_o5_a_spend_can_be_recorded_later_but_not_changed(store: Store, customer: Customer) -> None:
    factories.grant("credits", customer, "10")
    factories.grant("points", customer, 10)
    place(store, customer=customer.pk)
    order, created = place(store, customer=customer.pk, apply_credits=Decimal(4))
    assert (created, order.credits_applied) == (False, 4)
    order, _ = place(store, customer=customer.pk, apply_credits=Decimal(4), apply_points=3)
    assert order.points_applied == 3
    with pytest.raises(SpendDiffers):
        place(store, customer=customer.pk, apply_credits=Decimal(5))


def test_o5_a_cancelled_order_takes_nothing(store: Store, customer: Customer) -> None:
    factories.grant("credits", customer, "10")
    order, _ = place(store, customer=customer.pk, status=OrderStatus.CANCELLED)
    assert order.cancelled_at == NOW
    with pytest.raises(OrderCancelled):
        place(store, customer=customer.pk, apply_credits=Decimal(5))


@pytest.mark.parametrize(
    ("values", "pointer", "code"),
    [
        ({"customer": None, "apply_points": 1}, "/customer", "required"),
        ({"apply_credits": Decimal("100.01")}, "/apply_credits", "above-total"),
        ({"apply_credits": Decimal(-1)}, "/apply_credits", "invalid"),
        ({"apply_points": -1}, "/apply_points", "invalid"),
        ({"customer": 0}, "/customer", "not-found"),
    ],
)
def test_o5_what_cannot_be_is_refused(
    store: Store, customer: Customer, values: dict[str, Any], pointer: str, code: str
) -> None:
    factories.grant("credits", customer, "1000")
    factories.grant("points", customer, 1000)
    with pytest.raises(Invalid) as refused:
        place(store, **({"customer": customer.pk} | values))
    assert [(error.pointer, error.code) for error in refused.value.errors] == [(pointer, code)]
    assert not Order.unscoped.exists()


def test_t1_a_customer_of_another_store_is_unknown(store: Store) -> None:
    stranger = factories.make_customer(factories.make_store())
    with pytest.raises(Invalid) as refused:
        place(store, customer=stranger.pk)
    assert refused.value.errors[0].code == "not-found"


def test_o2_a_customer_is_found_by_id_then_by_e_mail_and_filled_in(store: Store) -> None:
    known = factories.make_customer(store, email="Ana@Example.org", name="")
    order, _ = place(store, customer=CustomerFacts("c-1", "ana@example.org", "Ana"))
    known.refresh_from_db()
    assert (order.customer_id, known.external_id, known.name, known.email) == (
        known.pk,
        "c-1",
        "Ana",
        "Ana@Example.org",
    )
    order, _ = place(store, number="2", customer=CustomerFacts("c-1", "new@example.org", "Eve"))
    assert order.customer_id == known.pk
    order, _ = place(store, number="3", customer=CustomerFacts("c-2", "ana@example.org", "Ana"))
    assert order.customer_id != known.pk
    order, _ = place(store, number="4", customer=CustomerFacts(None, "", "Nobody"))
    assert order.customer_id is None


def test_o7_an_order_without_a_customer_takes_the_one_that_a_spend_names(store: Store, customer: Customer) -> None:
    factories.grant("credits", customer, "30")
    factories.make_settings(store, StoreSettings(earning=EarningSettings(points_per_unit=Decimal(1), on_status="paid")))
    place(store, payment_status="paid", platform="shopify", external_id="9")
    order, created = place(store, platform="shopify", external_id="9", customer=customer.pk)
    assert (order.customer, created) == (None, False)

    order, created = place(store, platform="shopify", external_id="9", customer=customer.pk, apply_credits=Decimal(30))

    assert (order.customer, order.credits_applied, created) == (customer, 30, False)
    assert order.points_earned == 100
    assert find_faults(store) == []


def test_o7_a_spend_that_names_another_customer_is_refused(store: Store, customer: Customer) -> None:
    factories.grant("credits", customer, "30")
    other = factories.make_customer(store)
    factories.grant("credits", other, "30")
    place(store, customer=customer.pk)
    for named in (other.pk, CustomerFacts(None, other.email, ""), CustomerFacts("new", "new@example.org", "New")):
        with pytest.raises(CustomerDiffers):
            place(store, customer=named, apply_credits=Decimal(10))
    assert Customer.objects.for_store(store).count() == 2
    assert CreditMovement.unscoped.filter(type="spend").count() == 0

    order, _ = place(store, customer=CustomerFacts(None, customer.email.upper(), ""), apply_credits=Decimal(10))
    assert (order.customer, order.credits_applied) == (customer, 10)
    with pytest.raises(CustomerDiffers):
        place(store, customer=other.pk, apply_credits=Decimal(10))


def test_o7_an_email_of_several_customers_names_nobody(store: Store, customer: Customer) -> None:
    factories.make_customer(store, email=customer.email)
    with pytest.raises(Invalid) as refused:
        place(store, customer=CustomerFacts(None, customer.email, ""))
    assert (refused.value.errors[0].pointer, refused.value.errors[0].code) == ("/customer", "not-unique")


def test_n3_tags_are_trimmed_and_keyed(store: Store) -> None:
    order, _ = place(store, tags=[" Exchange-Order ", "exchange-order", "", "VIP guest"])
    assert (order.tags, order.tag_keys) == (["Exchange-Order", "VIP guest"], ["exchange-order", "vip guest"])


class TestPlatformsTotals:
    """O8: a platform's total may be what was left to pay; the client's own total counts, and stays."""

    @pytest.fixture
    def paid(self, store: Store, customer: Customer) -> dict[str, Any]:
        factories.grant("credits", customer, "100.00")
        facts = {"platform": "shopify", "external_id": "9", "customer": customer.pk}
        place(store, **facts, total=Decimal("20.00"))
        return facts

    def test_o8_credits_are_held_against_the_total_that_is_named(self, store: Store, paid: dict[str, Any]) -> None:
        order, created = place(store, **paid, total=Decimal("120.00"), apply_credits=Decimal(100))
        assert (created, order.total, order.total_named, order.credits_applied) == (False, 120, True, 100)
        changes = JournalEntry.objects.for_store(store).get(event="order.updated").data
        assert changes == {"total": {"from": "20.00", "to": "120.00"}}
        assert find_faults(store) == []

    def test_o8_more_than_that_is_refused_and_nothing_is_kept(self, store: Store, paid: dict[str, Any]) -> None:
        with pytest.raises(Invalid) as refusal:
            place(store, **paid, total=Decimal("99.99"), apply_credits=Decimal(100))
        assert refusal.value.errors[0].pointer == "/apply_credits"
        assert Order.objects.for_store(store).get().total == Decimal(20)

    @pytest.mark.parametrize(("total", "used", "pointer"), [("60.5", "50", "/total"), ("60", "5.5", "/apply_credits")])
    def test_o8_amounts_are_in_the_unit_of_the_orders_currency(
        self, store: Store, customer: Customer, total: str, used: str, pointer: str
    ) -> None:
        factories.grant("credits", customer, "100", currency="JPY")
        facts = {"platform": "shopify", "external_id": "9", "customer": customer.pk}
        place(store, **facts, total=Decimal(20), currency="JPY")
        with pytest.raises(Invalid) as refusal:
            place(store, **facts, total=Decimal(total), apply_credits=Decimal(used))
        assert refusal.value.errors[0].pointer == pointer

    def test_o8_points_leave_the_platforms_total_alone(
        self, store: Store, customer: Customer, paid: dict[str, Any]
    ) -> None:
        factories.grant("points", customer, 50)
        order, _ = place(store, **paid, total=Decimal("120.00"), apply_points=50)
        assert (order.total, order.total_named) == (20, False)

    def test_o8_an_order_of_no_platform_keeps_its_total(self, store: Store, customer: Customer) -> None:
        factories.grant("credits", customer, "100.00")
        place(store, customer=customer.pk, total=Decimal(20))
        with pytest.raises(Invalid):
            place(store, customer=customer.pk, total=Decimal(120), apply_credits=Decimal(100))
