"""WooCommerce's REST API (wc/v3), imitated."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from werkzeug import Request, Response

from tests.platforms_imitated.imitation import Document, Imitation, Problem, said

KEY, SECRET = "ck_0123456789abcdef", "cs_fedcba9876543210"
_SIGNED_IN = "Basic " + b64encode(f"{KEY}:{SECRET}".encode()).decode()


@dataclass
class ImitatedWooCommerce(Imitation):
    """One shop in WordPress."""

    platform: ClassVar[str] = "woocommerce"

    def answer(self, request: Request, body: Any) -> Response:
        path = request.path.removeprefix("/wp-json")
        if path == "/":
            return said({"name": "João's Records", "namespaces": ["wc/v3"]})
        if request.headers.get("Authorization") != _SIGNED_IN:
            raise _error(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        resource, _, rest = path.removeprefix("/wc/v3/").partition("/")
        handlers = {"orders": self._orders, "webhooks": self._webhooks, "coupons": self._coupons}
        if not path.startswith("/wc/v3/") or resource not in handlers:
            raise _error(404, "rest_no_route", "No route was found matching the URL and request method.")
        return handlers[resource](request, rest, body)

    def _orders(self, request: Request, rest: str, body: Any) -> Response:
        number, _, part = rest.partition("/")
        if not number:
            return self._order_list(request)
        order = self.orders.get(number)
        if order is None:
            raise _error(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        if part == "notes":
            return self._notes(request, order, body)
        if request.method == "PUT":
            self._change(order, body)
        return said(_shown(order))

    def _order_list(self, request: Request) -> Response:
        asked = request.args
        found = sorted(self.orders.values(), key=lambda order: (order["date_modified_gmt"], order["id"]))
        if "modified_after" in asked:
            assert (asked["dates_are_gmt"], asked["orderby"], asked["order"]) == ("true", "modified", "asc")
            after, before = asked["modified_after"], asked["modified_before"]
            found = [order for order in found if after < order["date_modified_gmt"] < before]
        return _page([_shown(order) for order in found], request)

    def _notes(self, request: Request, order: Document, body: Any) -> Response:
        notes = order.setdefault("_notes", [])
        if request.method == "GET":
            return said(notes)
        notes.append(body | {"id": self.next_id()})
        return said(notes[-1], 201)

    def _change(self, order: Document, body: Document) -> None:
        if "status" in body:
            order["status"] = body["status"]
        for entry in body.get("meta_data", ()):
            kept = [one for one in order["meta_data"] if one["id"] != entry.get("id")]
            order["meta_data"] = [*kept, {"id": self.next_id(), **entry}]
        order["date_modified_gmt"] = f"{self.now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
        self.told.append(("order.updated", dict(order)))

    def _webhooks(self, request: Request, number: str, body: Any) -> Response:
        if request.method == "GET":
            # The secret is never shown.
            return _page([{key: hook[key] for key in hook if key != "secret"} for hook in self.webhooks], request)
        if request.method == "POST":
            self.webhooks.append(body | {"id": self.next_id()})
            return said(self.webhooks[-1], 201)
        hook = next(one for one in self.webhooks if str(one["id"]) == number)
        hook |= body
        return said(hook)

    def _coupons(self, request: Request, number: str, body: Any) -> Response:
        if request.method == "POST":
            return self._new_coupon(body)
        if request.method == "GET":
            code = request.args["code"].lower()
            return _page([coupon for coupon in self.codes.values() if coupon["code"] == code], request)
        if number not in self.codes:
            raise _error(404, "woocommerce_rest_shop_coupon_invalid_id", "Invalid ID.")
        assert request.args["force"] == "true"
        return said(self.codes.pop(number))

    def _new_coupon(self, body: Document) -> Response:
        # WooCommerce keeps codes in small letters.
        if body["code"].lower() in {coupon["code"] for coupon in self.codes.values()}:
            raise _error(400, "woocommerce_rest_coupon_code_already_exists", "The coupon code already exists")
        coupon = body | {"id": self.next_id(), "code": body["code"].lower(), "usage_count": 0}
        self.codes[str(coupon["id"])] = coupon
        return said(coupon, 201)


def at(order: Document, instant: datetime) -> Document:
    """The order as last changed at ``instant``."""
    return order | {"date_modified_gmt": f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"}


def _shown(order: Document) -> Document:
    return {key: value for key, value in order.items() if not key.startswith("_")}


def _page(found: list[Any], request: Request) -> Response:
    per_page, number = int(request.args.get("per_page", 10)), int(request.args.get("page", 1))
    assert per_page <= 100
    pages = -(-len(found) // per_page)
    shown = found[(number - 1) * per_page : number * per_page]
    return said(shown, X_WP_Total=str(len(found)), X_WP_TotalPages=str(pages))


def _error(status: int, code: str, message: str) -> Problem:
    return Problem(status, {"code": code, "message": message, "data": {"status": status}})
