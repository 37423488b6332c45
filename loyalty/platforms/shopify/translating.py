"""An order out of Shopify's GraphQL answers in the shape of its REST orders, which webhooks still send.

So that there is one mapping: the same order comes to the same snapshot whether it was pushed or polled.
"""

from decimal import Decimal
from typing import Any, Final

from loyalty.platforms.http.protocol import Document

_FULFILLMENT: Final = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial", "RESTOCKED": "restocked"}


def rest_order(order: Document) -> Document:
    """The order as REST would show it, as far as :mod:`loyalty.platforms.shopify.mapping` reads it."""
    shop_money = order["totalPriceSet"]["shopMoney"]
    return {
        "id": number_of(order["id"]),
        "admin_graphql_api_id": order["id"],
        "name": order["name"],
        "confirmed": order["confirmed"],
        "test": order["test"],
        "tags": list(order["tags"]),
        "email": order["email"],
        "phone": order["phone"],
        "customer_locale": order["customerLocale"],
        "cancelled_at": order["cancelledAt"],
        "cancel_reason": (order["cancelReason"] or "").lower() or None,
        "closed_at": order["closedAt"],
        "processed_at": order["processedAt"],
        "created_at": order["createdAt"],
        "updated_at": order["updatedAt"],
        "currency": order["currencyCode"],
        "presentment_currency": order["presentmentCurrencyCode"],
        "total_price": shop_money["amount"],
        "total_price_set": {
            "shop_money": _money(shop_money),
            "presentment_money": _money(order["totalPriceSet"]["presentmentMoney"]),
        },
        "payment_gateway_names": list(order.get("paymentGatewayNames") or ()),
        "financial_status": (order["displayFinancialStatus"] or "").lower() or None,
        "fulfillment_status": _FULFILLMENT.get(order["displayFulfillmentStatus"]),
        "discount_codes": [{"code": code} for code in order["discountCodes"]],
        "payment_terms": _payment_terms(order["paymentTerms"]),
        "customer": _customer(order["customer"]),
        "billing_address": order["billingAddress"],
        "shipping_address": order["shippingAddress"],
        "line_items": [_line(line) for line in order["lineItems"]["nodes"]],
        "transactions": [_transaction(one) for one in order["transactions"]],
        "refunds": _refunds(order["totalRefundedSet"]["shopMoney"]),
    }


def number_of(gid: str) -> str:
    """The number in a GraphQL id: gid://shopify/Order/42 is 42."""
    return gid.rpartition("/")[2]


def _money(money: Document) -> Document:
    return {"amount": money["amount"], "currency_code": money["currencyCode"]}


def _transaction(transaction: Document) -> Document:
    money = transaction["amountSet"]["shopMoney"]
    return {
        "id": number_of(transaction["id"]),
        "kind": transaction["kind"].lower(),
        "status": transaction["status"].lower(),
        "gateway": transaction["gateway"],
        "amount": money["amount"],
        "currency": money["currencyCode"],
    }


def _payment_terms(terms: Document | None) -> Document | None:
    if terms is None:
        return None
    schedules = terms["paymentSchedules"]["nodes"]
    return {"payment_schedules": [{"due_at": one["dueAt"], "completed_at": one["completedAt"]} for one in schedules]}


def _customer(customer: Document | None) -> Document | None:
    if customer is None:
        return None
    return {
        "id": number_of(customer["id"]),
        "admin_graphql_api_id": customer["id"],
        "email": (customer["defaultEmailAddress"] or {}).get("emailAddress"),
        "phone": (customer["defaultPhoneNumber"] or {}).get("phoneNumber"),
        "first_name": customer["firstName"],
        "last_name": customer["lastName"],
    }


def _line(line: Document) -> Document:
    return {
        "name": line["name"],
        "title": line["title"],
        "sku": line["sku"],
        "quantity": line["quantity"],
        "price": line["originalUnitPriceSet"]["shopMoney"]["amount"],
        "total_discount": line["totalDiscountSet"]["shopMoney"]["amount"],
    }


def _refunds(refunded: Document) -> list[dict[str, Any]]:
    """What went back in all, as one refund: the mapping adds up what it finds."""
    if not Decimal(refunded["amount"]):
        return []
    transaction = {"kind": "refund", "status": "success"}
    return [{"transactions": [transaction | {"amount": refunded["amount"], "currency": refunded["currencyCode"]}]}]
