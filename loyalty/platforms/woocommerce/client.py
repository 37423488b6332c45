"""Asking WooCommerce, through the REST API of the shop's own WordPress (version 3)."""

import json
from base64 import b64encode
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

from loyalty.core.tags import tag_key
from loyalty.platforms.documents.read import Fields
from loyalty.platforms.http.json_api import Answer, JsonApi, dig, documents, order_number
from loyalty.platforms.http.protocol import Document, Failed, NewCode, Page, Shop, WebhookReport
from loyalty.platforms.models import PlatformConnection

LABEL: Final = "WooCommerce"
TOPICS: Final[tuple[str, ...]] = ("order.created", "order.updated", "order.deleted", "order.restored")
_ORDERS_IN_PAGE: Final = 50
_MOST: Final = 100
_WEBHOOK_NAME: Final = "Loyalty Back-Office"
_CODE_EXISTS: Final = "already exists"


class WooCommerceClient:
    """One shop's REST API, with a consumer key that may read and write."""

    def __init__(self, connection: PlatformConnection) -> None:
        key, secret = connection.consumer_key.reveal(), connection.consumer_secret.reveal()
        signed_in = b64encode(f"{key}:{secret}".encode()).decode()
        base = f"{connection.base_url.rstrip('/')}/wp-json"
        self._api = JsonApi(LABEL, base, {"Authorization": f"Basic {signed_in}"}, (key, secret, signed_in))
        self._tag_meta_key = connection.tag_meta_key

    def check(self) -> Shop:
        """The site's name. That the key may write shows only when something is written."""
        self._list("/wc/v3/orders", per_page=1)
        site = self._api.ask("GET", "/", query={"_fields": "name"}).value
        return Shop(str(site.get("name") or "") if isinstance(site, dict) else "")

    def orders_updated(self, *, since: datetime, until: datetime, cursor: str = "") -> Page:
        """Orders by the time of their last change.

        An order that changes while pages are read moves to the end and draws all behind it forward. So each page
        starts from the last order's own time instead of counting pages, unless a page is all of one second.
        """
        after, number = _read_cursor(cursor) or (_utc(since) - timedelta(seconds=1), 1)
        orders = documents(
            LABEL,
            self._list(
                "/wc/v3/orders",
                modified_after=_text(after), modified_before=_text(_utc(until) + timedelta(seconds=1)),
                dates_are_gmt="true", orderby="modified", order="asc", status="any",
                per_page=_ORDERS_IN_PAGE, page=number,
            ).value,
        )  # fmt: skip
        if len(orders) < _ORDERS_IN_PAGE:
            return Page(orders)
        reached = _last_modified(orders, otherwise=after) - timedelta(seconds=1)
        return Page(orders, _write_cursor(reached, 1) if reached > after else _write_cursor(after, number + 1))

    def fetch_order(self, external_id: str) -> Document | None:
        """One order."""
        return self._api.find_object(f"/wc/v3/orders/{order_number(LABEL, external_id)}")

    def ensure_webhooks(self, *, address: str, secret: str) -> WebhookReport:
        """One webhook for each topic. WooCommerce switches one off after five failures; it is switched on again."""
        mine = {str(one.get("topic")): one for one in self._webhooks() if one.get("delivery_url") == address}
        working = tuple(topic for topic in TOPICS if mine.get(topic, {}).get("status") == "active")
        dead = tuple(topic for topic in TOPICS if topic in mine and topic not in working)
        missing = tuple(topic for topic in TOPICS if topic not in mine)
        for topic in dead:
            body = {"status": "active", "secret": secret}
            self._api.ask_object("PUT", f"/wc/v3/webhooks/{mine[topic]['id']}", body)
        for topic in missing:
            webhook = {"name": _WEBHOOK_NAME, "topic": topic, "delivery_url": address, "status": "active"}
            self._api.ask_object("POST", "/wc/v3/webhooks", webhook | {"secret": secret})
        return WebhookReport(working, dead, missing)

    def add_tag(self, external_id: str, tag: str) -> None:
        """Add the tag to the meta field that holds the tags; in a shop without one it becomes a note for the staff."""
        path = f"/wc/v3/orders/{order_number(LABEL, external_id)}"
        if not self._tag_meta_key:
            self._note(path, tag)
            return
        order = self._api.ask_object("GET", path)
        entries = [one for one in documents(LABEL, order.get("meta_data")) if one.get("key") == self._tag_meta_key]
        read = [Fields(one) for one in entries]
        held = [text for one in read for text in one.tags("value")]
        if any(one.left_out for one in read):
            raise Failed(
                _("%(label)s keeps this order's tags in a form that cannot be read, so none is added.")
                % {"label": LABEL}
            )
        if tag_key(tag) in map(tag_key, held):
            return
        # The same form that it had: a list stays a list. An entry with an id is changed, one without is made.
        as_text = bool(entries) and isinstance(entries[0].get("value"), str)
        value = ", ".join([*held, tag]) if as_text else [*held, tag]
        known = {"id": dig(LABEL, entries[0], "id")} if entries else {}
        self._api.ask_object("PUT", path, {"meta_data": [known | {"key": self._tag_meta_key, "value": value}]})

    def cancel_order(self, external_id: str, *, reason: str, give_back: Collection[str] = ()) -> bool:
        """Set the status; WooCommerce refunds nothing by itself, and puts the goods back into stock."""
        path = f"/wc/v3/orders/{order_number(LABEL, external_id)}"
        if self._api.ask_object("GET", path).get("status") == "cancelled":
            return True
        return self._api.ask_object("PUT", path, {"status": "cancelled"}).get("status") == "cancelled"

    def create_code(self, new: NewCode) -> str:
        """Make a coupon that can be used once."""
        coupon = {
            "code": new.code,
            "description": new.title,
            "discount_type": "fixed_cart" if new.kind == "fixed" else "percent",
            "amount": f"{new.value:f}",
            "usage_limit": 1,
            "usage_limit_per_user": 1,
            "date_expires_gmt": _text(_utc(new.expires_at)) if new.expires_at else None,
        }
        try:
            return str(dig(LABEL, self._api.ask_object("POST", "/wc/v3/coupons", coupon), "id"))
        except Failed as error:
            made = self._coupon(new.code) if _CODE_EXISTS in str(error) else None
            # An answer that got lost leaves the coupon made; a coupon of the shop's own stays the shop's.
            if made is None or made.get("description") != new.title:
                raise
            return str(made["id"])

    def delete_code(self, code: str, *, reference: str = "") -> None:
        """Delete the coupon for good: one in the bin keeps its code."""
        coupon = self._coupon(code)
        if coupon is not None:
            self._api.take_away(f"/wc/v3/coupons/{coupon['id']}", query={"force": "true"})

    def code_used(self, code: str, *, reference: str = "") -> bool | None:
        """Whether the coupon's counter has moved."""
        coupon = self._coupon(code)
        return None if coupon is None else int(coupon.get("usage_count") or 0) > 0

    def _coupon(self, code: str) -> Document | None:
        coupons = documents(LABEL, self._list("/wc/v3/coupons", code=code, per_page=_MOST).value)
        return next((one for one in coupons if str(one.get("code")).casefold() == code.casefold()), None)

    def _webhooks(self) -> list[Document]:
        found: list[Document] = []
        number, full = 1, True
        while full:
            page = documents(LABEL, self._list("/wc/v3/webhooks", per_page=_MOST, page=number).value)
            found, number, full = found + page, number + 1, len(page) == _MOST
        return found

    def _note(self, path: str, tag: str) -> None:
        notes = documents(LABEL, self._list(f"{path}/notes").value)
        if all(note.get("note") != tag for note in notes):
            self._api.ask_object("POST", f"{path}/notes", {"note": tag, "customer_note": False})

    def _list(self, path: str, **query: str | int) -> Answer:
        return self._api.ask("GET", path, query=query)


def _last_modified(orders: Sequence[Document], *, otherwise: datetime) -> datetime:
    """When the last order that says so in a form we know was changed."""
    said = (Fields(order).instant("date_modified_gmt", without_offset_is_utc=True) for order in reversed(orders))
    return next((changed for changed in said if changed is not None), otherwise)


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(microsecond=0)


def _text(instant: datetime) -> str:
    """WordPress writes instants in UTC without an offset."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S")


def _write_cursor(after: datetime, number: int) -> str:
    return json.dumps([after.isoformat(), number])


def _read_cursor(cursor: str) -> tuple[datetime, int] | None:
    if not cursor:
        return None
    after, number = json.loads(cursor)
    return datetime.fromisoformat(after), int(number)
