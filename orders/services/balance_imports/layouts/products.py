"""The systems that shops leave, and what the columns of their files are called.

Facts are from public help pages, read in November 2026. Where a page names no columns of an export, the names are those
of the product's own import template or API, and the layout is shown to be looked at like every other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Product:
    """A system's file. ``told_by`` are columns that it has together and hardly any other file has.

    ``columns``: what they say, by their names in plain letters. ``platform``: whose the customers' numbers are.
    ``source``: where the names were read.
    """

    key: str
    name: str
    source: str
    told_by: frozenset[str]
    columns: Mapping[str, str]
    platform: str = ""


PRODUCTS: Final = (
    # The member export of SHOPLINE's member system has the columns of its import template.
    Product(
        "shopline-members",
        "SHOPLINE (member system)",
        "https://help.shopline.com/hc/en-001/articles/14633242818457-Importing-and-Exporting-Customers",
        frozenset({"points expiration date", "vip tier name"}),
        {
            "email": "email",
            "phone": "phone",
            "points": "points",
            "points expiration date": "points_expires_on",
            "store credits": "credits",
            "store credit": "credits",
            "store credits expiration date": "credits_expires_on",
            "store credit expiration date": "credits_expires_on",
        },
    ),
    Product(
        "shopline-members-ja",
        "SHOPLINE (member system, Japanese)",
        "https://help.shopline.com/hc/ja/articles/14633242818457",
        frozenset({"ポイント有効期限日", "vipティア名"}),
        {
            "メール": "email",
            "電話番号": "phone",
            "ポイント": "points",
            "ポイント有効期限日": "points_expires_on",
            "ストアクレジット": "credits",
            "ストアクレジットの有効期限": "credits_expires_on",
        },
    ),
    # The page shows the customer report's contents, not its columns: the names are those of the back-office's fields.
    # The report of member points has sums by month and nobody's balance, so there is nothing in it to import.
    Product(
        "shopline-customers",
        "SHOPLINE (customer report)",
        "https://support.shoplineapp.com/hc/en-us/articles/204591439-View-and-Export-Customer-Information-Customer-List",
        frozenset({"customer id", "full name", "store credits"}),
        {
            "customer id": "external_id",
            "full name": "name",
            "email": "email",
            "mobile phone": "phone",
            "mobile number": "phone",
            "phone": "phone",
            "language": "locale",
            "store credits": "credits",
            "member points": "points",
        },
        platform="shopline",
    ),
    Product(
        "shopline-customers-zh",
        "SHOPLINE (顧客報表)",
        "https://support.shoplineapp.com/hc/en-us/articles/204591439-View-and-Export-Customer-Information-Customer-List",
        frozenset({"顧客 id", "購物金"}),
        {
            "顧客 id": "external_id",
            "全名": "name",
            "姓名": "name",
            "電郵": "email",
            "電子郵件": "email",
            "手機號碼": "phone",
            "購物金": "credits",
            "購物金到期日": "credits_expires_on",
            "會員點數": "points",
            "點數": "points",
            "點數到期日": "points_expires_on",
        },
        platform="shopline",
    ),
    # https://help.smile.io/en/articles/4036233-import-points-with-a-csv-file has e-mail and points; an export of
    # customers is not described, so its columns are those of the customer in the API.
    Product(
        "smile",
        "Smile.io",
        "https://dev.smile.io/ui/objects/customer",
        frozenset({"points balance", "referral url"}),
        {
            "email": "email",
            "first name": "first_name",
            "last name": "last_name",
            "points balance": "points",
        },
    ),
    # Columns are chosen, and can be renamed, when LoyaltyLion exports; these are the customer's names in its API.
    Product(
        "loyaltylion",
        "LoyaltyLion",
        "https://help.loyaltylion.com/articles/5367139-export",
        frozenset({"points approved", "points pending"}),
        {
            "email": "email",
            "merchant id": "external_id",
            "first name": "first_name",
            "last name": "last_name",
            "name": "name",
            "points approved": "points",
        },
    ),
    Product(
        "yotpo",
        "Yotpo Loyalty",
        "https://support.yotpo.com/v1/docs/importingexporting-points-and-customers",
        frozenset({"points balance", "points spent"}),
        {
            "email": "email",
            "full name": "name",
            "first name": "first_name",
            "last name": "last_name",
            "points balance": "points",
        },
    ),
    Product(
        "yotpo-export",
        "Yotpo Loyalty",
        "https://community.yotpo.com/loyalty-referrals-97/"
        "we-re-here-to-help-how-to-manage-your-customers-loyalty-points-649",
        frozenset({"current points balance", "referral link"}),
        {
            "email address": "email",
            "email": "email",
            "first name": "first_name",
            "last name": "last_name",
            "current points balance": "points",
        },
    ),
    Product(
        "growave",
        "Growave",
        "https://help.growave.io/article/350-faq-rewards-app",
        frozenset({"customer id", "email", "points", "birthdate"}),
        {
            "customer id": "external_id",
            "email": "email",
            "points": "points",
            "first name": "first_name",
            "last name": "last_name",
        },
        platform="shopify",
    ),
    # The extension lists customers and points and has no export of its own; who exports does it by a plugin that
    # writes the user's meta field, or the list's two columns.
    Product(
        "woocommerce-points",
        "WooCommerce Points and Rewards",
        "https://woocommerce.com/document/points-and-rewards-developer-documentation",
        frozenset({"wc points balance"}),
        {
            "user email": "email",
            "email": "email",
            "billing email": "email",
            "customer email": "email",
            "customer id": "external_id",
            "user id": "external_id",
            "id": "external_id",
            "first name": "first_name",
            "last name": "last_name",
            "wc points balance": "points",
        },
        platform="woocommerce",
    ),
    Product(
        "shopify-gift-cards",
        "Shopify (gift cards)",
        "https://help.shopify.com/en/manual/products/gift-card-products",
        frozenset({"last characters", "initial balance", "current balance"}),
        {
            "id": "reference",
            "email": "email",
            "customer name": "name",
            "current balance": "credits",
            "currency": "currency",
            "date issued": "granted_on",
            "created at": "granted_on",
            "expires on": "expires_on",
            "enabled": "active",
            "note": "reason",
        },
    ),
    Product(
        "shopify-customers",
        "Shopify (customers)",
        "https://help.shopify.com/en/manual/customers/import-export-customers",
        frozenset({"first name", "last name", "total spent", "tax exempt"}),
        {
            "customer id": "external_id",
            "first name": "first_name",
            "last name": "last_name",
            "email": "email",
            "phone": "phone",
        },
        platform="shopify",
    ),
)
