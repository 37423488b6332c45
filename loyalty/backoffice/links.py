"""The pages that others lead to, and how a cell leads there."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


def order_address(order_id: int | None) -> str:
    """The page of an order."""
    return reverse("admin:orders_order_change", args=[order_id])


def customer_address(customer_id: int | None) -> str:
    """The page of a customer."""
    return reverse("admin:stores_customer_change", args=[customer_id])


def cell_link(address: str, words: object) -> SafeString:
    """The words of a cell as a link."""
    return format_html('<a class="cell-link" href="{}">{}</a>', address, words)
