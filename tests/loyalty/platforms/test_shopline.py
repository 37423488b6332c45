"""O1, O2, O5: the orders of SHOPLINE in Asia and of SHOPLINE Global."""

from decimal import Decimal
from functools import partial

import pytest

from loyalty.platforms import read
from loyalty.platforms.snapshot import CustomerSnapshot, LineSnapshot, NotAnOrder
from tests.loyalty.platforms.samples import Document, order, without

read_order = partial(read.read_order, "shopline")
read_global = partial(read.read_order, "shopline_global")


def test_o2_a_whole_order_of_shopline() -> None:
    snapshot = read_order(order("shopline"))
    assert (snapshot.external_id, snapshot.number) == ("608faafe3985d70013d89319", "20260105040456194")
    assert (str(snapshot.total), snapshot.currency) == ("1700.00", "TWD")
    assert snapshot.customer == CustomerSnapshot("5e0738e792f5c90009548b54", "ming@example.com", "王小明", "0911111111")
    assert snapshot.lines == (LineSnapshot("商品", "N-1", 2, Decimal("1780.00")),)
    assert (snapshot.tags, snapshot.discount_codes) == (("vip", "換貨"), ("SPRING",))
    assert snapshot.updated_at.isoformat() == "2026-01-06T09:00:00.123000+00:00"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("pending", "pending"), ("confirmed", "confirmed"), ("completed", "completed"), ("cancelled", "cancelled"),
        ("canceled", "cancelled"), ("a_new_word", "pending"), (None, "pending"),
    ],
)  # fmt: skip
def test_o1_order_statuses_of_shopline(word: object, expected: str) -> None:
    assert read_order(order("shopline", status=word)).status == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("pending", "pending"), ("failed", "failed"), ("expired", "expired"), ("completed", "paid"), ("paid", "paid"),
        ("refunding", "paid"), ("refunded", "refunded"), ("partially_refunded", "partially_refunded"),
        ("a_new_word", "pending"), (None, "pending"),
    ],
)  # fmt: skip
def test_o1_payment_statuses_of_shopline(word: object, expected: str) -> None:
    snapshot = read_order(order("shopline", order_payment={"status": word}))
    assert (snapshot.payment_status, snapshot.platform_payment_status) == (expected, word or "")


@pytest.mark.parametrize(("key", "value"), [("status", "temp"), ("status", "removed"), ("type", "return")])
def test_o2_what_shopline_does_not_count_as_an_order(key: str, value: str) -> None:
    with pytest.raises(NotAnOrder) as caught:
        read_order(order("shopline", **{key: value}))
    assert caught.value.field == key


def test_o5_credits_and_points_used_on_shopline_are_kept() -> None:
    snapshot = read_order(order("shopline"))
    assert (snapshot.used_there.credits, snapshot.used_there.points) == (Decimal("10.00"), 200)
    bare = read_order(without(order("shopline"), "user_credit", "order_points"))
    assert (bare.used_there.credits, bare.used_there.points) == (Decimal(0), 0)


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        ({"cents": 1700, "dollars": 1700}, "1700.00"),
        ({"dollars": Decimal("99.5")}, "99.50"),
        (88, "88.00"),
        ("88.5", "88.50"),
    ],
)
def test_o2_money_as_object_or_number(total: object, expected: str) -> None:
    assert str(read_order(order("shopline", total=total)).total) == expected


@pytest.mark.parametrize(
    "total",
    [
        {"cents": 1700}, {}, None, {"dollars": -1}, {"dollars": "much"}, [], {"cents": 1700, "label": "NT$18"},
        {"cents": {}, "label": "NT$18"}, {"dollars": {}, "cents": 1700, "label": "NT$1700"},
    ],
)  # fmt: skip
def test_o10_a_total_that_is_not_said_is_not_guessed(total: object) -> None:
    snapshot = read_order(order("shopline", total=total))
    assert (snapshot.total, snapshot.left_out, set(snapshot.unknown)) == (Decimal(0), ("total",), {"total"})


@pytest.mark.parametrize(
    ("cents", "label", "expected"),
    [(1700, "NT$1,700", "1700.00"), (170050, "HK$1,700.50", "1700.50"), (1200, "US$12.00", "12.00")],
)
def test_o10_without_dollars_the_label_says_what_cents_are(cents: int, label: str, expected: str) -> None:
    assert str(read_order(order("shopline", total={"cents": cents, "label": label})).total) == expected


@pytest.mark.parametrize("points", [-50, Decimal("12.5"), "many", {}, True, 10**12])
def test_o10_impossible_points_say_nothing(points: object) -> None:
    snapshot = read_order(order("shopline", order_points=points))
    assert (snapshot.used_there.points, snapshot.left_out) == (None, ("order_points",))


def test_o2_the_currency_may_stand_in_the_total_or_nowhere() -> None:
    document = without(order("shopline"), "currency_iso")
    assert read_order(document).currency == "TWD"
    assert read_order(document | {"total": {"dollars": 100}}).currency == ""


def test_o2_the_id_of_a_webhooks_resource() -> None:
    assert read_order(without(order("shopline"), "id") | {"_id": "607fd9c2"}).external_id == "607fd9c2"


def test_o2_split_orders_name_one_another() -> None:
    snapshot = read_order(order("shopline", parent_order_id="p1", child_order_ids=["c1", "c2"]))
    assert (snapshot.parent_external_id, snapshot.child_external_ids) == ("p1", ("c1", "c2"))


def test_o1_a_payment_that_waits_some_days_is_due_then() -> None:
    due = read_order(order("shopline", order_payment={"status": "pending", "expire_time": 3})).payment_due_at
    assert due is not None
    assert due.isoformat() == "2026-01-08T09:00:00+00:00"


def test_o2_a_whole_order_of_shopline_global() -> None:
    snapshot = read_global(order("shopline_global"))
    assert (snapshot.external_id, snapshot.number) == ("21057401932826316666967110", "SL1001")
    assert (snapshot.status, snapshot.payment_status, str(snapshot.total)) == ("confirmed", "paid", "10.00")
    assert snapshot.customer == CustomerSnapshot("4200", "ada@example.com", "Ada Byron")
    assert (snapshot.tags, snapshot.discount_codes) == (("vip",), ())


def _attempts(*words: str) -> list[Document]:
    return [{"pay_status": word} for word in words]


@pytest.mark.parametrize(
    ("changes", "status", "payment"),
    [
        ({"status": "canceled"}, "cancelled", "paid"),
        ({"status": "cancelled"}, "cancelled", "paid"),
        ({"cancelled_at": "2026-01-07T00:00:00Z"}, "cancelled", "paid"),
        ({"financial_status": "unpaid", "payment_details": []}, "confirmed", "pending"),
        ({"financial_status": "unpaid", "payment_details": _attempts("unpaid")}, "confirmed", "pending"),
        ({"financial_status": "unpaid", "payment_details": _attempts("paid_overtime")}, "confirmed", "expired"),
        ({"financial_status": "unpaid", "payment_details": _attempts("paid_failed")}, "confirmed", "pending"),
        (
            {"financial_status": "unpaid", "payment_details": _attempts("paid_failed", "paid_overtime")},
            "confirmed",
            "expired",
        ),
        (
            {"financial_status": "unpaid", "payment_details": _attempts("paid_failed", "pending")},
            "confirmed",
            "pending",
        ),
        ({"financial_status": "paid", "payment_details": _attempts("paid_failed", "paid")}, "confirmed", "paid"),
        ({"financial_status": "partially_refunded"}, "confirmed", "partially_refunded"),
        ({"fulfillment_status": "fulfilled"}, "completed", "paid"),
    ],
)
def test_o1_statuses_of_shopline_global(changes: Document, status: str, payment: str) -> None:
    snapshot = read_global(order("shopline_global", **changes))
    assert (snapshot.status, snapshot.payment_status) == (status, payment)


def test_e10_a_payment_that_failed_inside_a_global_order_is_a_try() -> None:
    tries = [{"pay_seq": "10020", "pay_status": "paid_failed"}, *_attempts("unpaid", "paid_failed")]
    snapshot = read_global(order("shopline_global", financial_status="unpaid", payment_details=tries))
    assert snapshot.attempts == ("10020", "21057401932826316666967110/3")
    paid = read_global(order("shopline_global", financial_status="paid", payment_details=tries))
    assert paid.attempts == ()
