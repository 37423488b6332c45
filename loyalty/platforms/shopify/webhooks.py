"""Shopify's webhooks: what is peculiar to them beside :mod:`loyalty.platforms.shopify_style.webhooks`."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from loyalty.platforms import meaning
from loyalty.platforms.documents import kinds
from loyalty.platforms.documents.messages import id_in
from loyalty.platforms.documents.read import Fields
from loyalty.platforms.http.signatures import in_header
from loyalty.platforms.shop_platform import Webhooks
from loyalty.platforms.shopify.payments import failed_to_pay, takes_store_credit
from loyalty.platforms.shopify_style import webhooks as alike
from loyalty.platforms.snapshot import NotAnOrder

_OTHER_PAYMENT: Final = meaning.Nothing(
    gettext_noop("A payment that went well, or a refund: the order itself says so, too.")
)
# The type in an id such as gid://shopify/Refund/929361472.
_GID_TYPES: Final = {
    "Refund": kinds.A_REFUND, "Return": kinds.A_RETURN, "OrderTransaction": kinds.A_TRANSACTION,
    "DiscountCodeNode": kinds.A_DISCOUNT, "DiscountAutomaticNode": kinds.A_DISCOUNT, "PriceRule": kinds.A_DISCOUNT,
    "Customer": kinds.A_CUSTOMER, "Product": kinds.A_PRODUCT, "DraftOrder": kinds.A_DRAFT,
    "Fulfillment": kinds.A_SHIPMENT, "FulfillmentOrder": kinds.A_SHIPMENT, "Cart": kinds.A_CART,
    "Checkout": kinds.A_CHECKOUT, "AbandonedCheckout": kinds.A_CHECKOUT,
}  # fmt: skip


def _meaning_of(topic: str, document: Mapping[str, object]) -> meaning.Meaning:
    match topic:
        case "order_transactions/create":
            return _transaction(document)
        case "orders/delete":
            return meaning.DeletedOrder(id_in(document, "id"))
        case "customers/merge":
            return _merge(document)
    return alike.meaning_of(topic, document)


def _transaction(document: Mapping[str, object]) -> meaning.Meaning:
    transaction = Fields(document)
    external_id = transaction.identifier("order_id")
    amount = transaction.amount("amount", "") if takes_store_credit(transaction) else None
    if external_id and amount and amount > 0:
        payment_id = transaction.identifier("id") or external_id
        return meaning.CreditsTaken(external_id, payment_id, amount, transaction.currency("currency"))
    if not failed_to_pay(transaction):
        return _OTHER_PAYMENT
    if not external_id:
        return meaning.NAMELESS
    return meaning.PaymentNews(external_id, "failed", attempt=transaction.identifier("id") or external_id)


def _merge(document: Mapping[str, object]) -> meaning.Meaning:
    merge = Fields(document)
    if merge.text("status").lower() != "completed":
        return meaning.Nothing(_("A merge of customers that was not completed."))
    kept, merged = (_gid_number(merge.text(f"admin_graphql_api_customer_{who}_id")) for who in ("kept", "deleted"))
    if not kept or not merged or kept == merged:
        raise NotAnOrder(_("It does not say which customers became one."), field="admin_graphql_api_customer_kept_id")
    return meaning.MergedCustomers(kept, merged)


def _gid_number(gid: str) -> str:
    """The number of ``gid://shopify/Customer/7001``, the id that orders name him by; "" for anything else."""
    number = gid.removeprefix("gid://shopify/Customer/").partition("?")[0]
    return number if gid != number and number.isascii() and number.isdigit() else ""


def _kind_by_id(document: Mapping[str, object]) -> str:
    gid = document.get("admin_graphql_api_id")
    path = gid.removeprefix("gid://shopify/") if isinstance(gid, str) else ""
    return _GID_TYPES.get(path.partition("/")[0], "")


WEBHOOKS: Final = Webhooks(
    is_signed=in_header("x-shopify-hmac-sha256"),
    meaning_of=_meaning_of,
    topics={
        **alike.TOPICS,
        "returns": kinds.A_RETURN,
        "tender_transactions": "a payment",
        "customers/merge": kinds.A_MERGE,
    },
    fetched_topic=alike.FETCHED,
    signs=(
        *alike.SIGNS,
        kinds.sign(kinds.A_MERGE, "admin_graphql_api_customer_kept_id"),
        kinds.sign(kinds.OF_THE_SHOP, "myshopify_domain"),
    ),
    kind_by_id=_kind_by_id,
    # The newer deliveries drop the leading X-.
    headers=("x-shopify-", "shopify-"),
    topic_header="x-shopify-topic",
    id_header="x-shopify-webhook-id",
    test_header="x-shopify-test",
    shop_header="x-shopify-shop-domain",
    shop_domain=".myshopify.com",
)
