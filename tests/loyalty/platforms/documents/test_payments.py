"""E10: what platforms say of a payment that is still open, as a table."""

from typing import Any

import pytest

from loyalty.platforms.documents.payments import is_on_delivery
from loyalty.platforms.read import read_order
from tests.loyalty.platforms.samples import Document, order

COD = ["Cash on Delivery (COD)"]


def test_e10_a_refund_that_is_under_way_has_returned_nothing_yet() -> None:
    for platform, changes in (
        ("shopify", {"financial_status": "pending_refund"}),
        ("shopline_global", {"financial_status": "REFUNDING"}),
        ("shopline", {"order_payment": {"status": "refund_pending"}}),
    ):
        snapshot = read_order(platform, order(platform, **changes))
        assert (snapshot.payment_status, snapshot.left_out) == ("paid", ())


@pytest.mark.parametrize(
    ("platform", "changes", "path"),
    [
        ("shopify", {"financial_status": "dispute_lost"}, "financial_status"),
        ("shopify", {"financial_status": None}, "financial_status"),
        ("shopline_global", {"financial_status": "reviewing"}, "financial_status"),
        ("shopline", {"order_payment": {"status": "in_review"}}, "order_payment.status"),
        ("shopline", {"order_payment": {}}, "order_payment.status"),
    ],
)
def test_o10_a_payment_word_that_nobody_knows_says_nothing(platform: str, changes: Document, path: str) -> None:
    snapshot = read_order(platform, order(platform, **changes))
    assert snapshot.left_out == (path,)
    assert "payment_status" in snapshot.unknown


@pytest.mark.parametrize(
    ("platform", "changes", "payment", "detail"),
    [
        ("shopify", {"financial_status": "pending"}, "pending", ""),
        ("shopify", {"financial_status": "authorized"}, "pending", "authorized"),
        ("shopify", {"financial_status": "partially_paid"}, "pending", "partially_paid"),
        ("shopify", {"financial_status": "voided"}, "pending", "voided"),
        ("shopify", {"financial_status": "expired"}, "expired", ""),
        ("shopify", {"financial_status": "pending", "payment_gateway_names": COD}, "pending", ""),
        (
            "shopify",
            {"financial_status": "pending", "payment_gateway_names": COD, "fulfillment_status": "fulfilled"},
            "pending",
            "on_delivery",
        ),
        (
            "shopify",
            {
                "financial_status": "pending",
                "payment_gateway_names": ["gift_card", *COD],
                "fulfillment_status": "partial",
            },
            "pending",
            "on_delivery",
        ),
        (
            "shopify",
            {"financial_status": "pending", "payment_gateway_names": ["manual"], "fulfillment_status": "fulfilled"},
            "pending",
            "",
        ),
        (
            "shopify",
            {"financial_status": "paid", "payment_gateway_names": COD, "fulfillment_status": "fulfilled"},
            "paid",
            "",
        ),
        ("woocommerce", {"status": "pending", "date_paid_gmt": None}, "pending", ""),
        ("woocommerce", {"status": "on-hold", "date_paid_gmt": None, "payment_method": "bacs"}, "pending", "at_bank"),
        (
            "woocommerce",
            {"status": "processing", "date_paid_gmt": None, "payment_method": "cod"},
            "pending",
            "on_delivery",
        ),
        ("woocommerce", {"status": "processing", "payment_method": "cod"}, "paid", ""),
        ("woocommerce", {"status": "processing", "date_paid_gmt": None}, "paid", ""),
        ("woocommerce", {"status": "completed", "date_paid_gmt": None, "payment_method": "cod"}, "paid", ""),
        (
            "woocommerce",
            {"status": "shipped", "date_paid_gmt": None, "payment_method": "x", "payment_method_title": "Nachnahme"},
            "pending",
            "on_delivery",
        ),
        ("woocommerce", {"status": "pending", "date_paid_gmt": None, "payment_method": "cod"}, "pending", ""),
        ("woocommerce", {"status": "partially-paid"}, "pending", "partially_paid"),
        ("woocommerce", {"status": "failed", "date_paid_gmt": None}, "failed", ""),
        ("shopline", {"order_payment": {"status": "pending", "payment_type": "bank_transfer"}}, "pending", ""),
        (
            "shopline",
            {
                "order_payment": {"status": "pending", "payment_type": "cash_on_delivery"},
                "order_delivery": {"status": "pending"},
            },
            "pending",
            "",
        ),
        (
            "shopline",
            {
                "order_payment": {"status": "pending", "payment_type": "cash_on_delivery"},
                "order_delivery": {"status": "shipped"},
            },
            "pending",
            "on_delivery",
        ),
        (
            "shopline",
            {
                "order_payment": {"status": "pending", "name_translations": {"zh-hant": "7-11 取貨付款"}},
                "order_delivery": {"delivery_status": "arrived"},
            },
            "pending",
            "on_delivery",
        ),
        ("shopline_global", {"financial_status": "unpaid", "payment_details": []}, "pending", ""),
        ("shopline_global", {"financial_status": "pending", "payment_details": []}, "pending", "at_bank"),
        (
            "shopline_global",
            {"financial_status": "unpaid", "payment_details": [{"pay_status": "risking"}]},
            "pending",
            "at_bank",
        ),
        ("shopline_global", {"financial_status": "authorized", "payment_details": []}, "pending", "authorized"),
        ("shopline_global", {"financial_status": "partially_paid", "payment_details": []}, "pending", "partially_paid"),
        (
            "shopline_global",
            {
                "financial_status": "unpaid",
                "fulfillment_status": "shipped",
                "payment_details": [{"pay_status": "unpaid", "pay_channel": "COD"}],
            },
            "pending",
            "on_delivery",
        ),
        (
            "shopline_global",
            {"financial_status": "pending", "payment_details": [{"pay_status": "pending", "pay_channel": "COD"}]},
            "pending",
            "",
        ),
    ],
)  # fmt: skip
def test_e10_what_is_to_be_known_of_an_open_payment(
    platform: str, changes: dict[str, Any], payment: str, detail: str
) -> None:
    snapshot = read_order(platform, order(platform, **changes))
    assert (snapshot.payment_status, snapshot.payment_detail) == (payment, detail)


@pytest.mark.parametrize(
    ("platform", "changes", "status", "paid_before"),
    [
        ("woocommerce", {"date_completed_gmt": "2026-01-06T09:00:00"}, "completed", True),
        ("woocommerce", {}, "confirmed", True),
        ("woocommerce", {"date_paid_gmt": None, "date_completed_gmt": "2026-01-06T09:00:00"}, "completed", True),
        ("woocommerce", {"date_paid_gmt": None}, "pending", False),
    ],
)
def test_e10_a_failed_order_of_woocommerce_says_what_it_was_before(
    platform: str, changes: dict[str, Any], status: str, paid_before: bool
) -> None:
    snapshot = read_order(platform, order(platform, status="failed", **changes))
    assert (snapshot.payment_status, snapshot.status, snapshot.paid_before) == ("failed", status, paid_before)


@pytest.mark.parametrize("paid_at", [None, "2026-01-05T09:00:00.000Z"])
def test_e10_a_failed_payment_of_shopline_says_whether_it_was_there(paid_at: str | None) -> None:
    snapshot = read_order("shopline", order("shopline", order_payment={"status": "failed", "paid_at": paid_at}))
    assert (snapshot.payment_status, snapshot.paid_before) == ("failed", paid_at is not None)


@pytest.mark.parametrize(
    "name",
    [
        "Cash on Delivery (COD)", "cod", "COD", "cash_on_delivery", "Cash-on-delivery", "CashOnDelivery",
        "Nachnahme (DHL)", "Paiement à la livraison",
        "貨到付款", "货到付款", "全家取貨付款", "KAPIDA ÖDEME", "代金引換",
    ],
)  # fmt: skip
def test_e10_names_of_paying_on_delivery(name: str) -> None:
    assert is_on_delivery(name)


@pytest.mark.parametrize("name", ["", "manual", "Bank Deposit", "codice carta", "Barcode", "bacs", "credit_card"])
def test_e10_names_of_other_payments(name: str) -> None:
    assert not is_on_delivery(name)
