"""O1, O2: WooCommerce's orders."""

from decimal import Decimal
from functools import partial

import pytest

from loyalty.platforms import read
from loyalty.platforms.snapshot import CustomerSnapshot, LineSnapshot, NotAnOrder
from tests.loyalty.platforms.samples import Document, order, without

read_order = partial(read.read_order, "woocommerce")

_UNPAID = {"date_paid": None, "date_paid_gmt": None}
_REFUNDS = [{"id": 726, "refund": "", "total": "-10.00"}, {"id": 724, "reason": "", "total": "-9.00"}]


def test_o2_a_whole_order() -> None:
    snapshot = read_order(order("woocommerce"))
    assert (snapshot.external_id, snapshot.number, snapshot.platform_status) == ("727", "W-727", "processing")
    assert (str(snapshot.total), snapshot.currency, str(snapshot.refunded_total)) == ("39.00", "EUR", "0.00")
    assert snapshot.placed_at.isoformat() == "2026-01-05T09:00:00+00:00"
    assert snapshot.updated_at.isoformat() == "2026-01-06T09:00:00+00:00"
    assert snapshot.customer == CustomerSnapshot("26", "joao@example.com", "João Silva", "11")
    assert snapshot.lines == (LineSnapshot("Album \N{EN DASH} Red", "", 1, Decimal("29.00")),)
    assert (snapshot.tags, snapshot.discount_codes, snapshot.parent_external_id) == ((), ("10off",), "")


@pytest.mark.parametrize(
    ("changes", "status", "payment"),
    [
        ({"status": "pending"} | _UNPAID, "pending", "pending"),
        ({"status": "on-hold"} | _UNPAID, "pending", "pending"),
        ({"status": "processing"}, "confirmed", "paid"),
        ({"status": "wc-processing"}, "confirmed", "paid"),
        ({"status": "ready-for-pickup"}, "confirmed", "paid"),
        ({"status": "completed"} | _UNPAID, "completed", "paid"),
        ({"status": "failed"} | _UNPAID, "pending", "failed"),
        ({"status": "cancelled"} | _UNPAID, "cancelled", "pending"),
        ({"status": "cancelled"}, "cancelled", "paid"),
        ({"status": "cancelled", "refunds": _REFUNDS}, "cancelled", "partially_refunded"),
        ({"status": "refunded"}, "confirmed", "refunded"),
        ({"status": "refunded", "date_completed_gmt": "2026-01-08T09:00:00"}, "completed", "refunded"),
        ({"status": "completed", "refunds": _REFUNDS}, "completed", "partially_refunded"),
        ({"status": "completed", "refunds": [{"total": "-39.00"}]}, "completed", "refunded"),
        ({"status": "shipped-by-plugin"}, "confirmed", "paid"),
        ({"status": "pending-refund"} | _UNPAID, "pending", "paid"),
        ({"status": "refund-requested", "date_completed_gmt": "2026-01-08T09:00:00"}, "completed", "paid"),
        ({"status": "waiting-for-owl"} | _UNPAID, "pending", "pending"),
    ],
)
def test_o1_statuses(changes: Document, status: str, payment: str) -> None:
    snapshot = read_order(order("woocommerce", **changes))
    assert (snapshot.status, snapshot.payment_status) == (status, payment)
    assert snapshot.platform_status == changes["status"]
    assert snapshot.cancelled_at is None


@pytest.mark.parametrize("word", ["trash", "draft", "auto-draft", "checkout-draft"])
def test_o2_drafts_and_the_bin_are_no_orders(word: object) -> None:
    with pytest.raises(NotAnOrder) as caught:
        read_order(order("woocommerce", status=word))
    assert caught.value.field == "status"


@pytest.mark.parametrize("word", ["", None, {}, True])
def test_o10_without_a_status_the_order_says_what_else_it_knows(word: object) -> None:
    snapshot = read_order(order("woocommerce", status=word))
    assert (snapshot.status, snapshot.payment_status) == ("confirmed", "paid")
    assert snapshot.left_out == ("status",)
    assert snapshot.unknown >= {"status", "payment_status"}


@pytest.mark.parametrize(
    ("key", "value", "is_test"),
    [
        ("_wcpay_mode", "test", True),
        ("_wcpay_mode", "prod", False),
        ("_mollie_payment_mode", "test", True),
        ("_ppcp_paypal_payment_mode", "sandbox", True),
        ("_ppcp_paypal_payment_mode", "live", False),
        ("_wc_klarna_environment", "us-test", True),
        ("_wc_braintree_credit_card_environment", "sandbox", True),
        ("_wcpay_mode", ["test"], False),
        ("_order_tags", "test", False),
    ],
)
def test_e10_a_payment_plugins_test_mode_makes_a_test_order(key: str, value: object, is_test: bool) -> None:
    entries = [{"id": 1, "key": ["_wcpay_mode"], "value": "test"}, {"id": 2, "key": key, "value": value}, "odd"]
    assert read_order(order("woocommerce", meta_data=entries)).is_test is is_test


def test_n5_refunds_are_listed_below_zero() -> None:
    assert read_order(order("woocommerce", refunds=_REFUNDS)).refunded_total == Decimal("19.00")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"customer_id": 0}, CustomerSnapshot("", "joao@example.com", "João Silva", "11")),
        ({"customer_id": 0, "billing": {"email": ""}}, None),
        ({"customer_id": 0, "billing": []}, None),
        ({"customer_id": 5, "billing": {"company": "Tea Ltd", "email": ""}}, CustomerSnapshot("5", "", "Tea Ltd")),
    ],
)
def test_o2_customers_and_guests(changes: Document, expected: CustomerSnapshot | None) -> None:
    assert read_order(order("woocommerce", **changes)).customer == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(["vip", "Gold"], ("vip", "Gold")), ("vip, Gold", ("vip", "Gold")), ("", ()), ([], ()), (None, ())],
)
def test_o2_tags_come_from_the_chosen_meta_data(value: object, expected: tuple[str, ...]) -> None:
    meta = [{"key": "_other", "value": {"any": 1}}, {"key": "_order_tags", "value": value}]
    assert read_order(order("woocommerce", meta_data=meta), tags_meta_key="_order_tags").tags == expected
    assert read_order(order("woocommerce", meta_data=meta)).tags == ()
    assert read_order(order("woocommerce", tags="a, b")).tags == ("a", "b")


def test_o2_without_utc_fields_the_local_time_stands_in() -> None:
    document = without(order("woocommerce"), "date_created_gmt", "date_modified_gmt")
    assert read_order(document).placed_at.isoformat() == "2026-01-05T10:00:00+00:00"
    with pytest.raises(NotAnOrder) as caught:
        read_order(without(document, "date_created", "date_modified"))
    assert caught.value.field == "date_created_gmt"


def test_o2_a_part_of_a_split_order_names_its_parent() -> None:
    assert read_order(order("woocommerce", parent_id=700)).parent_external_id == "700"


@pytest.mark.parametrize(
    ("quantity", "pieces", "title"),
    [(2, 2, "Cheese"), (Decimal("2.0"), 2, "Cheese"), (Decimal("1.50"), 1, "Cheese (1.5)")],
)
def test_o2_a_fraction_of_a_piece_is_one_line(quantity: object, pieces: int, title: str) -> None:
    lines = [{"name": "Cheese", "quantity": quantity, "total": "8.264463"}]
    (line,) = read_order(order("woocommerce", line_items=lines)).lines
    assert (line.quantity, line.title, str(line.total)) == (pieces, title, "8.26")
