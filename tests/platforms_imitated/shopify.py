"""Shopify's GraphQL Admin API, imitated. Orders are kept in REST's shape, as webhooks show them."""

# ruff: noqa: A002, N803 (arguments are named as in Shopify's schema)

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from werkzeug import Request, Response

from tests.platforms_imitated.graphql import Undefined, parse, select
from tests.platforms_imitated.imitation import Document, Imitation, Problem, said

TOKEN = "shpat_0123456789abcdef"
_ALL_SCOPES = ("write_orders", "read_customers", "read_customer_merge", "write_discounts", "read_payment_terms")
_FULFILLMENT = {None: "UNFULFILLED", "fulfilled": "FULFILLED", "partial": "PARTIALLY_FULFILLED"}


@dataclass
class ImitatedShopify(Imitation):
    """One shop with one app's token."""

    platform: ClassVar[str] = "shopify"
    scopes: tuple[str, ...] = _ALL_SCOPES
    # A bucket of query cost: refilled when told so.
    available: int = 10_000_000
    cancels_at_once: bool = False
    _cancelling: list[str] = field(default_factory=list)

    def answer(self, request: Request, body: Any) -> Response:
        if request.headers.get("X-Shopify-Access-Token") != TOKEN:
            message = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            raise Problem(401, {"errors": message})
        if request.method != "POST" or request.path != "/admin/api/2026-01/graphql.json":
            raise Problem(404, {"errors": "Not Found"})
        return said(self._execute(body["query"], body["variables"]))

    def _execute(self, text: str, variables: Document) -> Document:
        cost = 10 + 40 * text.count("first")
        throttle = {"maximumAvailable": 2000, "currentlyAvailable": self.available, "restoreRate": 100}
        extensions: Document = {"cost": {"requestedQueryCost": cost, "throttleStatus": throttle}}
        if cost > self.available:
            errors = [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]
            return {"errors": errors, "extensions": extensions}
        self.available -= cost
        operation = parse(text, variables)
        root = self._queries() if operation.kind == "query" else self._mutations()
        try:
            data = select(root, operation.selection, operation.fragments)
        except Undefined as error:
            return {"errors": [{"message": str(error), "extensions": {"code": "undefinedField"}}]}
        if operation.kind == "query":
            self._finish_cancels()
        return {"data": data, "extensions": extensions}

    def _queries(self) -> Document:
        return {
            "__typename": "QueryRoot",
            "shop": {"__typename": "Shop", "name": "Ada's Teas", "currencyCode": "USD"},
            "currentAppInstallation": {
                "__typename": "AppInstallation",
                "accessScopes": [{"__typename": "AccessScope", "handle": scope} for scope in self.scopes],
            },
            "orders": self._orders,
            "order": self._order,
            "webhookSubscriptions": lambda first, after=None: _connection(self.webhooks, first, after),
            "codeDiscountNodeByCode": self._code_node,
        }

    def _mutations(self) -> Document:
        return {
            "__typename": "Mutation",
            "orderCancel": self._cancel,
            "tagsAdd": self._add_tags,
            "webhookSubscriptionCreate": self._subscribe,
            "discountCodeBasicCreate": self._create_code,
            "discountCodeDelete": self._delete_discount,
            "discountCodeRedeemCodeBulkDelete": self._delete_codes,
        }

    def _orders(self, first: int, query: str, sortKey: str, after: str | None = None) -> Document:
        assert sortKey == "UPDATED_AT"
        bounds = [term.removeprefix("updated_at:") for term in query.split()]
        since, until = (datetime.fromisoformat(bound.lstrip("<>=").strip("'")) for bound in bounds)
        found = [order for order in self.orders.values() if since <= _changed(order).replace(microsecond=0) <= until]
        return _connection([self._shown(order) for order in sorted(found, key=_changed)], first, after)

    def _order(self, id: str) -> Document | None:
        order = self.orders.get(id.rpartition("/")[2])
        return self._shown(order) if order else None

    def _shown(self, order: Document) -> Document:
        shop = {"amount": order["total_price"], "currencyCode": order["currency"]}
        sets = order.get("total_price_set") or {}
        shopper = sets.get("presentment_money") or {"amount": shop["amount"], "currency_code": shop["currencyCode"]}
        terms = order.get("payment_terms")
        return {
            "__typename": "Order",
            "id": f"gid://shopify/Order/{order['id']}",
            "name": order["name"],
            "confirmed": order["confirmed"],
            "test": order["test"],
            "tags": sorted(_tags(order)),
            "email": order["email"],
            "phone": order["phone"],
            "customerLocale": order["customer_locale"],
            "cancelledAt": order["cancelled_at"],
            "cancelReason": (order["cancel_reason"] or "").upper() or None,
            "closedAt": order["closed_at"],
            "processedAt": order["processed_at"],
            "createdAt": order["created_at"],
            "updatedAt": order["updated_at"],
            "currencyCode": order["currency"],
            "presentmentCurrencyCode": order["presentment_currency"],
            "discountCodes": [entry["code"] for entry in order["discount_codes"] if entry["code"]],
            "paymentGatewayNames": order.get("payment_gateway_names", []),
            "displayFinancialStatus": (order["financial_status"] or "").upper() or None,
            "displayFulfillmentStatus": _FULFILLMENT[order["fulfillment_status"]],
            "totalPriceSet": _bag(shop["amount"], shop["currencyCode"], shopper["amount"], shopper["currency_code"]),
            "totalRefundedSet": _bag(_refunded(order), order["currency"], _refunded(order), order["currency"]),
            "transactions": lambda first: [_transaction(one) for one in order.get("transactions", [])[:first]],
            "paymentTerms": terms and _terms(terms),
            "customer": _customer(order.get("customer")),
            "billingAddress": _address(order.get("billing_address")),
            "shippingAddress": _address(order.get("shipping_address")),
            "lineItems": lambda first, after=None: _connection([_line(o) for o in order["line_items"]], first, after),
        }

    def _cancel(
        self, orderId: str, reason: str, restock: bool, notifyCustomer: bool, refundMethod: Document
    ) -> Document:
        number = orderId.rpartition("/")[2]
        order = self.orders.get(number)
        if order is None or order["cancelled_at"]:
            said = "Order does not exist" if order is None else "Cannot cancel an order that has already been canceled"
            error = {"__typename": "OrderCancelUserError", "field": ["orderId"], "message": said, "code": "INVALID"}
            return {"__typename": "OrderCancelPayload", "job": None, "orderCancelUserErrors": [error]}
        assert not notifyCustomer
        assert refundMethod == {"originalPaymentMethodsRefund": False}
        order["cancel_reason"] = reason.lower()
        self._cancelling.append(number)
        if self.cancels_at_once:
            self._finish_cancels()
        job = {"__typename": "Job", "id": f"gid://shopify/Job/{self.next_id()}", "done": self.cancels_at_once}
        return {"__typename": "OrderCancelPayload", "job": job, "orderCancelUserErrors": []}

    def _finish_cancels(self) -> None:
        for number in self._cancelling:
            self._change(number, "ORDERS_CANCELLED", cancelled_at=self.now.isoformat())
        self._cancelling.clear()

    def _add_tags(self, id: str, tags: list[str]) -> Document:
        number = id.rpartition("/")[2]
        if number not in self.orders:
            return {"__typename": "TagsAddPayload", "node": None, "userErrors": [_user_error("Order does not exist")]}
        held = _tags(self.orders[number])
        new = [tag for tag in tags if tag.casefold() not in {one.casefold() for one in held}]
        if new:
            self._change(number, "ORDERS_UPDATED", tags=", ".join(sorted([*held, *new])))
        return {"__typename": "TagsAddPayload", "node": {"__typename": "Order", "id": id}, "userErrors": []}

    def _change(self, number: str, topic: str, **values: Any) -> None:
        self.orders[number] |= values | {"updated_at": self.now.isoformat()}
        self.told.append((topic, dict(self.orders[number])))

    def _subscribe(self, topic: str, webhookSubscription: Document) -> Document:
        same = (topic, webhookSubscription["uri"])
        if same in {(one["topic"], one["uri"]) for one in self.webhooks}:
            error = _user_error("Address for this topic has already been taken")
            return {"__typename": "P", "webhookSubscription": None, "userErrors": [error]}
        if topic == "CUSTOMERS_MERGE" and "read_customer_merge" not in self.scopes:
            error = _user_error("You cannot create a webhook subscription with the specified topic")
            return {"__typename": "P", "webhookSubscription": None, "userErrors": [error]}
        made = {"__typename": "WebhookSubscription", "id": f"gid://shopify/WebhookSubscription/{self.next_id()}"}
        made |= {"topic": topic, "uri": webhookSubscription["uri"], "format": webhookSubscription["format"]}
        self.webhooks.append(made)
        return {"__typename": "P", "webhookSubscription": made, "userErrors": []}

    def _code_node(self, code: str) -> Document | None:
        for discount in self.codes.values():
            if code.casefold() in {one["code"].casefold() for one in discount["codes"]}:
                return {"__typename": "DiscountCodeNode", "id": discount["id"], "codeDiscount": _discount(discount)}
        return None

    def _create_code(self, basicCodeDiscount: Document) -> Document:
        code = basicCodeDiscount["code"]
        if self._code_node(code):
            error = _user_error("Code must be unique. Please try a different code.", "TAKEN")
            return {"__typename": "P", "codeDiscountNode": None, "userErrors": [error]}
        gid = f"gid://shopify/DiscountCodeNode/{self.next_id()}"
        self.add_discount(gid, basicCodeDiscount["title"], code)
        self.codes[gid]["input"] = basicCodeDiscount
        return {"__typename": "P", "codeDiscountNode": {"__typename": "N", "id": gid}, "userErrors": []}

    def add_discount(self, gid: str, title: str, *codes: str) -> None:
        """Have a discount with these codes."""
        redeem = [
            {"id": f"gid://shopify/DiscountRedeemCode/{self.next_id()}", "code": code, "uses": 0} for code in codes
        ]
        self.codes[gid] = {"id": gid, "title": title, "codes": redeem}

    def _delete_discount(self, id: str) -> Document:
        gone = self.codes.pop(id, None)
        errors = [] if gone else [_user_error("Discount does not exist.", "INVALID")]
        return {"__typename": "P", "deletedCodeDiscountId": id if gone else None, "userErrors": errors}

    def _delete_codes(self, discountId: str, ids: list[str]) -> Document:
        discount = self.codes[discountId]
        discount["codes"] = [one for one in discount["codes"] if one["id"] not in ids]
        job = {"__typename": "Job", "id": f"gid://shopify/Job/{self.next_id()}"}
        return {"__typename": "P", "job": job, "userErrors": []}


def _changed(order: Document) -> datetime:
    return datetime.fromisoformat(order["updated_at"])


def _tags(order: Document) -> list[str]:
    return [tag.strip() for tag in order["tags"].split(",") if tag.strip()]


def _connection(nodes: list[Document], first: int, after: str | None) -> Document:
    begin = int(after or 0)
    more = begin + first < len(nodes)
    info = {"__typename": "PageInfo", "hasNextPage": more, "endCursor": str(begin + first) if nodes else None}
    return {"__typename": "Connection", "nodes": nodes[begin : begin + first], "pageInfo": info}


def _money(amount: str, currency: str) -> Document:
    # GraphQL writes amounts without needless zeros: 120.00 is "120.0".
    value = Decimal(amount).normalize()
    text = f"{value:f}"
    return {"__typename": "MoneyV2", "amount": text if "." in text else f"{text}.0", "currencyCode": currency}


def _bag(amount: str, currency: str, presented: str, presented_in: str) -> Document:
    shop, shopper = _money(amount, currency), _money(presented, presented_in)
    return {"__typename": "MoneyBag", "shopMoney": shop, "presentmentMoney": shopper}


def _transaction(transaction: Document) -> Document:
    return {
        "__typename": "OrderTransaction",
        "id": f"gid://shopify/OrderTransaction/{transaction['id']}",
        "kind": transaction["kind"].upper(),
        "status": transaction["status"].upper(),
        "gateway": transaction["gateway"],
        "amountSet": _bag(*[transaction["amount"], transaction["currency"]] * 2),
    }


def _refunded(order: Document) -> str:
    transactions = [one for refund in order["refunds"] for one in refund["transactions"]]
    done = [one for one in transactions if (one["kind"], one["status"]) == ("refund", "success")]
    return str(sum((Decimal(one["amount"]) for one in done), start=Decimal(0)))


def _terms(terms: Document) -> Document:
    nodes = [
        {"__typename": "PaymentSchedule", "dueAt": one["due_at"], "completedAt": one["completed_at"]}
        for one in terms["payment_schedules"]
    ]
    return {"__typename": "PaymentTerms", "paymentSchedules": lambda first: _connection(nodes, first, None)}


def _customer(customer: Document | None) -> Document | None:
    if customer is None:
        return None
    email, phone = customer["email"], customer["phone"]
    return {
        "__typename": "Customer",
        "id": f"gid://shopify/Customer/{customer['id']}",
        "firstName": customer["first_name"],
        "lastName": customer["last_name"],
        "displayName": f"{customer['first_name']} {customer['last_name']}",
        "defaultEmailAddress": email and {"__typename": "CustomerEmailAddress", "emailAddress": email},
        "defaultPhoneNumber": phone and {"__typename": "CustomerPhoneNumber", "phoneNumber": phone},
    }


def _address(address: Document | None) -> Document | None:
    return address and {"__typename": "MailingAddress", "name": address["name"]}


def _line(line: Document) -> Document:
    price, off = line["price"], line["total_discount"]
    return {
        "__typename": "LineItem",
        "name": line["name"],
        "title": line["title"],
        "sku": line["sku"],
        "quantity": line["quantity"],
        "originalUnitPriceSet": _bag(price, "USD", price, "USD"),
        "totalDiscountSet": _bag(off, "USD", off, "USD"),
    }


def _discount(discount: Document) -> Document:
    nodes = [
        {"__typename": "DiscountRedeemCode", "id": one["id"], "code": one["code"], "asyncUsageCount": one["uses"]}
        for one in discount["codes"]
    ]

    def codes(first: int, query: str) -> Document:
        wanted = query.removeprefix("code:").strip('"')
        return _connection([node for node in nodes if wanted.casefold() in node["code"].casefold()], first, None)

    count = {"__typename": "Count", "count": len(nodes)}
    return {"__typename": "DiscountCodeBasic", "title": discount["title"], "codesCount": count, "codes": codes}


def _user_error(message: str, code: str = "INVALID") -> Document:
    return {"__typename": "UserError", "field": ["id"], "message": message, "code": code}
