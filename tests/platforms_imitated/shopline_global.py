"""The Admin REST API of SHOPLINE Global, imitated."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from werkzeug import Request, Response

from tests.platforms_imitated.imitation import Document, Imitation, Problem, said

TOKEN = "eyJhbGciOiJIUzUxMiJ9.eyJhcHBLZXkiOiJ0ZXN0In0.signature"
_BASE = "/admin/openapi/v20251201"


@dataclass
class ImitatedShoplineGlobal(Imitation):
    """One store."""

    platform: ClassVar[str] = "shopline_global"

    def answer(self, request: Request, body: Any) -> Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise Problem(401, {"errors": "Invalid access token"})
        path = request.path.removeprefix(_BASE)
        match request.method, path.strip("/").removesuffix(".json").split("/"):
            case "GET", ["merchants", "shop"]:
                return said({"data": {"name": "Ming Global", "currency": "USD"}})
            case "GET", ["orders"]:
                return self._orders(request)
            case "PUT", ["orders", number]:
                return self._update(number, body["order"])
            case "POST", ["orders", number, "cancel"]:
                return self._cancel(number, body)
            case method, ["webhooks"]:
                return self._webhooks(method, body)
            case method, ["sales", *parts]:
                return self._sales(method, parts, request, body)
        raise Problem(404, {"errors": "Not Found"})

    def _orders(self, request: Request) -> Response:
        asked = request.args
        if "ids" in asked:
            assert asked["status"] == "any"
            return said({"orders": [self.orders[one] for one in asked["ids"].split(",") if one in self.orders]})
        limit = int(asked.get("limit", 50))
        if limit > 100:
            raise Problem(422, {"errors": {"limit": "must be at most 100"}})
        if "page_info" in asked:
            since, until, begin = b64decode(asked["page_info"]).decode().split("|")
        else:
            since, until, begin = asked["updated_at_min"], asked["updated_at_max"], "0"
        found = [order for order in self.orders.values() if _in(order, since, until)]
        found.sort(key=_changed)
        shown = found[int(begin) : int(begin) + limit]
        link = ""
        if int(begin) + limit < len(found):
            page_info = b64encode(f"{since}|{until}|{int(begin) + limit}".encode()).decode()
            address = f"{self.url}{_BASE}/orders.json?limit={limit}&page_info={page_info.replace('=', '%3D')}"
            link = f'<{address}>; rel="next"'
        return said({"orders": shown}, Link=link)

    def _webhooks(self, method: str, body: Any) -> Response:
        if method == "GET":
            return said({"webhooks": self.webhooks})
        self.webhooks.append(body["webhook"] | {"id": self.next_id()})
        return said({"webhook": self.webhooks[-1]})

    def _update(self, number: str, body: Document) -> Response:
        order = self._order(number)
        order |= body | {"updated_at": self.now.isoformat()}
        self.told.append(("orders/updated", dict(order)))
        return said({"order": order})

    def _cancel(self, number: str, body: Document) -> Response:
        assert (body["email"], body["refund_type"]) == (False, "Manual")
        order = self._order(number)
        order |= {"status": "canceled", "cancelled_at": self.now.isoformat(), "updated_at": self.now.isoformat()}
        self.told.append(("orders/cancelled", dict(order)))
        return said({"order": order})

    def _order(self, number: str) -> Document:
        if number not in self.orders:
            raise Problem(404, {"errors": "Order not found"})
        return self.orders[number]

    def _sales(self, method: str, parts: list[str], request: Request, body: Any) -> Response:
        match method, parts:
            case "GET", ["discount_codes", "lookup"]:
                wanted = request.args["code"]
                for rule in self.codes.values():
                    for code in rule["codes"]:
                        if code["code"] == wanted:
                            return said({"discount_code": code})
                raise Problem(404, {"errors": "Not Found"})
            case "POST", ["price_rules"]:
                rule = body["price_rule"] | {"id": str(self.next_id()), "codes": []}
                self.codes[rule["id"]] = rule
                return said({"price_rule": rule})
            case "GET", ["price_rules", number]:
                return said({"price_rule": self.codes[number]})
            case "POST", ["price_rules", number, "discount_codes"]:
                code = body["discount_code"] | {"id": str(self.next_id()), "price_rule_id": number, "usage_count": 0}
                self.codes[number]["codes"].append(code)
                return said({"discount_code": code})
            case "DELETE", ["price_rules", number, "discount_codes", own]:
                kept = [code for code in self.codes[number]["codes"] if code["id"] != own]
                if len(kept) == len(self.codes[number]["codes"]):
                    raise Problem(404, {"errors": "Not Found"})
                self.codes[number]["codes"] = kept
                return said({})
        raise Problem(404, {"errors": "Not Found"})


def _changed(order: Document) -> datetime:
    return datetime.fromisoformat(order["updated_at"])


def _in(order: Document, since: str, until: str) -> bool:
    changed = _changed(order).replace(microsecond=0)
    return datetime.fromisoformat(since) <= changed <= datetime.fromisoformat(until)
