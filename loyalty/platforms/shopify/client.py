"""Asking Shopify, through its GraphQL Admin API; REST is legacy there and closed to new apps."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from loyalty.platforms.http.json_api import JsonApi, dig, documents, order_number
from loyalty.platforms.http.protocol import (
    Document,
    Failed,
    NewCode,
    NotThere,
    Page,
    Refused,
    Shop,
    Unreachable,
    WebhookReport,
)
from loyalty.platforms.models import PlatformConnection
from loyalty.platforms.shopify import queries
from loyalty.platforms.shopify.graphql import LABEL, GraphQl, UserError
from loyalty.platforms.shopify.translating import rest_order

# Without these something of what we do fails.
SCOPES: Final = (
    "read_orders", "write_orders", "read_customers", "read_customer_merge", "read_discounts", "write_discounts",
    "read_payment_terms",
)  # fmt: skip
# Told to apps with a scope of its own only, which older connections lack: they do without.
_MERGED: Final = "CUSTOMERS_MERGE"
# An order's every change comes as ORDERS_UPDATED; the others are told sooner.
TOPICS: Final = ("ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_CANCELLED", "ORDERS_DELETE", "APP_UNINSTALLED", _MERGED)
_REASONS: Final = {"customer": "CUSTOMER", "out_of_stock": "INVENTORY", "payment": "DECLINED", "fraud": "FRAUD"}


class ShopifyClient:
    """One shop's GraphQL Admin API."""

    def __init__(self, connection: PlatformConnection) -> None:
        token = connection.access_token.reveal()
        version = connection.api_version or queries.VERSION
        base = f"{connection.base_url.rstrip('/')}/admin/api/{version}"
        self._graphql = GraphQl(JsonApi(LABEL, base, {"X-Shopify-Access-Token": token}, (token,)))

    def check(self) -> Shop:
        """The shop's name, and the access scopes that the token lacks."""
        data = self._graphql.query(queries.SHOP)
        granted = documents(LABEL, dig(LABEL, data, "currentAppInstallation", "accessScopes"))
        handles = {str(scope.get("handle")) for scope in granted}
        # Whoever may write may read: Shopify lists only the wider of the two.
        held = handles | {handle.replace("write_", "read_", 1) for handle in handles}
        return Shop(str(dig(LABEL, data, "shop", "name")), tuple(scope for scope in SCOPES if scope not in held))

    def orders_updated(self, *, since: datetime, until: datetime, cursor: str = "") -> Page:
        """Orders by the time of their last change."""
        wanted = f"updated_at:>='{_instant(since)}' updated_at:<='{_instant(until)}'"
        variables = {"first": queries.ORDERS_IN_PAGE, "after": cursor or None, "query": wanted}
        orders = dig(LABEL, self._graphql.query(queries.ORDERS, **variables), "orders")
        nodes = documents(LABEL, dig(LABEL, orders, "nodes"))
        return Page([self._whole(node) for node in nodes], _next(orders))

    def fetch_order(self, external_id: str) -> Document | None:
        """One order; None also for one older than 60 days when the app may not read those."""
        order = dig(LABEL, self._graphql.query(queries.ORDER, id=_gid(external_id)), "order")
        return self._whole(order) if order else None

    def ensure_webhooks(self, *, address: str, secret: str) -> WebhookReport:
        """Subscribe to what is missing. Shopify signs with the app's own secret, and deletes what failed 8 times."""
        there = {str(one.get("topic")) for one in self._webhooks() if one.get("uri") == address}
        missing = [topic for topic in TOPICS if topic not in there]
        created = tuple(topic for topic in missing if self._subscribe(topic, address))
        return WebhookReport(found=tuple(topic for topic in TOPICS if topic in there), created=created)

    def add_tag(self, external_id: str, tag: str) -> None:
        """Add a tag; Shopify keeps the others."""
        self._graphql.mutate(queries.TAG, "tagsAdd", id=_gid(external_id), tags=[tag])

    def cancel_order(self, external_id: str, *, reason: str, give_back: Collection[str] = ()) -> bool:
        """Cancel without a refund and without telling the customer. Shopify does it later, in a job of its own."""
        if self._is_cancelled(external_id):
            return True
        code = _REASONS.get(reason, "OTHER")
        try:
            cancelled = self._graphql.mutate(queries.CANCEL, "orderCancel", id=_gid(external_id), reason=code)
        except UserError:
            # The job of an earlier request, or somebody in the shop, may have been faster.
            if self._is_cancelled(external_id):
                return True
            raise
        return bool((cancelled.get("job") or {}).get("done"))

    def create_code(self, new: NewCode) -> str:
        """Make a discount of one code that can be used once."""
        try:
            made = self._graphql.mutate(queries.CREATE_CODE, "discountCodeBasicCreate", discount=_discount(new))
        except UserError as error:
            node = self._code(new.code) if "TAKEN" in error.codes else None
            # An answer that got lost leaves the code made; a discount of the shop's own stays the shop's.
            if node is None or dig(LABEL, node, "codeDiscount").get("title") != new.title:
                raise
            return str(dig(LABEL, node, "id"))
        return str(dig(LABEL, made, "codeDiscountNode", "id"))

    def delete_code(self, code: str, *, reference: str = "") -> None:
        """Delete the discount; of one that has more codes, only this code."""
        node = self._code(code)
        if node is None:
            return
        discount, mine = node["codeDiscount"], _redeem_code(node, code)
        if dig(LABEL, discount, "codesCount", "count") <= 1:
            self._forgiving("discountCodeDelete", queries.DELETE_DISCOUNT, id=node["id"])
        elif mine is None:
            raise Unreachable(_("%(label)s knows the code but does not list it yet.") % {"label": LABEL})
        else:
            field = "discountCodeRedeemCodeBulkDelete"
            self._forgiving(field, queries.DELETE_ONE_CODE, id=node["id"], codes=[mine["id"]])

    def code_used(self, code: str, *, reference: str = "") -> bool | None:
        """Whether Shopify has counted a use; its counter lags behind a little."""
        node = self._code(code)
        mine = _redeem_code(node, code) if node else None
        return None if mine is None else int(mine.get("asyncUsageCount") or 0) > 0

    def _whole(self, order: Document) -> Document:
        """The order in REST's shape, with all its lines."""
        try:
            lines = order["lineItems"]
            nodes, cursor = list(lines["nodes"]), _next(lines)
            while cursor:
                variables = {"id": order["id"], "first": queries.LINES_IN_PAGE, "after": cursor}
                more = dig(LABEL, self._graphql.query(queries.LINES, **variables), "order", "lineItems")
                nodes, cursor = [*nodes, *more["nodes"]], _next(more)
            return rest_order({**order, "lineItems": {"nodes": nodes}})
        except (KeyError, TypeError, AttributeError) as error:
            raise Unreachable(_("%(label)s answered an order in an unknown form.") % {"label": LABEL}) from error

    def _is_cancelled(self, external_id: str) -> bool:
        order = dig(LABEL, self._graphql.query(queries.CANCELLED, id=_gid(external_id)), "order")
        if order is None:
            raise NotThere(_("%(label)s does not have this order, or does not show it to us.") % {"label": LABEL})
        return bool(order.get("cancelledAt"))

    def _webhooks(self) -> list[Document]:
        found: list[Document] = []
        cursor: str | None = None
        while cursor != "":
            page = dig(LABEL, self._graphql.query(queries.WEBHOOKS, after=cursor), "webhookSubscriptions")
            found += documents(LABEL, dig(LABEL, page, "nodes"))
            cursor = _next(page)
        return found

    def _subscribe(self, topic: str, address: str) -> bool:
        webhook = {"uri": address, "format": "JSON"}
        try:
            self._graphql.mutate(queries.CREATE_WEBHOOK, "webhookSubscriptionCreate", topic=topic, webhook=webhook)
        except (Refused, Failed):
            if topic != _MERGED:
                raise
            return False
        return True

    def _code(self, code: str) -> Document | None:
        data = self._graphql.query(queries.CODE, code=code, query=f'code:"{code}"')
        node: Document | None = dig(LABEL, data, "codeDiscountNodeByCode")
        return node

    def _forgiving(self, field: str, text: str, **variables: object) -> None:
        """A deletion; what somebody else has deleted meanwhile counts as done."""
        try:
            self._graphql.mutate(text, field, **variables)
        except UserError as error:
            if not error.codes & {"NOT_FOUND", "INVALID"} or "exist" not in str(error):
                raise


def _redeem_code(node: Document, code: str) -> Document | None:
    codes = documents(LABEL, dig(LABEL, node, "codeDiscount", "codes", "nodes"))
    return next((one for one in codes if str(one.get("code")).casefold() == code.casefold()), None)


def _next(connection: Any) -> str:
    info = dig(LABEL, connection, "pageInfo")
    return str(info.get("endCursor") or "") if info.get("hasNextPage") else ""


def _gid(external_id: str) -> str:
    return f"gid://shopify/Order/{order_number(LABEL, external_id)}"


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _discount(new: NewCode) -> dict[str, Any]:
    fixed = {"discountAmount": {"amount": f"{new.value:f}", "appliesOnEachItem": False}}
    # A share of one, in a field that is a floating-point number in Shopify's schema.
    percentage = {"percentage": float(new.value / 100)}
    return {
        "title": new.title,
        "code": new.code,
        "startsAt": _instant(new.starts_at),
        "endsAt": _instant(new.expires_at) if new.expires_at else None,
        "usageLimit": 1,
        "appliesOncePerCustomer": True,
        "context": {"all": "ALL"},
        "customerGets": {"items": {"all": True}, "value": fixed if new.kind == "fixed" else percentage},
    }
