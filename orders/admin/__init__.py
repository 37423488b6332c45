"""The back-office's pages about orders, reverts and customers."""

from orders.admin import customers, order_pages, reverts

__all__ = ["customers", "order_pages", "reverts"]
