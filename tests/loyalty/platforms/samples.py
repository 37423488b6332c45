"""Small, complete orders of each platform, to be varied by the tests."""

from copy import deepcopy
from typing import Any

Document = dict[str, Any]

_SHOPIFY: Document = {
    "id": 5941690892493,
    "admin_graphql_api_id": "gid://shopify/Order/5941690892493",
    "name": "#1001",
    "order_number": 1001,
    "confirmed": True,
    "cancelled_at": None,
    "cancel_reason": None,
    "closed_at": None,
    "created_at": "2026-01-05T09:00:00-05:00",
    "processed_at": "2026-01-05T08:59:58-05:00",
    "updated_at": "2026-01-06T09:00:00-05:00",
    "currency": "USD",
    "presentment_currency": "USD",
    "total_price": "120.00",
    "total_price_set": {
        "shop_money": {"amount": "120.00", "currency_code": "USD"},
        "presentment_money": {"amount": "120.00", "currency_code": "USD"},
    },
    "financial_status": "paid",
    "fulfillment_status": None,
    "email": "ada@example.com",
    "contact_email": "ada@example.com",
    "phone": None,
    "customer_locale": "en-US",
    "tags": "vip, Exchange-Order",
    "discount_codes": [{"code": "TENOFF", "amount": "10.00", "type": "fixed_amount"}],
    "payment_terms": None,
    "test": False,
    "customer": {"id": 77, "email": "ada@example.com", "first_name": "Ada", "last_name": "Byron", "phone": "+4912345"},
    "line_items": [{"name": "Tea - green", "title": "Tea", "sku": "T-1", "quantity": 2, "price": "65.00",
                    "total_discount": "10.00"}],
    "refunds": [],
}  # fmt: skip

_WOOCOMMERCE: Document = {
    "id": 727,
    "parent_id": 0,
    "number": "W-727",
    "order_key": "wc_order_58d2d042d1d",
    "status": "processing",
    "currency": "EUR",
    "date_created": "2026-01-05T10:00:00",
    "date_created_gmt": "2026-01-05T09:00:00",
    "date_modified": "2026-01-06T10:00:00",
    "date_modified_gmt": "2026-01-06T09:00:00",
    "date_paid_gmt": "2026-01-05T09:01:00",
    "date_completed_gmt": None,
    "total": "39.00",
    "customer_id": 26,
    "billing": {"first_name": "João", "last_name": "Silva", "email": "joao@example.com", "phone": "11", "company": ""},
    "shipping": {"first_name": "", "last_name": ""},
    "meta_data": [{"id": 1, "key": "_order_tags", "value": ["vip", "Exchange-Order"]}],
    "line_items": [{"id": 311, "name": "Album &ndash; Red", "sku": "", "quantity": 1, "total": "29.00"}],
    "coupon_lines": [{"id": 9, "code": "10off", "discount": "10.00"}],
    "refunds": [],
}

_SHOPLINE: Document = {
    "id": "608faafe3985d70013d89319",
    "order_number": "20260105040456194",
    "status": "confirmed",
    "created_at": "2026-01-05T09:00:00.000Z",
    "updated_at": "2026-01-06T09:00:00.123+00:00",
    "currency_iso": "TWD",
    "total": {"cents": 1700, "currency_symbol": "NT$", "currency_iso": "TWD", "label": "NT$1,700", "dollars": 1700.0},
    "user_credit": {"cents": 10, "currency_iso": "TWD", "dollars": 10.0},
    "order_points": 200,
    "order_points_to_cash": {"cents": 20, "currency_iso": "TWD", "dollars": 20.0},
    "order_payment": {"status": "completed", "payment_type": "credit_card", "paid_at": None, "expire_time": None},
    "customer_id": "5e0738e792f5c90009548b54",
    "customer_name": "王小明",
    "customer_email": "ming@example.com",
    "customer_phone": "0911111111",
    "tags": ["vip", "換貨"],
    "promotion_items": [{"coupon_code": "SPRING", "discounted_amount": {"dollars": 80.0}}, {"coupon_code": None}],
    "subtotal_items": [{"sku": "N-1", "quantity": 2, "title_translations": {"zh-hant": "商品"},
                        "total": {"dollars": 1780.0}}],
    "parent_order_id": None,
    "child_order_ids": [],
}  # fmt: skip

_SHOPLINE_GLOBAL: Document = {
    "id": "21057401932826316666967110",
    "name": "SL1001",
    "status": "open",
    "created_at": "2026-01-05T10:00:00+08:00",
    "updated_at": "2026-01-06T10:00:00+08:00",
    "cancelled_at": None,
    "currency": "USD",
    "total_price": "10.00",
    "financial_status": "paid",
    "fulfillment_status": "unfulfilled",
    "customer": {"id": "4200", "email": "ada@example.com", "first_name": "Ada", "last_name": "Byron"},
    "tags": ["vip"],
    "discount_codes": [{"code": "", "type": "手动"}],
    "payment_details": [{"pay_status": "paid"}],
    "line_items": [{"title": "Soda", "sku": "", "quantity": 1, "price": "10.00", "total_discount": "0.00"}],
    "refunds": [],
}

_TEMPLATES: dict[str, Document] = {
    "shopify": _SHOPIFY,
    "woocommerce": _WOOCOMMERCE,
    "shopline": _SHOPLINE,
    "shopline_global": _SHOPLINE_GLOBAL,
}


def order(platform: str, **changes: object) -> Document:
    """A complete order of the platform with some fields changed."""
    return deepcopy(_TEMPLATES[platform]) | changes


def without(document: Document, *keys: str) -> Document:
    """The document without these fields."""
    return {key: value for key, value in document.items() if key not in keys}
