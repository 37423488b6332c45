"""O2: every real payload is read right, or refused by name."""

from decimal import Decimal
from pathlib import Path

import pytest

from loyalty.platforms.files import Row, read_documents
from loyalty.platforms.read import read_order
from loyalty.platforms.snapshot import NotAnOrder, OrderSnapshot


def _rows(folder: Path, name: str) -> list[Row]:
    return list(read_documents((folder / name).read_bytes()))


def _orders(folder: Path, name: str) -> list[OrderSnapshot]:
    documents = [row.document for row in _rows(folder, name)]
    return [read_order(name.partition("/")[0], document) for document in documents if document is not None]


# file: (external id, status, payment, total, refunded, currency, customer's id or None, e-mail, tags, test)
_TEST = "820982911946154508"
_OLD = "450789469"
_TAGS = ("External", "Inbound", "Outbound")
_TWO = ("tag1", "tag2")
_BOB = ("207119551", "bob.norman@mail.example.com")
_GUEST_BOB = ("", "bob.norman@mail.example.com")
_PAUL = ("1073339474", "paul.norman@example.com")
_JOHN = ("115310627314723954", "john@example.com")
_PART = "partially_refunded"
_SHOPIFY_ORDERS = [
    ("webhook_orders_updated_2024-10", _TEST, "cancelled", "pending", "388.00", "0.00", "USD", _JOHN, _TWO, 1),
    ("webhook_orders_cancelled_2023-01", _TEST, "cancelled", "pending", "36.99", "0.00", "CAD", _JOHN, (), 1),
    ("rest_order_partially_refunded_with_tags", _OLD, "confirmed", _PART, "598.94", "209.00", "USD", _BOB, _TAGS, 0),
    ("rest_order_cancelled_refunded", _OLD, "cancelled", "refunded", "598.94", "10.00", "USD", _BOB, (), 0),
    ("rest_orders_authorized", _OLD, "confirmed", "pending", "598.94", "209.00", "USD", _BOB, (), 0),
    ("rest_order_partially_paid", "1073459980", "confirmed", "pending", "199.00", "0.00", "USD", _PAUL, (), 0),
    ("rest_order_pending", "1073459983", "confirmed", "pending", "199.00", "0.00", "USD", _BOB, (), 0),
    ("rest_order_paid_eur", "1073459976", "confirmed", "paid", "238.47", "0.00", "EUR", None, (), 0),
    ("rest_order_without_customer", _OLD, "confirmed", _PART, "598.94", "209.00", "USD", _GUEST_BOB, (), 0),
]  # fmt: skip


@pytest.mark.parametrize("expected", _SHOPIFY_ORDERS, ids=lambda expected: str(expected[0]))
def test_o2_shopify_orders(payloads: Path, expected: tuple[object, ...]) -> None:
    name, *facts = expected
    (snapshot,) = _orders(payloads, f"shopify/{name}.json")
    customer = snapshot.customer and (snapshot.customer.external_id, snapshot.customer.email)
    found = [
        snapshot.external_id, snapshot.status, snapshot.payment_status, str(snapshot.total),
        str(snapshot.refunded_total), snapshot.currency, customer, snapshot.tags, snapshot.is_test,
    ]  # fmt: skip
    assert found == facts


def test_o2_shopify_test_deliveries_are_marked_by_their_header(payloads: Path) -> None:
    assert [row.is_test for row in _rows(payloads, "shopify/webhook_orders_updated_2024-10.json")] == [True]
    assert [row.is_test for row in _rows(payloads, "shopify/rest_order_pending.json")] == [False]


def test_o2_woocommerce_orders(payloads: Path) -> None:
    processing, completed = _orders(payloads, "woocommerce/orders_list_processing_and_refunded_twice.json")
    assert (processing.status, processing.payment_status, processing.total) == ("confirmed", "paid", Decimal("29.35"))
    assert processing.customer is not None
    assert (processing.customer.external_id, processing.customer.email) == ("", "john.doe@example.com")
    assert processing.lines[1].title.startswith("Ship Your Idea \N{EN DASH} Color")
    assert (completed.status, completed.payment_status) == ("completed", "partially_refunded")
    assert (completed.total, completed.refunded_total) == (Decimal("39.00"), Decimal("19.00"))
    assert completed.placed_at.isoformat() == "2017-03-21T19:16:00+00:00"


def test_o2_shopline_order_without_currency_is_in_the_stores_own(payloads: Path) -> None:
    (snapshot,) = _orders(payloads, "shopline/order_mock_confirmed.json")
    assert (snapshot.status, snapshot.payment_status, snapshot.platform_payment_status) == ("confirmed", "paid", "paid")
    assert (snapshot.total, snapshot.currency, snapshot.number) == (Decimal(100), "", "SO001")
    assert snapshot.updated_at == snapshot.placed_at
    assert snapshot.lines[0].title == "商品"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("shopify/rest_refund_created.json", "This is a refund, not an order."),
        ("shopify/webhook_refunds_create_2024-10.json", "This is a refund, not an order"),
        ("shopify/webhook_order_transactions_create_2024-10.json", "This is a payment transaction, not an order"),
        ("shopify/webhook_discounts_redeemcode_removed_2024-10.json", "This is a discount, not an order"),
        ("woocommerce/coupons_list.json", "This is a coupon, not an order."),
        ("woocommerce/order_refunds_list.json", "This is a refund, not an order."),
        ("woocommerce/webhook_coupon_deleted.json", "This is a coupon, not an order"),
    ],
)
def test_o2_other_documents_are_refused_by_name(payloads: Path, name: str, sentence: str) -> None:
    rows = _rows(payloads, name)
    assert rows
    for row in rows:
        with pytest.raises(NotAnOrder, match=sentence):
            _read(name.partition("/")[0], row)


def _read(platform: str, row: Row) -> OrderSnapshot:
    if row.document is None:
        assert row.error is not None
        raise row.error
    return read_order(platform, row.document)


def test_every_payload_is_read_or_refused(payloads: Path) -> None:
    names = [str(path.relative_to(payloads)) for path in payloads.rglob("*.json")]
    refusals = [_refusal(name.partition("/")[0], row) for name in names for row in _rows(payloads, name)]
    assert names
    assert all(refusal.startswith("This is ") for refusal in refusals if refusal)


def _refusal(platform: str, row: Row) -> str:
    try:
        _read(platform, row)
    except NotAnOrder as error:
        return str(error)
    return ""
