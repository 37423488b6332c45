"""O5, O8, O10: what platforms and their plugins say of credits and points that were used there."""

from decimal import Decimal
from typing import Any

import pytest

from loyalty.platforms.read import read_order
from loyalty.platforms.snapshot import UsedThere
from tests.loyalty.platforms.samples import Document, order

_CREDIT = "shopify_store_credit"


def said(platform: str, **changes: Any) -> tuple[UsedThere, tuple[str, ...]]:
    snapshot = read_order(platform, order(platform, **changes))
    return snapshot.used_there, snapshot.left_out


def meta(*pairs: tuple[str, object]) -> dict[str, Any]:
    return {"meta_data": [{"id": place, "key": key, "value": value} for place, (key, value) in enumerate(pairs)]}


def paid(gateway: str, amount: str, kind: str = "sale", status: str = "success", currency: str = "USD") -> Document:
    return {"id": 1, "kind": kind, "status": status, "gateway": gateway, "amount": amount, "currency": currency}


@pytest.mark.parametrize(
    ("changes", "credits", "some"),
    [
        ({}, None, False),
        ({"payment_gateway_names": ["gift_card", "shopify_payments"]}, None, False),
        ({"payment_gateway_names": [_CREDIT]}, "120.00", False),
        ({"payment_gateway_names": [_CREDIT], "financial_status": "pending"}, None, True),
        ({"payment_gateway_names": ["shopify_payments", _CREDIT]}, None, True),
        ({"payment_gateway_names": [_CREDIT, 5, None, {}]}, "120.00", False),
        ({"payment_gateway_names": {"a": _CREDIT}}, None, False),
        ({"transactions": []}, None, False),
        ({"transactions": [paid(_CREDIT, "20.00"), paid("Shopify-Store-Credit", "5.005"), paid("bogus", "9")]}, "25.01",
         False),
        ({"transactions": [paid(_CREDIT, "20", "authorization"), paid(_CREDIT, "20", "capture")]}, "20.00", False),
        ({"transactions": [paid(_CREDIT, "20.00", status="failure"), paid(_CREDIT, "7", "refund")]}, None, False),
        ({"transactions": [paid(_CREDIT, "-3"), paid(_CREDIT, "4.00"), "x", None]}, "4.00", False),
    ],
)  # fmt: skip
def test_o5_shopifys_store_credit_is_a_payment(changes: Document, credits: str | None, some: bool) -> None:
    found, _ = said("shopify", **changes)
    assert found == UsedThere(credits=None if credits is None else Decimal(credits), some_credits=some)


@pytest.mark.parametrize(
    ("key", "value", "credits", "points"),
    [
        ("_wc_points_redeemed", "500", "0.00", 500),
        ("_wc_points_redeemed", 500, "0.00", 500),
        ("_ywpar_coupon_points", "120.00", "0.00", 120),
        ("_ywpar_redemped_points", Decimal("120.0"), "0.00", 120),
        ("wps_cart_discount#points", "80", "0.00", 80),
        ("_funds_used", "12.5", "12.50", 0),
        ("_order_funds", 12, "12.00", 0),
        ("smart_coupons_contribution", {"gift-1": 20, "gift-2": "5.5"}, "25.50", 0),
        ("smart_coupons_contribution", '{"gift-1": 20}', "20.00", 0),
        ("smart_coupons_contribution", [], "0.00", 0),
        ("acfw_store_credits_order_paid", {"amount": "9.30", "raw_amount": 9.3, "currency": "EUR"}, "9.30", 0),
        ("_funds_used", "", "0.00", 0),
        ("_funds_used", None, "0.00", 0),
        ("_funds_used", False, "0.00", 0),
        ("somebody_elses", "12", "0.00", 0),
    ],
)
def test_o5_woocommerces_plugins_leave_it_in_the_meta_data(key: str, value: object, credits: str, points: int) -> None:
    found, left_out = said("woocommerce", **meta((key, value)))
    amount = Decimal(credits)
    assert (found.credits, found.points, found.outside_total, left_out) == (amount, points, amount, ())


@pytest.mark.parametrize("value", [-5, "-5", "many", "1,5", True, {"amount": {}}, [1, "x"], {"a": -1}, 10**13, "9e3"])
@pytest.mark.parametrize("key", ["_wc_points_redeemed", "_funds_used"])
def test_o10_odd_shapes_say_nothing_and_the_order_stays(key: str, value: object) -> None:
    found, left_out = said("woocommerce", **meta(("x", 1), (key, value)))
    assert left_out == ("meta_data.1.value",)
    assert {found.credits, found.points} == {None, 0}


def test_o10_half_a_point_is_none() -> None:
    assert said("woocommerce", **meta(("_wc_points_redeemed", "1.5")))[0].points is None


def test_o5_several_plugins_add_up_and_one_counts_once() -> None:
    used = meta(
        ("_ywpar_coupon_points", "90"), ("_ywpar_redemped_points", "100"), ("_funds_used", "5"), ("_funds_used", "7"),
        ("smart_coupons_contribution", {"x": "2.50"}), ("_order_funds", "odd"),
    )  # fmt: skip
    coupons = {
        "coupon_lines": [{"code": "store credit", **meta(("acfw_store_credits_order_coupon_meta", {"amount": 4}))}]
    }
    tera = {"meta_data": [{"id": 1, "key": "_legacy_fee_key", "value": "_via_wallet_partial_payment"}]}
    fees = {"fee_lines": [{"name": "Wrapping", "total": "3.00"}, {"name": "Por carteira", "total": "-6.00", **tera}]}
    found, left_out = said("woocommerce", **used, **coupons, **fees)
    assert (found.credits, found.points, left_out) == (Decimal("17.50"), 100, ("meta_data.5.value",))


@pytest.mark.parametrize(
    ("changes", "credits", "outside"),
    [
        ({"payment_method": "wallet"}, "39.00", "0"),
        ({"payment_method": "wallet", "date_paid_gmt": None}, "0.00", "0"),
        ({"payment_method": "accountfunds", **meta(("_funds_used", "39.00"))}, "39.00", "0"),
        ({"payment_method": "accountfunds", "total": "0.00", **meta(("_funds_used", "39.00"))}, "39.00", "39.00"),
        ({"payment_method": "stripe", **meta(("_funds_used", "10.00"))}, "10.00", "10.00"),
    ],
)
def test_o8_an_order_paid_from_the_balance_alone_may_keep_its_total(
    changes: Document, credits: str, outside: str
) -> None:
    found, _ = said("woocommerce", **changes)
    assert (found.credits, found.outside_total) == (Decimal(credits), Decimal(outside))


def test_o8_shoplines_total_leaves_out_credits_and_what_points_were_worth() -> None:
    found, _ = said("shopline", order_points_to_cash={"cents": 20, "dollars": 20.0}, user_credit={"dollars": -10})
    assert found == UsedThere(Decimal(10), 200, Decimal(20), Decimal(30))


@pytest.mark.parametrize(
    ("value", "worth"), [("5.00", "5.00"), (None, "0"), ("-5", "5.00"), ("x", "0"), ({}, "0"), ([], "0")]
)
def test_o5_shopline_global_says_what_points_were_worth(value: object, worth: str) -> None:
    assert said("shopline_global", deduct_member_point_amount=value)[0] == UsedThere(points_worth=Decimal(worth))
