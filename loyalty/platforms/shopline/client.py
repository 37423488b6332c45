"""Asking SHOPLINE in Asia, through its Open API."""

import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _

from loyalty.core.tags import tag_key
from loyalty.platforms.http.json_api import JsonApi, dig, documents, order_id
from loyalty.platforms.http.protocol import Document, Failed, NewCode, Page, Shop, WebhookReport
from loyalty.platforms.models import PlatformConnection

LABEL: Final = "SHOPLINE"
_BASE: Final = "https://open.shopline.io/v1"
TOPICS: Final = (
    "order/create", "order/update", "order/cancel", "order/confirm", "order/complete", "order/pending", "order/remove",
    "order/split_order", "order/combine_orders", "order_payment/update", "order_payment/complete",
    "order_payment/refund", "application/uninstall",
)  # fmt: skip
# SHOPLINE suggests at most 50 orders a page, and does not page past this many.
_IN_PAGE: Final = 50
_MOST_ORDERS: Final = 10_000
_MOST_TAGS: Final = 10
_TAG_LENGTHS: Final = range(3, 41)
_REASONS: Final = {"customer": "change_mind", "duplicate": "repeat_purchase"}


class ShoplineClient:
    """One merchant's Open API."""

    def __init__(self, connection: PlatformConnection) -> None:
        token = connection.access_token.reveal()
        base = connection.base_url.rstrip("/") or _BASE
        # SHOPLINE answers nobody without a name.
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "Loyalty-Back-Office"}
        self._api = JsonApi(LABEL, base, headers, (token,))

    def check(self) -> Shop:
        """The merchant's name and id."""
        merchants = documents(LABEL, dig(LABEL, self._api.ask_object("GET", "/merchants"), "items"))
        first = merchants[0] if merchants else {}
        return Shop(str(first.get("name") or ""), merchant_id=str(first.get("id") or first.get("_id") or ""))

    def orders_updated(self, *, since: datetime, until: datetime, cursor: str = "") -> Page:
        """Orders that changed in between, in no order that follows their changes.

        SHOPLINE sorts by the day an order was made. One that changes again leaves the interval, and what stands behind
        it moves up; so pages are read from the last to the first, and what moves up is met again, not missed.
        """
        begin, end, number = _read_cursor(cursor) or (since, until, 0)
        if not number:
            end, number = self._last_page(begin, end)
        orders = documents(LABEL, dig(LABEL, self._search(begin, end, number), "items"))
        if number > 1:
            return Page(orders, _write_cursor(begin, end, number - 1))
        return Page(orders, _write_cursor(end, until, 0) if end < until else "")

    def fetch_order(self, external_id: str) -> Document | None:
        """One order."""
        return self._api.find_object(f"/orders/{order_id(LABEL, external_id)}")

    def ensure_webhooks(self, *, address: str, secret: str) -> WebhookReport:
        """One webhook for all topics. One that SHOPLINE has switched off is made anew."""
        mine = [one for one in self._items("/webhooks") if one.get("address") == address]
        working = [one for one in mine if one.get("status") == "active"]
        held = {str(topic) for one in working for topic in one.get("topics") or ()}
        found = tuple(topic for topic in TOPICS if topic in held)
        if len(found) == len(TOPICS):
            return WebhookReport(found)
        for one in mine:
            self._api.take_away(f"/webhooks/{dig(LABEL, one, 'id')}")
        self._api.ask_object("POST", "/webhooks", {"address": address, "topics": [*TOPICS], "format": "json"})
        amiss = tuple(topic for topic in TOPICS if topic not in held)
        return WebhookReport(found, repaired=amiss if mine else (), created=() if mine else amiss)

    def add_tag(self, external_id: str, tag: str) -> None:
        """Put the tag beside the others; SHOPLINE takes ten of 3 to 40 characters, and drops an eleventh silently."""
        if len(tag) not in _TAG_LENGTHS:
            raise Failed(
                _("%(label)s takes tags of 3 to 40 characters; “%(tag)s” has %(count)s.")
                % {"label": LABEL, "tag": tag, "count": len(tag)}
            )
        path = f"/orders/{order_id(LABEL, external_id)}"
        held = [str(text) for text in self._api.ask_object("GET", path).get("tags") or ()]
        if tag_key(tag) in map(tag_key, held):
            return
        if len(held) >= _MOST_TAGS:
            raise Failed(
                _("%(label)s allows %(most_tags)s tags on an order, and this one has them already.")
                % {"label": LABEL, "most_tags": _MOST_TAGS}
            )
        answered = self._api.ask_object("PUT", f"{path}/tags", {"tags": [*held, tag]}).get("tags") or ()
        if tag_key(tag) not in {tag_key(str(text)) for text in answered}:
            raise Failed(
                _("%(label)s did not keep the tag “%(tag)s”: a shop may have 100 different ones.")
                % {"label": LABEL, "tag": tag}
            )

    def cancel_order(self, external_id: str, *, reason: str, give_back: Collection[str] = ()) -> bool:
        """Cancel, and have SHOPLINE return no money and nothing that is not asked for, nor write to the customer.

        Left out, a strategy would be the shop's own setting; so it is said of both kinds, always.
        """
        path = f"/orders/{order_id(LABEL, external_id)}"
        if self._api.ask_object("GET", path).get("status") == "cancelled":
            return True
        key = _REASONS.get(reason, "other")
        self._api.ask_object(
            "PATCH",
            f"{path}/cancel",
            {
                "cancelled_reason": {"key": key, **({"message": reason} if key == "other" and reason else {})},
                "revert_credits": {"strategy": "revert" if "credits" in give_back else "none"},
                "revert_member_points": {"strategy": "revert" if "points" in give_back else "none"},
                "operated_by": "merchant",
                "refund_order": False,
                "mail_notify": False,
            },
        )
        return True

    def create_code(self, new: NewCode) -> str:
        """Make a promotion of one code that can be used once."""
        made = self._promotion(new.code)
        if made is not None:
            # An answer that got lost leaves the promotion made; one of the shop's own stays the shop's.
            if dig(LABEL, made, "title_translations").get("en") != new.title:
                raise Failed(_("%(label)s has the code %(code)s already.") % {"label": LABEL, "code": new.code})
            return str(dig(LABEL, made, "id"))
        return str(dig(LABEL, self._api.ask_object("POST", "/promotions", _new_promotion(new)), "id"))

    def delete_code(self, code: str, *, reference: str = "") -> None:
        """Delete the promotion; from one with more codes, only this code is taken."""
        promotion = self._promotion(code, reference)
        if promotion is None:
            return
        path = f"/promotions/{dig(LABEL, promotion, 'id')}"
        others = [other for other in promotion["codes"] if not _has([code], str(other))]
        if others:
            self._api.take_away(path, method="PUT", body={"codes": others})
        else:
            self._api.take_away(path)

    def code_used(self, code: str, *, reference: str = "") -> bool | None:
        """Whether the promotion's counter has moved; None for one with more codes, which are counted together."""
        promotion = self._promotion(code, reference)
        if promotion is None or len(promotion["codes"]) > 1:
            return None
        return int(promotion.get("sum_use_count") or promotion.get("use_count") or 0) > 0

    def _last_page(self, begin: datetime, end: datetime) -> tuple[datetime, int]:
        """Until when the interval may go on to be paged through, and its number of pages."""
        while True:
            counted = dig(LABEL, self._search(begin, end, 1), "pagination")
            total, pages = int(dig(LABEL, counted, "total_count")), int(dig(LABEL, counted, "total_pages"))
            if total <= _MOST_ORDERS or end - begin <= timedelta(seconds=1):
                return end, max(pages, 1)
            end = begin + (end - begin) / 2

    def _search(self, begin: datetime, end: datetime, number: int) -> Document:
        query: dict[str, str | int] = {"updated_after": _text(begin), "updated_before": _text(end)}
        query |= {"sort_by": "created_at", "order_by": "asc", "per_page": _IN_PAGE, "page": number}
        return self._api.ask_object("GET", "/orders/search", query=query)

    def _promotion(self, code: str, reference: str = "") -> Document | None:
        """The promotion that has this code, by its id or by looking through all with codes."""
        promotions: Iterable[Document | None] = (
            [self._api.find_object(f"/promotions/{reference}")]
            if reference
            else self._items("/promotions/search", apply_method="coupon")
        )
        live = (one for one in promotions if one and one.get("status") != "removed")
        return next((one for one in live if _has([str(held) for held in one.get("codes") or ()], code)), None)

    def _items(self, path: str, **query: str | int) -> list[Document]:
        found: list[Document] = []
        number, pages = 1, 1
        while number <= pages:
            value = self._api.ask_object("GET", path, query={**query, "per_page": _IN_PAGE, "page": number})
            found += documents(LABEL, dig(LABEL, value, "items"))
            pages = int((value.get("pagination") or {}).get("total_pages") or 1)
            number += 1
        return found


def _new_promotion(new: NewCode) -> dict[str, Any]:
    off: dict[str, Any] = (
        {"discount_type": "amount", "discount_amount": float(new.value)}
        if new.kind == "fixed"
        else {"discount_type": "percentage", "discount_percentage": float(new.value)}
    )
    return {
        "title_translations": {"en": new.title},
        "discount_on": "order",
        "codes": [new.code],
        "max_use_count": 1,
        "user_max_use_count": 1,
        "start_at": _text(new.starts_at),
        "end_at": _text(new.expires_at) if new.expires_at else None,
        "status": "active",
    } | off


def _has(held: list[str], text: str) -> bool:
    return text.casefold() in {one.casefold() for one in held}


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _write_cursor(begin: datetime, end: datetime, number: int) -> str:
    return json.dumps([begin.isoformat(), end.isoformat(), number])


def _read_cursor(cursor: str) -> tuple[datetime, datetime, int] | None:
    if not cursor:
        return None
    begin, end, number = json.loads(cursor)
    return datetime.fromisoformat(begin), datetime.fromisoformat(end), int(number)
