"""Files of the systems that shops leave: small made-up samples, recognised and read without anybody's help."""

from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest

from loyalty.stores.models import Store
from orders.services.balance_imports.layouts.products import PRODUCTS
from orders.services.balance_imports.layouts.read import read_rows
from orders.services.balance_imports.layouts.suggest import suggest
from orders.services.balance_imports.rows import Lot, Row

STORE = Store(slug="tea", name="Tea", currency="TWD", time_zone="Asia/Taipei")

# The encoding, and the lines.
SAMPLES = {
    "shopline-members": (
        "utf-8",
        "Email,Phone,Points,Points Expiration Date,VIP Tier Name,Store Credits,Store Credits Expiration Date",
        "ana@shop.example,+886912345678,120,2027-01-31,Gold,50.00,2027-06-30",
    ),
    "shopline-members-ja": (
        "cp932",
        "メール,電話番号,ポイント,ポイント有効期限日,VIPティア名,ストアクレジット,ストアクレジットの有効期限",
        "ana@shop.example,+819012345678,120,2027-01-31,ゴールド,50.00,2027-06-30",
    ),
    "shopline-customers": (
        "utf-8-sig",
        "Customer ID,Full Name,Email,Mobile Phone,Store Credits,Member Points",
        "5f1a,Ana Gomez,ana@shop.example,+886912345678,50.00,120",
    ),
    "shopline-customers-zh": (
        "cp950",
        "顧客 ID,全名,電郵,手機號碼,購物金,會員點數",
        "5f1a,王小明,ana@shop.example,0912345678,50.00,120",
    ),
    "smile": (
        "utf-8",
        "First Name,Last Name,Email,Points Balance,Referral URL",
        "Ana,Gomez,ana@shop.example,120,https://i.example/9qr5",
    ),
    "loyaltylion": (
        "utf-8",
        "merchant_id,email,points_approved,points_pending",
        "7001,ana@shop.example,120,5",
    ),
    "yotpo": (
        "utf-8",
        "Full Name,First Name,Last Name,Email,Points Balance,Points Spent,Birthday (MM/DD)",
        "Ana Gomez,Ana,Gomez,ana@shop.example,120,30,04/03",
    ),
    "yotpo-export": (
        "utf-8",
        "Email address,First name,Last name,Current points balance,Referral link",
        "ana@shop.example,Ana,Gomez,120,https://rwrd.example/x",
    ),
    "growave": (
        "utf-8",
        "Customer ID,Email,Points,First Name,Last Name,Birthdate",
        "7001,ana@shop.example,120,Ana,Gomez,1990-04-03",
    ),
    "woocommerce-points": (
        "utf-8",
        "user_id,user_email,first_name,last_name,wc_points_balance",
        "26,ana@shop.example,Ana,Gomez,120",
    ),
    "shopify-gift-cards": (
        "utf-8",
        (
            "Id,Last Characters,Customer Name,Email,Order Name,Date Issued,Expires On,"
            "Initial Balance,Current Balance,Currency,Expired?,Enabled?,Note"
        ),
        "669632561443,3rqb,Ana Gomez,ana@shop.example,#1001,2026-01-05,2027-06-30,100.00,50.00,TWD,false,true,Gift",
        "669632561444,8kkd,Ben,ben@shop.example,#1002,2026-01-05,,10.00,10.00,TWD,false,false,",
    ),
    "shopify-customers": (
        "utf-8",
        (
            "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Phone,"
            "Total Spent,Total Orders,Note,Tax Exempt"
        ),
        "'9013808660771,Ana,Gomez,ana@shop.example,no,+886912345678,997.98,1,VIP,no",
    ),
}
CREDITS = Lot("credits", Decimal("50.00"), "TWD")
POINTS = Lot("points", Decimal(120))
LOTS = {
    "shopline-members": (
        Lot("points", Decimal(120), expires_on=date(2027, 1, 31)),
        Lot("credits", Decimal("50.00"), "TWD", expires_on=date(2027, 6, 30)),
    ),
    "shopline-customers": (POINTS, CREDITS),
    "shopify-gift-cards": (
        Lot(
            "credits",
            Decimal("50.00"),
            "TWD",
            date(2026, 1, 5),
            date(2027, 6, 30),
            reason="Gift",
            reference="669632561443",
        ),
    ),
    "shopify-customers": (),
}
LOTS |= {"shopline-members-ja": LOTS["shopline-members"], "shopline-customers-zh": LOTS["shopline-customers"]}
PEOPLE = {
    "shopline-customers": ("shopline", "5f1a"),
    "shopline-customers-zh": ("shopline", "5f1a"),
    "loyaltylion": ("", "7001"),
    "growave": ("shopify", "7001"),
    "woocommerce-points": ("woocommerce", "26"),
    "shopify-customers": ("shopify", "9013808660771"),
}


def sample(key: str) -> BytesIO:
    codec, *lines = SAMPLES[key]
    return BytesIO("".join(f"{line}\n" for line in lines).encode(codec))


def read(key: str) -> list[Row]:
    return list(read_rows(sample(key), {}, STORE))


def test_every_product_has_a_sample_and_a_source() -> None:
    assert {product.key for product in PRODUCTS} == SAMPLES.keys()
    assert all(product.source.startswith("https://") for product in PRODUCTS)


@pytest.mark.parametrize("key", SAMPLES)
def test_a_file_of_a_known_system_is_recognised_and_asks_nothing(key: str) -> None:
    suggestion = suggest(sample(key), {}, STORE)
    assert (suggestion.layout.product, suggestion.asked) == (key, frozenset())


@pytest.mark.parametrize("key", SAMPLES)
def test_a_row_of_a_known_system_says_who_it_is_and_what_he_has(key: str) -> None:
    row = read(key)[0]
    assert (row.position, row.problems) == (2, ())
    assert row.person.email == "ana@shop.example"
    assert (row.person.platform, row.person.external_id or "") == PEOPLE.get(key, ("", ""))
    assert row.lots == LOTS.get(key, (POINTS,))


def test_a_gift_card_that_was_switched_off_is_worth_nothing() -> None:
    assert read("shopify-gift-cards")[1].lots == ()


def test_a_name_in_chinese_stays_as_it_is_written() -> None:
    assert read("shopline-customers-zh")[0].person.name == "王小明"


def test_when_value_ends_is_taken_though_the_system_does_not_write_it_as_a_rule() -> None:
    lines = "First Name,Email,Points Balance,Referral URL,Points expire on\nAna,ana@shop.example,120,,2027-01-31\n"
    suggestion = suggest(BytesIO(lines.encode()), {}, STORE)
    assert suggestion.layout.product == "smile"
    (row,) = read_rows(BytesIO(lines.encode()), suggestion.layout.to_json(), STORE)
    assert row.lots == (Lot("points", Decimal(120), expires_on=date(2027, 1, 31)),)
