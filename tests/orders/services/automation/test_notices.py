"""What customers are told when an order is cancelled automatically (E2, E3, F2, H3)."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty.notices.models import Notice
from loyalty.store_settings.sections import AutoCancelSettings, NotifySettings, StoreSettings
from loyalty.stores.models import Customer, Store
from orders.models import Order
from orders.services.automation.cancel_unpaid import auto_cancel
from tests.factories import NOW, grant, make_customer, make_order, make_settings, make_store

pytestmark = pytest.mark.django_db

BOTH = AutoCancelSettings(expired="cancel_and_revert", failed="cancel_and_revert")
PLACED = NOW - timedelta(days=9)


def telling_store(auto: AutoCancelSettings = BOTH, *, tells: bool = True) -> Store:
    store = make_store(name="Aurora Tea")
    make_settings(store, StoreSettings(auto_cancel=auto, notify=NotifySettings(on_automatic=tells)))
    return store


def order_with_an_expired_lot(store: Store, payment_status: str, customer: Customer | None = None) -> Order:
    """10.00 credits of a lot that expired yesterday and 5.00 of one that never does, and 100 points."""
    customer = customer or make_customer(store)
    grant("credits", customer, "10.00", until=date(2026, 1, 4), now=PLACED)
    grant("credits", customer, "5.00", now=PLACED)
    grant("points", customer, 100, now=PLACED)
    order = make_order(customer, credits="15.00", points=100, now=PLACED)
    Order.objects.for_store(store).filter(pk=order.pk).update(payment_status=payment_status)
    return order


def letter_about(order: Order) -> Notice:
    notice: Notice = Notice.objects.for_store(order.store).get(order=order)
    return notice


def lines(notice: Notice) -> list[str]:
    return [line for line in notice.text.splitlines() if line.startswith("-")]


def test_e3_an_expired_payment_and_what_all_or_nothing_kept() -> None:
    order = order_with_an_expired_lot(telling_store(), "expired")
    auto_cancel(NOW)
    notice = letter_about(order)
    assert f"Your order {order.number} at Aurora Tea was cancelled, because it was not paid in time." in notice.text
    assert "was cancelled, because it was not paid in time." in notice.html
    assert lines(notice) == [
        "- Not returned: 10.00 USD, expired on January 4, 2026",
        "- Not returned: 5.00 USD, because another part of the store credits that you used has expired",
        "- Returned to you: 100 points, valid without end",
    ]


def test_f2_a_failed_payment_and_what_was_valid() -> None:
    order = order_with_an_expired_lot(telling_store(), "failed")
    auto_cancel(NOW)
    notice = letter_about(order)
    assert "was cancelled, because the payment failed." in notice.text
    assert lines(notice) == [
        "- Returned to you: 5.00 USD, valid without end",
        "- Not returned: 10.00 USD, expired on January 4, 2026",
        "- Returned to you: 100 points, valid without end",
    ]


def test_e2_cancelled_only_says_what_is_not_back() -> None:
    order = order_with_an_expired_lot(telling_store(AutoCancelSettings(failed="cancel")), "failed")
    auto_cancel(NOW)
    assert lines(letter_about(order)) == [
        "- Not returned: 15.00 USD, please ask us if you expected it back",
        "- Not returned: 100 points, please ask us if you expected it back",
    ]


def test_an_order_that_used_nothing_is_told_of_in_a_sentence() -> None:
    store = telling_store()
    order = make_order(make_customer(store), payment_status="failed", now=PLACED)
    auto_cancel(NOW)
    assert lines(letter_about(order)) == []


def test_h3_off_by_default_once_and_never_without_an_address() -> None:
    order_with_an_expired_lot(telling_store(tells=False), "failed")
    order_with_an_expired_lot(nameless := telling_store(), "failed", make_customer(nameless, email=""))
    told = order_with_an_expired_lot(telling_store(), "failed")
    for later in range(3):
        auto_cancel(NOW + timedelta(hours=later))
    assert list(Notice.unscoped.values_list("order", flat=True)) == [told.pk]


def test_letters_cost_no_statement_each() -> None:
    def statements(orders: int) -> int:
        store = telling_store()
        for _ in range(orders):
            order_with_an_expired_lot(store, "failed")
        with CaptureQueriesContext(connection) as queries:
            assert auto_cancel(NOW)["cancelled"] == orders
        assert Notice.objects.for_store(store).count() == orders
        return len(queries)

    assert statements(1) == statements(12)
