"""Made-up orders of Shopify, as large and as mixed as real ones; everything follows from an order's number."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

Document = dict[str, Any]

_PLACED: Final = datetime(2026, 3, 1, 8, tzinfo=UTC)
# Four orders share a customer, as in a shop whose people come back.
_ORDERS_EACH: Final = 4
_TAGS: Final = ("vip", "Exchange-Order", "wholesale", "gift wrap", "échange")
_ADDRESS: Final = {
    "first_name": "Ada", "last_name": "Byron", "company": None, "address1": "12 Long Acre", "address2": "",
    "phone": "+44 20 7946 0000", "city": "London", "zip": "WC2E 9LG", "province": "England", "country": "UK",
    "country_code": "GB", "province_code": "ENG", "latitude": 51.5133, "longitude": -0.1238,
}  # fmt: skip


def order(number: int, *, minute: int = 60) -> Document:
    """An order as it was ``minute`` minutes after it was placed: three lines with taxes, addresses, perhaps a refund.

    One in ten is partly refunded, one in twenty cancelled, one in six came with a code that is none of ours.
    """
    person, price, refunded = number // _ORDERS_EACH, 20 + number % 80, number % 10 == 1
    cancelled_at = _at(number, 50) if number % 20 == 0 else None
    paid = "partially_refunded" if refunded else "pending" if number % 25 == 0 else "paid"
    code = {"code": f"SPRING{number % 7}", "amount": "0.00", "type": "fixed_amount"}
    return {
        "id": 5_000_000_000_000 + number,
        "admin_graphql_api_id": f"gid://shopify/Order/{5_000_000_000_000 + number}",
        "name": f"#{number}",
        "order_number": number,
        "confirmed": True,
        "cancelled_at": cancelled_at,
        "cancel_reason": "customer" if cancelled_at else None,
        "closed_at": None,
        "created_at": _at(number, 0),
        "processed_at": _at(number, 0),
        "updated_at": _at(number, minute),
        "currency": "USD",
        "presentment_currency": "USD",
        "total_price": f"{3 * price}.00",
        "total_price_set": _money_set(3 * price),
        "subtotal_price": f"{3 * price}.00",
        "financial_status": paid,
        "fulfillment_status": "fulfilled" if number % 3 == 0 else None,
        "email": f"person{person}@example.com",
        "contact_email": f"person{person}@example.com",
        "phone": None,
        "customer_locale": "en-GB",
        "tags": ", ".join(_TAGS[: number % 4]),
        "discount_codes": [code] if number % 6 == 0 else [],
        "payment_terms": None,
        "payment_gateway_names": ["shopify_payments"],
        "test": False,
        "customer": {"id": 900_000 + person, "email": f"person{person}@example.com", "first_name": "Person",
                     "last_name": str(person), "phone": None, "default_address": _ADDRESS, "tags": ""},
        "billing_address": _ADDRESS,
        "shipping_address": _ADDRESS,
        "shipping_lines": [{"id": number, "title": "Standard", "price": "0.00", "price_set": _money_set(0)}],
        "line_items": [_line(number * 10 + place, price) for place in (1, 2, 3)],
        "refunds": [_refund(number, price)] if refunded else [],
    }  # fmt: skip


def _line(number: int, price: int) -> Document:
    tax = {"title": "VAT", "rate": 0.2, "price": "3.00", "price_set": _money_set(3)}
    return {
        "id": number, "name": f"Tea no. {number}", "title": f"Tea no. {number}", "sku": f"T-{number}",
        "quantity": 1, "price": f"{price}.00", "total_discount": "0.00", "product_id": number, "taxable": True,
        "vendor": "Aurora", "fulfillment_service": "manual", "grams": 120, "properties": [],
        "price_set": _money_set(price), "total_discount_set": _money_set(0), "tax_lines": [tax],
    }  # fmt: skip


def _refund(number: int, price: int) -> Document:
    money = {"id": number, "kind": "refund", "status": "success", "amount": f"{price}.00", "currency": "USD"}
    lines = [{"id": number, "quantity": 1}]
    return {"id": number, "created_at": _at(number, 40), "refund_line_items": lines, "transactions": [money]}


def _at(number: int, minutes: int) -> str:
    """An instant in minutes after the order was placed; one order is placed every 30 seconds."""
    return (_PLACED + timedelta(seconds=30 * number, minutes=minutes)).isoformat()


def _money_set(amount: int) -> Document:
    money = {"amount": f"{amount}.00", "currency_code": "USD"}
    return {"shop_money": money, "presentment_money": money}
