"""What a column of a file can say of a customer, in the words of this house and in those that files have for it."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from loyalty.languages.own_names import own_words_lazy

WHO: Final = _("Who it is")
VALUE: Final = _("What a customer has")
HISTORY: Final = _("Old history")
CODES: Final = _("Open codes")


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a column may say; ``group`` is what it stands under where people choose."""

    key: str
    group: object
    label: object


_ALL: Final = (
    Field("email", WHO, _("E-mail address")),
    Field("external_id", WHO, _("Customer's number")),
    Field("platform", WHO, _("Platform of that number")),
    Field("name", WHO, _("Name")),
    Field("first_name", WHO, _("First name")),
    Field("last_name", WHO, _("Last name")),
    Field("phone", WHO, _("Phone number")),
    Field("locale", WHO, _("Language")),
    Field("points", VALUE, own_words_lazy("Points: how many")),
    Field("credits", VALUE, own_words_lazy("Store credits: how much")),
    Field("amount", VALUE, _("How much, of the kind in another column")),
    Field("kind", VALUE, own_words_lazy("Kind: credits or points")),
    Field("currency", VALUE, _("Currency")),
    Field("granted_on", VALUE, _("Day it was given")),
    Field("expires_on", VALUE, _("Last day of use")),
    Field("points_expires_on", VALUE, own_words_lazy("Last day of use of the points")),
    Field("credits_expires_on", VALUE, own_words_lazy("Last day of use of the store credits")),
    Field("reason", VALUE, _("Reason")),
    Field("origin", VALUE, _("Where it came from")),
    Field("reference", VALUE, _("Reference in the old system")),
    Field("active", VALUE, _("Still good: yes or no")),
    Field("past_at", HISTORY, _("When it happened")),
    Field("past_type", HISTORY, _("What happened: granted, spent, expired, adjusted")),
    Field("code", CODES, _("Code")),
    Field("value", CODES, _("What the code is worth")),
    Field("redeemed_on", CODES, _("Day the code was made")),
)
FIELDS: Final[Mapping[str, Field]] = {field.key: field for field in _ALL}
AMOUNTS: Final = ("points", "credits", "amount", "value")
MONEY: Final = ("credits", "amount", "value")
DAYS: Final = ("granted_on", "expires_on", "points_expires_on", "credits_expires_on", "past_at", "redeemed_on")

# How files call it that no known product wrote; after :func:`plain`. Whatever is not sure is not here.
_NAMES: Final[Mapping[str, str]] = {
    "email": (
        "email, e mail, mail, email address, emails, customer email, user email, 電子郵件, 電郵, 電子信箱, "
        "信箱, メール, メールアドレス, e mail adresse"
    ),
    "external_id": (
        "customer id, user id, member id, customer number, member number, external id, 顧客編號, "
        "顧客 id, 顧客id, 會員 id, 會員編號, 会員番号, 会員id, 顧客番号, kundennummer"
    ),
    "platform": "platform",
    "name": "name, full name, customer name, 全名, 姓名, 顧客名稱, 氏名, お名前",
    "first_name": "first name, firstname, given name, 名字, vorname, 名",
    "last_name": "last name, lastname, surname, family name, 姓氏, nachname, 姓",
    "phone": (
        "phone, phone number, mobile, mobile number, mobile phone, telephone, 手機, 手機號碼, 電話, "
        "聯絡電話, 電話番号, telefon"
    ),
    "locale": "locale, language, 語言, 言語, sprache",
    "points": (
        "points, points balance, point balance, balance points, current points, points approved, "
        "points available, current points balance, wc points balance, member points, 點數, 會員點數, "
        "現有點數, 剩餘點數, 點數餘額, 會員點數餘額, ポイント, 保有ポイント, ポイント残高, ポイント数, "
        "残ポイント, punkte, punktestand, punkteguthaben"
    ),
    "credits": (
        "credits, store credit, store credits, credit balance, store credit balance, current balance, "
        "購物金, 現有購物金, 剩餘購物金, 購物金餘額, ストアクレジット, ストアクレジット残高, guthaben"
    ),
    "amount": "amount, 金額, betrag",
    "kind": "kind",
    "currency": "currency, currency code, 幣別, 貨幣, 通貨, währung",
    "granted_on": "granted on, granted at, issued on, issued at, date issued, 發放日期, 付与日",
    "expires_on": (
        "expires on, expires at, expires, expiry, expiry date, expiration, expiration date, expire date, "
        "valid until, valid to, valid through, 到期日, 到期日期, 有效期限, 有效日期, 有効期限, 失効日, "
        "gültig bis, ablaufdatum"
    ),
    "points_expires_on": (
        "points expiration date, points expiry date, points expire on, points expire at, points expiry, "
        "點數到期日, ポイント有効期限日, ポイント有効期限"
    ),
    "credits_expires_on": (
        "store credits expiration date, store credit expiration date, store credits expiry date, "
        "credits expiration date, 購物金到期日, ストアクレジットの有効期限"
    ),
    "reason": "reason, note, description, 原因, 備註, 理由, grund",
    "origin": "origin, source, 來源",
    "active": "active, enabled",
    "reference": "reference, transaction id, lot id, external reference, 交易編號",
    "past_at": "past at",
    "past_type": "past type",
    "code": "code, coupon code, discount code, 優惠碼",
    "value": "value, code value",
    "redeemed_on": "redeemed on, redeemed at",
}
_SIGNS: Final = re.compile(r"[\s_\-*:.?()]+")


def plain(heading: str) -> str:
    """A column's name without what files write in many ways: case, wide letters, signs between words."""
    return _SIGNS.sub(" ", unicodedata.normalize("NFKC", heading).casefold()).strip()


NAMES: Final[Mapping[str, str]] = {plain(name): key for key, names in _NAMES.items() for name in names.split(",")}
