"""Asking SHOPLINE Global (myshopline.com), through its Admin REST API."""

import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from django.utils.translation import gettext as _

from loyalty.core.tags import tag_key
from loyalty.platforms.documents.read import Fields
from loyalty.platforms.http.json_api import JsonApi, dig, documents, order_id
from loyalty.platforms.http.protocol import Document, Failed, NewCode, NotThere, Page, Shop, WebhookReport
from loyalty.platforms.models import PlatformConnection

LABEL: Final = "SHOPLINE Global"
VERSION: Final = "v20251201"
TOPICS: Final = ("orders/create", "orders/updated", "orders/cancelled", "orders/delete")
_IN_PAGE: Final = 100
_CANCELLED: Final = frozenset({"cancelled", "canceled"})
_NEXT: Final = re.compile(r'<([^>]*)>;\s*rel="?next"?')


class ShoplineGlobalClient:
    """One store's Admin REST API."""

    def __init__(self, connection: PlatformConnection) -> None:
        token = connection.access_token.reveal()
        self._version = connection.api_version or VERSION
        base = f"{connection.base_url.rstrip('/')}/admin/openapi/{self._version}"
        self._api = JsonApi(LABEL, base, {"Authorization": f"Bearer {token}"}, (token,))

    def check(self) -> Shop:
        """The store's name."""
        return Shop(str(dig(LABEL, self._api.ask_object("GET", "/merchants/shop.json"), "data", "name") or ""))

    def orders_updated(self, *, since: datetime, until: datetime, cursor: str = "") -> Page:
        """Orders that changed in between; the cursor is SHOPLINE's own."""
        wanted: dict[str, str | int] = {
            "updated_at_min": _instant(since), "updated_at_max": _instant(until),
            "status": "any", "limit": _IN_PAGE,
        }  # fmt: skip
        answer = self._api.ask(
            "GET", "/orders.json", query={"page_info": cursor, "limit": _IN_PAGE} if cursor else wanted
        )
        return Page(documents(LABEL, dig(LABEL, answer.value, "orders")), _next_page(answer.headers.get("Link", "")))

    def fetch_order(self, external_id: str) -> Document | None:
        """One order."""
        query: dict[str, str | int] = {"ids": order_id(LABEL, external_id), "status": "any", "limit": 1}
        orders = documents(LABEL, dig(LABEL, self._api.ask("GET", "/orders.json", query=query).value, "orders"))
        return next((order for order in orders if str(order.get("id")) == external_id), None)

    def ensure_webhooks(self, *, address: str, secret: str) -> WebhookReport:
        """Subscribe to what is missing: SHOPLINE removes a subscription that has failed 19 times."""
        there = {str(one.get("topic")) for one in self._webhooks() if one.get("address") == address}
        missing = tuple(topic for topic in TOPICS if topic not in there)
        for topic in missing:
            webhook = {"address": address, "api_version": self._version, "topic": topic}
            self._api.ask_object("POST", "/webhooks.json", {"webhook": webhook})
        return WebhookReport(found=tuple(topic for topic in TOPICS if topic in there), created=missing)

    def add_tag(self, external_id: str, tag: str) -> None:
        """Put the tag beside the others, in the form in which SHOPLINE gives them."""
        order = self._order(external_id)
        fields = Fields(order)
        held = fields.tags("tags")
        if fields.left_out:
            raise Failed(
                _("%(label)s keeps this order's tags in a form that cannot be read, so none is added.")
                % {"label": LABEL}
            )
        if tag_key(tag) in map(tag_key, held):
            return
        tags = [*held, tag] if isinstance(order.get("tags"), list) else ",".join([*held, tag])
        self._api.ask_object(
            "PUT", f"/orders/{order_id(LABEL, external_id)}.json", {"order": {"id": external_id, "tags": tags}}
        )

    def cancel_order(self, external_id: str, *, reason: str, give_back: Collection[str] = ()) -> bool:
        """Cancel without writing to the customer; a refund is left to be made by hand."""
        if _is_cancelled(self._order(external_id)):
            return True
        body = {"cancel_reason": reason or "other", "email": False, "restock": True, "refund_type": "Manual"}
        self._api.ask_object("POST", f"/orders/{order_id(LABEL, external_id)}/cancel.json", body)
        return _is_cancelled(self._order(external_id))

    def create_code(self, new: NewCode) -> str:
        """Make a price rule that can be used once, and its code."""
        if (made := self._code(new.code)) is not None:
            rule = self._api.ask_object("GET", f"/sales/price_rules/{dig(LABEL, made, 'price_rule_id')}.json")
            # An answer that got lost leaves the code made; one of the shop's own stays the shop's.
            if dig(LABEL, rule, "price_rule").get("title") != new.title:
                raise Failed(_("%(label)s has the code %(code)s already.") % {"label": LABEL, "code": new.code})
            return str(dig(LABEL, made, "id"))
        rule = dig(
            LABEL, self._api.ask_object("POST", "/sales/price_rules.json", {"price_rule": _rule(new)}), "price_rule"
        )
        codes = f"/sales/price_rules/{dig(LABEL, rule, 'id')}/discount_codes.json"
        return str(
            dig(
                LABEL, self._api.ask_object("POST", codes, {"discount_code": {"code": new.code}}), "discount_code", "id"
            )
        )

    def delete_code(self, code: str, *, reference: str = "") -> None:
        """Delete the code; its price rule, which nothing else opens, does no harm."""
        held = self._code(code)
        if held is None:
            return
        rule, own = dig(LABEL, held, "price_rule_id"), dig(LABEL, held, "id")
        self._api.take_away(f"/sales/price_rules/{rule}/discount_codes/{own}.json")

    def code_used(self, code: str, *, reference: str = "") -> bool | None:
        """Whether the code's counter has moved."""
        held = self._code(code)
        return None if held is None else int(held.get("usage_count") or 0) > 0

    def _code(self, code: str) -> Document | None:
        try:
            value = self._api.ask("GET", "/sales/discount_codes/lookup.json", query={"code": code}).value
        except NotThere:
            return None
        held = value.get("discount_code") if isinstance(value, dict) else None
        same = isinstance(held, dict) and str(held.get("code")).casefold() == code.casefold()
        return held if same else None

    def _order(self, external_id: str) -> Document:
        order = self.fetch_order(external_id)
        if order is None:
            raise NotThere(_("%(label)s does not have this order.") % {"label": LABEL})
        return order

    def _webhooks(self) -> list[Document]:
        return documents(LABEL, dig(LABEL, self._api.ask_object("GET", "/webhooks.json"), "webhooks"))


def _rule(new: NewCode) -> dict[str, Any]:
    return {
        "title": new.title,
        "value_type": "fixed_amount" if new.kind == "fixed" else "percentage",
        # What is taken off is written as a number below zero.
        "value": f"{-new.value:f}",
        "target_type": "line_item",
        "target_selection": "all",
        "allocation_method": "across",
        "customer_selection": "all",
        "usage_limit": 1,
        "once_per_customer": True,
        "starts_at": _instant(new.starts_at),
        "ends_at": _instant(new.expires_at) if new.expires_at else None,
    }


def _is_cancelled(order: Document) -> bool:
    return bool(order.get("cancelled_at")) or str(order.get("status", "")).lower() in _CANCELLED


def _next_page(link: str) -> str:
    """The cursor in the Link header's address of the next page; "" on the last."""
    found = _NEXT.search(link)
    return parse_qs(urlsplit(found[1]).query).get("page_info", [""])[0] if found else ""


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
