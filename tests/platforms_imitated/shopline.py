"""The Open API of SHOPLINE in Asia, imitated."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from werkzeug import Request, Response

from tests.platforms_imitated.imitation import Document, Imitation, Problem, said

TOKEN = "d5537cf89992206433b38766fde92556"


@dataclass
class ImitatedShopline(Imitation):
    """One merchant."""

    platform: ClassVar[str] = "shopline"
    # The kinds that SHOPLINE gave back of its own; it does so unless we ask it not to.
    returned: list[str] = field(default_factory=list)

    def answer(self, request: Request, body: Any) -> Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise Problem(401, {"error": "The access token is invalid", "code": "Unauthorized"})
        assert request.headers.get("User-Agent")
        parts = request.path.strip("/").removeprefix("v1/").split("/")
        handlers = {"orders": self._orders, "webhooks": self._webhooks, "promotions": self._promotions}
        if parts == ["merchants"]:
            return said({"items": [{"id": "5e840cae77cb07003243f7c7", "name": "小茶店"}]})
        return handlers[parts[0]](request, parts[1:], body)

    def _orders(self, request: Request, parts: list[str], body: Any) -> Response:
        if parts == ["search"]:
            return self._search(request)
        order = self.orders.get(parts[0])
        if order is None:
            raise Problem(404, {"error": "Order not found", "code": "NotFound"})
        match parts[1:], request.method:
            case [], "GET":
                return said(order)
            case ["tags"], "PUT":
                return self._tag(order, body["tags"])
            case ["cancel"], "PATCH":
                return self._cancel(order, body)
        raise Problem(404, {"error": "Not found", "code": "NotFound"})

    def _search(self, request: Request) -> Response:
        asked = request.args
        after, before = _instant(asked["updated_after"]), _instant(asked["updated_before"])
        found = [order for order in self.orders.values() if after <= _changed(order) <= before]
        return _page(sorted(found, key=lambda order: (order["created_at"], order["id"])), request)

    def _tag(self, order: Document, tags: list[str]) -> Response:
        if any(not 3 <= len(tag) <= 40 for tag in tags):
            raise Problem(422, {"message": "Tag length is invalid", "code": "UnprocessableEntity"})
        # Too many: nothing is changed, and the answer is 200 all the same.
        if len(tags) <= 10:
            self._change(order, "order/update", tags=tags)
        return said({"tags": order["tags"]})

    def _cancel(self, order: Document, body: Document) -> Response:
        if order["status"] == "cancelled":
            raise Problem(422, {"message": "Order status is invalid", "code": "UnprocessableEntity"})
        for kind in ("revert_credits", "revert_member_points"):
            if body.get(kind, {}).get("strategy", "revert") != "none":
                self.returned.append(kind)
        assert (body["refund_order"], body["mail_notify"]) == (False, False)
        self._change(order, "order/cancel", status="cancelled")
        return said({"order_items_stock_tag": []})

    def _change(self, order: Document, topic: str, **values: Any) -> None:
        order |= values | {"updated_at": f"{self.now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"}
        self.told.append((topic, dict(order)))

    def _webhooks(self, request: Request, parts: list[str], body: Any) -> Response:
        match request.method:
            case "GET":
                return _page(self.webhooks, request)
            case "POST":
                self.webhooks.append(body | {"id": f"{self.next_id():024x}", "status": "active"})
                return said(self.webhooks[-1], 201)
            case _:
                self.webhooks = [one for one in self.webhooks if one["id"] != parts[0]]
                return said({"message": "ok"})

    def _promotions(self, request: Request, parts: list[str], body: Any) -> Response:
        match request.method, parts:
            case "POST", []:
                made = body | {"id": f"{self.next_id():024x}", "use_count": 0, "sum_use_count": 0}
                self.codes[made["id"]] = made
                return said(made, 201)
            case "GET", ["search"]:
                return _page(list(self.codes.values()), request)
        promotion = self.codes.get(parts[0])
        if promotion is None:
            raise Problem(404, {"error": "Promotion not found", "code": "NotFound"})
        if request.method == "DELETE":
            del self.codes[parts[0]]
        elif request.method == "PUT":
            promotion |= body
        return said(promotion)


def _changed(order: Document) -> datetime:
    return datetime.fromisoformat(order["updated_at"]).replace(microsecond=0)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _page(found: list[Any], request: Request) -> Response:
    per_page, number = int(request.args.get("per_page", 24)), int(request.args.get("page", 1))
    pages = -(-len(found) // per_page)
    counted = {"current_page": number, "per_page": per_page, "total_pages": pages, "total_count": len(found)}
    return said({"items": found[(number - 1) * per_page : number * per_page], "pagination": counted})
